"""Benches and the instances they run on."""
