"""The nouns of a sourcing problem as frozen dataclasses; standard library only."""
