"""For the tests of others: a plugin of pytest with an embedded engine."""
