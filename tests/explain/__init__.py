"""Tests of tehai.explain."""
