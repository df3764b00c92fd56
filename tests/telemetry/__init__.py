"""Metrics, log fields, traces and the HTTP endpoint."""
