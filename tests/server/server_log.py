"""What a server writes, read from a file while it grows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class ServerLog:
    """The file that a server appends its log to; what is told is of the start that was last made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0
        self._lines: list[dict[str, Any]] = []
        self._read = 0

    def begin(self) -> None:
        """Forget what was written so far: another start is made."""
        self._start = self._read = self.path.stat().st_size if self.path.exists() else 0
        self._lines = []

    def text(self) -> str:
        """Return what was written, as it is."""
        return self._bytes_from(self._start).decode(errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """Return every whole line as the object that it is; what is no object stands under "text"."""
        new = self._bytes_from(self._read)
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        self._lines += [_object(line) for line in whole.decode(errors="replace").splitlines()]
        return list(self._lines)

    def _bytes_from(self, offset: int) -> bytes:
        if not self.path.exists():
            return b""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read()


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {"text": line}
    return value if isinstance(value, dict) else {"text": line}
