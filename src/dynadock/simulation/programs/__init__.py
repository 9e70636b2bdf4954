"""What runs in simulated containers."""
