"""Streams: what a caller holds while a reply comes bit by bit."""
