"""Connections to an engine, whatever they are made of."""
