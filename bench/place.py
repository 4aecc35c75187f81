# SPDX-License-Identifier: Apache-2.0
"""The folder that everything is measured in: on a real disk, one for both sides, and cleared only at the end.

A tree of 100,000 files takes seconds to remove, and the file system works on for a while after that. So trees are
moved away between measurements, and removed when nothing is measured any more. Big files go at once.
"""

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Final

from bench.machine import filesystem

__all__ = ["Place"]

_IN_MEMORY: Final = {"tmpfs", "ramfs", "overlay"}


class Place:
    """A scratch folder, below BENCH_DIR or the repository's `build`; it goes when the block ends."""

    def __init__(self, *, keep: bool = False) -> None:
        above = Path(os.environ.get("BENCH_DIR") or Path(__file__).resolve().parents[1] / "build" / "bench")
        above.mkdir(parents=True, exist_ok=True)
        self.filesystem = filesystem(above)
        if self.filesystem in _IN_MEMORY:
            raise SystemExit(f"{above} is on {self.filesystem}, not on a disk; name another folder: BENCH_DIR=/…")
        self.root = Path(tempfile.mkdtemp(prefix="run-", dir=above))
        self._keep = keep
        self._count = count()
        self._away = self.root / "away"
        self._away.mkdir()

    def __enter__(self) -> "Place":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._keep:
            print(f"kept {self.root}")
        else:
            shutil.rmtree(self.root, ignore_errors=True)

    def fresh(self, name: str) -> Path:
        """A path that nothing has had."""
        return self.root / f"{name}-{next(self._count)}"

    def away(self, path: Path) -> None:
        """Get a file or folder out of the way, without the work of removing many files."""
        if path.is_file():
            path.unlink()
        elif path.exists():
            path.rename(self._away / f"{path.name}-{next(self._count)}")

    def remove(self, path: Path) -> None:
        """Remove a folder of few files now, to have its space back."""
        shutil.rmtree(path)
