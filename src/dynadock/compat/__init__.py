"""What works on which versions and engines: runs and their results, and what other programs do."""
