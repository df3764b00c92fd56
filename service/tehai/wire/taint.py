"""Which values are placeholders, so that one fault is not reported twice under two names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_INDEX = re.compile(r"\[[0-9]+\]")


def _ancestors(path: str) -> Iterator[str]:
    """Yield what holds the value at ``path``: for "a[1].b" that is "a[1]" and "a"."""
    for end in range(len(path) - 1, 0, -1):
        if path[end] in ".[":
            yield path[:end]


class TaintedPaths:
    """Paths of placeholders, asked by path or, for "any element", with empty brackets: "pools[].id"."""

    def __init__(self, paths: Iterable[str]) -> None:
        exact = set(paths)
        self._tainted = exact | {_INDEX.sub("[]", path) for path in exact}
        self._holders = {ancestor for path in self._tainted for ancestor in _ancestors(path)}

    def covers(self, path: str) -> bool:
        """Return whether the value at ``path`` is, or lies inside, a placeholder."""
        if not self._tainted:
            return False
        return path in self._tainted or any(ancestor in self._tainted for ancestor in _ancestors(path))

    def touches(self, path: str) -> bool:
        """Return whether the value at ``path`` is, lies inside or holds a placeholder."""
        return path in self._holders or self.covers(path)
