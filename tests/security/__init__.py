"""Credentials, scopes, limits, TLS and audit: against real certificates, a real server and hostile input."""
