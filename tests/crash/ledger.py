# SPDX-License-Identifier: Apache-2.0
"""What a writer asked for and what was acknowledged, line by line; and what a branch may hold after that.

Writer and checker read the same lines. An operation that was begun and neither acknowledged nor settled is *pending*:
the server may have done all of it or nothing. Everything else is certain. Contents are made from a seed, so
a line is short however large the file.
"""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

# A file's content: pieces, each so many random bytes of a seed.
Content = tuple[tuple[int, int], ...]
Files = dict[str, Content]


@lru_cache(maxsize=256)
def piece(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def content_bytes(content: Content) -> bytes:
    return b"".join(piece(seed, size) for seed, size in content)


def changed(files: Files, changes: list[list[Any]]) -> Files:
    """Files after put [path, seed, size], append [path, seed, size], copy [path, source] and delete [path]."""
    after = dict(files)
    for kind, path, *rest in changes:
        if kind == "put":
            after[path] = ((rest[0], rest[1]),)
        elif kind == "append":
            after[path] = (*after.get(path, ()), (rest[0], rest[1]))
        elif kind == "copy":
            after[path] = after[rest[0]]
        else:
            after.pop(path, None)
    return after


@dataclass(frozen=True)
class Version:
    """A commit of a branch; its id is None until somebody has looked."""

    id: str | None
    is_open: bool
    files: Files


@dataclass(frozen=True)
class History:
    """The commits of a branch, oldest first."""

    versions: tuple[Version, ...] = ()

    @property
    def files(self) -> Files:
        return self.versions[-1].files if self.versions else {}

    @property
    def is_open(self) -> bool:
        return bool(self.versions) and self.versions[-1].is_open

    def after(self, operation: dict[str, Any], commit: str | None = None) -> "History":
        kind = operation["op"]
        if kind == "start":
            return self._with(Version(commit, True, self.files))
        if kind == "finish":
            return self._last(is_open=False)
        if kind == "squash":
            return History((*self.versions[: operation["at"]], *self.versions[operation["at"] + 1 :]))
        if kind == "drop":
            return History(self.versions[:-1])
        files = changed(self.files, operation["changes"])
        return self._last(files=files) if self.is_open else self._with(Version(commit, False, files))

    def named(self, ids: list[str]) -> "History":
        return History(tuple(replace(each, id=id) for each, id in zip(self.versions, ids, strict=True)))

    def fits(self, found: list[tuple[str, bool]]) -> bool:
        """Whether these commits (id, open) can be this history's."""
        return len(found) == len(self.versions) and all(
            each.id in (None, id) and each.is_open == is_open
            for each, (id, is_open) in zip(self.versions, found, strict=True)
        )

    def _with(self, version: Version) -> "History":
        return History((*self.versions, version))

    def _last(self, **new: Any) -> "History":
        return History((*self.versions[:-1], replace(self.versions[-1], **new)))


@dataclass
class Ledger:
    """The lines of one writer, and the histories of its branches that follow from them."""

    path: Path
    histories: dict[str, History] = field(default_factory=dict)
    pending: dict[str, Any] | None = None
    acknowledged: int = 0
    _read: int = 0

    def update(self) -> None:
        """Take what was written since the last time."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                self._take(json.loads(line))
            self._read = file.tell()

    def append(self, line: dict[str, Any]) -> None:
        """Write a line durably, and take it."""
        text = json.dumps(line) + "\n"
        with self.path.open("ab") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        self._read += len(text)
        self._take(line)

    def possible(self, branch: str) -> Iterator[tuple[bool, History]]:
        """What the branch may be by now: without the pending operation or, if one is pending on it, with it."""
        history = self.histories[branch]
        yield False, history
        if self.pending is not None and self.pending["branch"] == branch:
            yield True, history.after(self.pending)

    def settle(self, branch: str, done: bool, history: History) -> None:
        """Fix what was found for a branch, and write down what became of an operation that was pending on it."""
        if self.pending is not None and self.pending["branch"] == branch:
            self.append({"done": ""} if done else {"lost": self.pending["op"]})
        self.histories[branch] = history

    def _take(self, line: dict[str, Any]) -> None:
        if "op" in line:
            assert self.pending is None
            self.pending = line
        elif "done" in line:
            assert self.pending is not None
            branch = self.pending["branch"]
            self.histories[branch] = self.histories[branch].after(self.pending, line["done"] or None)
            self.pending = None
            self.acknowledged += 1
        elif "lost" in line:
            self.pending = None
        elif "branch" in line:
            self.histories[line["branch"]] = History()
