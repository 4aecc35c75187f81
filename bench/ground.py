# SPDX-License-Identifier: Apache-2.0
"""What rows measure on: the folder, the sizes, and the data and lakes that several rows share.

These are made when they are first asked for, which is not measured.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TypeVar, cast

from bench import data
from bench.lakes import HOWDAH, Lake
from bench.machine import touch_memory
from bench.pairs import timed
from bench.place import Place
from bench.scale import Scale

__all__ = ["Ground", "quiet", "shell"]

T = TypeVar("T")


class Ground:
    """Used inside a `with` block, whose end stops every server."""

    def __init__(self, place: Place, scale: Scale, *, peers: bool = False) -> None:
        self.place = place
        self.scale = scale
        self.peers = peers
        """Whether programs of others that are not on this machine may be installed to be measured too."""
        self._stack = ExitStack()
        self._shared: dict[str, object] = {}

    def __enter__(self) -> "Ground":
        if not Path(HOWDAH).exists():
            raise SystemExit(f"there is no {HOWDAH}; make it: make install")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def shared(self, name: str, make: Callable[[], T]) -> T:
        """What `make` made when this name was first asked for."""
        if name not in self._shared:
            self.say(f"making {name}")
            begin = time.perf_counter()
            self._shared[name] = make()
            self.say(f"made {name} in {time.perf_counter() - begin:.1f} s")
        return cast(T, self._shared[name])

    def say(self, text: str) -> None:
        """What goes on, for whoever watches."""
        print(f"  … {text}", file=sys.stderr, flush=True)

    def big_file(self) -> Path:
        """The big file that nothing shrinks; read once, so that it is in memory as the baseline's is."""
        path = self.shared("the big file", lambda: data.big_file(self.place.root / "big", self.scale.file_bytes))
        shell("cat big > /dev/null", path.parent)
        return path

    def tree(self) -> Path:
        """The tree of small files, warm."""
        path = self.shared("the tree of small files", lambda: data.tree(self.place.root / "tree", self.scale.files))
        shell("tar cf - tree | cat > /dev/null", path.parent)
        return path

    def timed(self, work: Callable[[], object], moved: int) -> float:
        """The seconds of work that writes `moved` bytes, on a quiet disk and with memory for them at hand."""
        quiet()
        touch_memory(moved + moved // 8)
        return timed(work)

    def size(self, source: Path) -> int:
        """The bytes of the big file, or of the tree's files."""
        return self.scale.file_bytes if source.is_file() else self.scale.files * data.FILE_BYTES

    @contextmanager
    def fresh_lake(self, *repos: str) -> Iterator[Lake]:
        """A server over a new root with some repos, removed with what it stored when the block ends."""
        root = self.place.fresh("lake")
        with Lake.running(root) as lake:
            for repo in repos:
                lake.howdah("create", "repo", repo)
            yield lake
        shutil.rmtree(root)

    def lake(self, name: str, fill: Callable[[Lake], None], *options: str) -> Lake:
        """A server that lives as long as the run, filled once; with more options of its command."""

        def make() -> Lake:
            lake = self._stack.enter_context(Lake.running(self.place.root / f"lake-{name}", *options))
            fill(lake)
            return lake

        return self.shared(f"the lake of {name}", make)


def quiet() -> None:
    """Let the disk take what earlier work left for it, so that nobody else pays for it."""
    subprocess.run(["sync"], check=True)


def shell(command: str, folder: Path) -> None:
    """Run a line of shell in a folder to its end.

    Raises:
        RuntimeError: it ended badly; with what it said.
    """
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.strip()[-600:]}")
