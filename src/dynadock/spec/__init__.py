"""Documents: from a published or user-made file to the facts that calls are made of."""
