"""Tests of Tehai; the tree mirrors service/tehai."""
