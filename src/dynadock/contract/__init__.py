"""Exchanges with engines, held against the document: what deviates, grouped and counted."""
