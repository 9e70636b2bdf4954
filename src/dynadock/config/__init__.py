"""What the docker command's configuration folder says, read without asking anybody."""
