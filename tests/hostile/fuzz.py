"""Atheris on one decoder: python -m tests.hostile.fuzz DECODER CORPUS [OPTIONS OF LIBFUZZER].

tools/fuzz.sh installs atheris and runs this for every decoder. The modules of Tehai are instrumented, so that an input
that reaches a new place is kept and changed further; half of the changes are those of ``damage`` and half libFuzzer's.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

with atheris.instrument_imports(include=["tehai"]):
    from tests.hostile.decoders import DECODERS

from tests.hostile.damage import RandomChoices, damaged


def _mutator() -> Callable[[bytes, int, int], bytes]:
    """Return what makes a new input of an old one, of a size that libFuzzer allows."""

    def mutate(data: bytes, size_bytes_max: int, seed: int) -> bytes:
        source = random.Random(seed)
        if source.random() < 0.5:
            changed: bytes = atheris.Mutate(data, size_bytes_max)
            return changed
        return damaged(RandomChoices(source), data)[:size_bytes_max]

    return mutate


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer's options say stop; a crash leaves its input in a file, which may stand for the folder."""
    decoder, corpus = DECODERS[arguments[1]], Path(arguments[2])
    if not corpus.is_file():
        corpus.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(decoder.seeds()):
            (corpus / f"seed-{number}").write_bytes(data)
    atheris.Setup([arguments[0], *arguments[2:]], decoder.read, custom_mutator=_mutator())
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
