"""Clients against a server in this process that fails as it is told to."""
