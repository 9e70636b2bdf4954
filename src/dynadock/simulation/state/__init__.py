"""What an engine knows: containers, images, networks, volumes, events, and their rules."""
