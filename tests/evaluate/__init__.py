"""Tests of evaluations and differences of plans."""
