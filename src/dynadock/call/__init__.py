"""One call, pure: from arguments to a request, from a reply to a value."""
