"""Requests that nobody should send: mutated by hypothesis over a connection, and by atheris inside the decoders."""
