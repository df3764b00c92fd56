"""Files that change under a running server: read again when they are others, kept while the new ones are wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from tehai.security.errors import SecuritySetupError

Loaded = TypeVar("Loaded")
# Inode, size and time of every file; None for one that cannot be seen.
_Mark = tuple[tuple[int, int, int] | None, ...]


class ReloadedFiles(Generic[Loaded]):
    """The last good content of ``paths``, looked at again on every ``current()``; may be used from any thread.

    Noticing a change costs one stat for each file. Files are often written one after the other, so content that does
    not fit together is tried again each time, and reported once for each change.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        load: Callable[[], Loaded],
        on_reload: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """Load; raise SecuritySetupError. ``on_reload`` is told of every later change: True where it was taken up."""
        self._paths = tuple(paths)
        self._load = load
        self._on_reload = on_reload
        self._lock = threading.Lock()
        # Before loading: a change in between is then seen as one.
        self._mark = _mark(self._paths)
        self._refused: _Mark | None = None
        self._content = load()

    def current(self) -> Loaded:
        """Return the newest content that is right; the same object until there is another."""
        if _mark(self._paths) == self._mark:
            return self._content
        with self._lock:
            mark = _mark(self._paths)
            if mark != self._mark:
                self._take_up(mark)
            return self._content

    def _take_up(self, mark: _Mark) -> None:
        log = structlog.stdlib.get_logger(__name__)
        names = [str(path) for path in self._paths]
        try:
            self._content = self._load()
        except SecuritySetupError as error:
            if mark != self._refused:
                self._refused = mark
                log.error("changed files refused, the old ones stay", files=names, faults=list(error.faults))
                self._on_reload(False)
            return
        self._mark, self._refused = mark, None
        log.info("changed files taken up", files=names)
        self._on_reload(True)


def _mark(paths: Sequence[Path]) -> _Mark:
    marks: list[tuple[int, int, int] | None] = []
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            marks.append(None)
        else:
            marks.append((found.st_ino, found.st_size, found.st_mtime_ns))
    return tuple(marks)


def read_file(path: Path, bytes_max: int = 1 << 20) -> bytes:
    """Return the content of a small file; raise SecuritySetupError where it cannot be read or is large."""
    try:
        with path.open("rb") as file:
            content = file.read(bytes_max + 1)
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise SecuritySetupError((message,)) from error
    if len(content) > bytes_max:
        message = f"{path}: larger than {bytes_max} bytes, so hardly what is meant"
        raise SecuritySetupError((message,))
    return content
