"""Tests of the border between protobuf, text and the domain."""
