"""What `python -m dynadock` does."""
