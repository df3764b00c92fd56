"""How property tests choose their examples."""

from __future__ import annotations

from hypothesis import settings

# A commit that passed passes again: the default suite draws the same examples each time, and a new one is looked for
# where a failure is a find and not a surprise, with `make test-slow` (--hypothesis-profile=explore).
settings.register_profile("repeatable", derandomize=True, database=None, print_blob=True)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.load_profile("repeatable")
