"""Completion at a prompt: what a name means there, what may follow it, and who is told so."""
