"""What bytes on the wire look like, both ways; no operation is known here, and nothing waits."""
