"""Tests of the rules on a problem."""
