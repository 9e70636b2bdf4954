"""The docker command's configuration folder, read without any connection."""
