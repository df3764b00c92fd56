"""Runs work in processes of its own: solves of the store, solves of a call, and queries that need Python objects."""
