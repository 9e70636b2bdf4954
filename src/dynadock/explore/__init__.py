"""What a client can say about itself: signatures, help, search."""
