"""Generate service/tehai/v1 from proto/, or say whether what is committed is fresh.

Messages get a module and a typed stub; only files that define a service also get a gRPC module. Generated text is left
as the generator wrote it, so that two runs with the pinned versions give the same bytes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = ROOT / "proto"
PACKAGE = Path("tehai") / "v1"
COMMITTED = ROOT / "service" / PACKAGE
KEPT_BY_HAND = {"__init__.py"}


def main() -> int:
    """Write the stubs, or with --check compare them; return 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a stub is stale")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fresh = generate(Path(folder)) / PACKAGE
        if not arguments.check:
            write(fresh)
            return 0
        stale = compare(fresh, COMMITTED)
    for line in stale:
        print(line, file=sys.stderr)
    if not stale:
        print(f"stubs of {len(proto_files())} proto files are fresh")
    return 1 if stale else 0


def proto_files() -> list[Path]:
    """Return the contract's files, relative to proto/; refuse an empty contract."""
    files = sorted(path.relative_to(PROTO) for path in (PROTO / PACKAGE).glob("*.proto"))
    if not files:
        message = f"no proto files under {PROTO / PACKAGE}"
        raise FileNotFoundError(message)
    return files


def generate(target: Path) -> Path:
    """Run protoc with its Python, gRPC and typing plugins into ``target`` and return it."""
    plugins = [write_plugin(target, name, module) for name, module in PLUGINS.items()]
    files = proto_files()
    services = [path for path in files if "\nservice " in (PROTO / path).read_text(encoding="utf-8")]
    run_protoc([*plugins, f"--python_out={target}", f"--mypy_out={target}", *map(str, files)])
    run_protoc([*plugins, f"--grpc_python_out={target}", f"--mypy_grpc_out={target}", *map(str, services)])
    return target


PLUGINS = {"protoc-gen-mypy": "mypy_protobuf.main:main", "protoc-gen-mypy_grpc": "mypy_protobuf.main:grpc"}


def write_plugin(folder: Path, name: str, entry: str) -> str:
    """Write a launcher of one plugin and return protoc's option for it.

    A launcher of our own works in a folder with any name, where an installed console script may not.
    """
    module, function = entry.split(":")
    path = folder / name
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "from {module} import {function}; {function}()"\n', "utf-8")
    path.chmod(0o755)
    return f"--plugin={name}={path}"


def run_protoc(arguments: list[str]) -> None:
    """Run protoc on proto/; raise where it fails."""
    from importlib.resources import files

    from grpc_tools import protoc

    well_known = str(files("grpc_tools") / "_proto")
    if protoc.main(["protoc", f"-I{PROTO}", f"-I{well_known}", *arguments]) != 0:
        message = "protoc failed"
        raise RuntimeError(message)


def compare(fresh: Path, committed: Path) -> list[str]:
    """Return one line for each file that differs, is missing or has no proto any more."""
    wanted = {path.name: path.read_bytes() for path in fresh.iterdir()}
    found = {p.name: p.read_bytes() for p in committed.iterdir() if p.is_file() and p.name not in KEPT_BY_HAND}
    return [
        f"stale: service/tehai/v1/{name}; run make gen"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]


def write(fresh: Path) -> None:
    """Replace the committed stubs by the fresh ones."""
    for path in COMMITTED.iterdir():
        if path.is_file() and path.name not in KEPT_BY_HAND:
            path.unlink()
    for path in sorted(fresh.iterdir()):
        shutil.copyfile(path, COMMITTED / path.name)
    print(f"wrote {len(list(fresh.iterdir()))} files to service/{PACKAGE}")


if __name__ == "__main__":
    sys.exit(main())
