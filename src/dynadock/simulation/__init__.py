"""What an engine does, without one."""
