"""Tehai decides where AI training compute comes from.

This package imports nothing on purpose: each entry point loads only what it needs.
"""
