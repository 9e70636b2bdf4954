"""What a caller holds while data flows."""
