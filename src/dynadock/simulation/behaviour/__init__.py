"""What each operation does, by tag: a function for each operationId."""
