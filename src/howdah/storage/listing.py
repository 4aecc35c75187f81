# SPDX-License-Identifier: Apache-2.0
"""Listings of a fileset: the children of a directory, page by page, a walk, and what a pattern matches.

Directories are not stored; they are what paths imply. They are named with a slash at the end, and
everything is in the order of the bytes of these names. Many files come as columns (path, size, hash).
"""

import re
from collections.abc import Generator, Iterator
from itertools import compress, islice
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from howdah.model.files import FileInfo
from howdah.model.globs import Glob
from howdah.storage import rows
from howdah.storage.reader import Cursor, Fileset, interval

__all__ = [
    "COLUMNS",
    "children",
    "children_reversed",
    "columns",
    "glob",
    "infos",
    "inspect",
    "matching",
    "opened_directories",
    "walk",
]

COLUMNS: Final = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.uint64(), nullable=False),
        pa.field("hash", pa.binary(32), nullable=False),
    ]
)

# Rows of one batch of a listing that is made of single values.
_BATCH: Final = 1000


def infos(batch: pa.RecordBatch) -> list[FileInfo]:
    """The columns of a listing as values."""
    paths, sizes, hashes = (column.to_pylist() for column in batch.columns)
    return [FileInfo(p, p.endswith("/"), s, h) for p, s, h in zip(paths, sizes, hashes, strict=True)]


def columns(found: list[FileInfo]) -> pa.RecordBatch:
    """The columns of some values."""
    values = [[f.path for f in found], [f.size_bytes for f in found], [f.hash for f in found]]
    arrays = [pa.array(v, type=field.type) for v, field in zip(values, COLUMNS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=COLUMNS)


def inspect(fileset: Fileset, path: str) -> FileInfo | None:
    """The file of that path, or the directory if there is no such file; None if neither is there."""
    directory = path if path.endswith("/") else path + "/"
    if not path.endswith("/") and (entries := fileset.find(path)):
        return FileInfo(path, False, sum(e.size for e in entries), entries[-1].hash)
    summary = fileset.summary(directory)
    return None if summary is None else FileInfo(directory, True, summary.size, summary.digest)


def children(fileset: Fileset, directory: str, after: str = "") -> Iterator[FileInfo]:
    """What lies directly in `directory` (ending in a slash), in order, beginning after the name `after`."""
    lower, upper = interval(directory)
    cursor = Cursor(fileset, max(lower, _behind(after)) if after else lower, upper)
    while (rest := cursor.rest()) is not None:
        batch, begin = rest
        end = yield from _files_until_directory(batch, begin, directory)
        if end > begin:
            cursor.done(end)
        else:
            path = rows.path_at(batch, begin)
            name = path[: path.index("/", len(directory)) + 1]
            summary = cursor.take_directory(name)
            yield FileInfo(name, True, summary.size, summary.digest)


def _files_until_directory(batch: pa.RecordBatch, begin: int, directory: str) -> Generator[FileInfo, None, int]:
    """Yield the files directly in `directory` from row `begin` on; answer the index of the first other row."""
    at = begin
    step = 16
    while at < batch.num_rows:
        part = batch.slice(at, step)
        paths, sizes, hashes = (part.column(index).to_pylist() for index in (0, 2, 3))
        for path, size, hash_ in zip(paths, sizes, hashes, strict=True):
            if path.find("/", len(directory)) >= 0:
                return at
            yield FileInfo(path, False, size, hash_)
            at += 1
        step = _BATCH
    return at


def _behind(name: str) -> str:
    """The least path after everything that `name` lists."""
    return interval(name)[1] if name.endswith("/") else name + "\0"


def children_reversed(fileset: Fileset, directory: str, before: str = "") -> Iterator[FileInfo]:
    """What lies directly in `directory`, from the last to the first, beginning before the name `before`."""
    lower, upper = interval(directory)
    upper = before or upper
    while (path := last_before(fileset, lower, upper)) is not None:
        slash = path.find("/", len(directory))
        name = path if slash < 0 else path[: slash + 1]
        found = inspect(fileset, name)
        assert found is not None
        yield found
        upper = name


def last_before(fileset: Fileset, lower: str, upper: str) -> str | None:
    """The greatest path with `lower <= path < upper`; None if there is none."""
    name = fileset.root
    node = fileset.filesets.node(name, fileset.referrer)
    while True:
        found = [child for child in node.children if child.first < upper]
        if not found:
            return None
        child = found[-1]
        if child.level == 0:
            break
        node = fileset.filesets.node(child.name, fileset.referrer)
    batch = fileset.filesets.rows(child.name, fileset.referrer)
    end = rows.bounds(batch, "", upper)[1]
    path = rows.path_at(batch, end - 1)
    return path if path >= lower else None


def walk(fileset: Fileset, path: str, after: str = "") -> Iterator[pa.RecordBatch]:
    """Columns of everything at and below `path`, directories included, beginning after the name `after`."""
    directory = path if path.endswith("/") else path + "/"
    own = [] if path.endswith("/") else fileset.find(path)
    if own and (not after or path > after):
        yield columns([FileInfo(path, False, sum(e.size for e in own), own[-1].hash)])
    yield from _scan(fileset, directory, None, after)


def glob(fileset: Fileset, pattern: Glob) -> Iterator[pa.RecordBatch]:
    """Columns of all files and directories that match `pattern`, in order; a file of exactly that path wins."""
    exact = inspect(fileset, pattern.literal) if pattern.literal is not None else None
    if exact is not None:
        yield columns([exact])
    elif pattern.literal is None:
        parts = pattern.pattern.strip("/").split("/")
        if pattern.is_flat and (len(parts) == 1 or _plain(parts[-1])):
            yield from _batched(_by_component(fileset, "/", parts, pattern))
        else:
            yield from _scan(fileset, _directory_of(pattern.prefix), pattern, "")


def _directory_of(prefix: str) -> str:
    return prefix[: prefix.rindex("/") + 1] if "/" in prefix else "/"


def _plain(component: str) -> bool:
    return not re.search(r"[*?\[\]{}()\\@!+]", component)


def _batched(found: Iterator[FileInfo]) -> Iterator[pa.RecordBatch]:
    some: list[FileInfo] = []
    for info in found:
        some.append(info)
        if len(some) == _BATCH:
            yield columns(some)
            some = []
    if some:
        yield columns(some)


def _by_component(fileset: Fileset, directory: str, parts: list[str], pattern: Glob) -> Iterator[FileInfo]:
    """Match component by component: reads only the directories on the way."""
    head, rest = parts[0], parts[1:]
    if _plain(head):
        found = inspect(fileset, directory + head) if not rest else None
        if found is not None and pattern.matches(found.path.rstrip("/")):
            yield found
        if rest:
            yield from _by_component(fileset, f"{directory}{head}/", rest, pattern)
    elif not rest:
        yield from _matching_children(fileset, directory, pattern)
    else:
        match = Glob.parse("/" + head)
        for name in _directories(fileset, directory):
            if match.matches("/" + name[len(directory) : -1]):
                yield from _by_component(fileset, name, rest, pattern)


def _matching_children(fileset: Fileset, directory: str, pattern: Glob) -> Iterator[FileInfo]:
    """What lies directly in a directory and matches; many are asked at once, which costs a tenth for each."""
    found = children(fileset, directory)
    while some := list(islice(found, _BATCH)):
        paths = [info.path.rstrip("/") for info in some]
        if pattern.regex_is_exact and len(paths) > 1:
            yield from compress(some, pc.match_substring_regex(pa.array(paths, pa.string()), pattern.regex).to_pylist())
        else:
            yield from (info for info, path in zip(some, paths, strict=True) if pattern.matches(path))


def _directories(fileset: Fileset, directory: str) -> Iterator[str]:
    lower, upper = interval(directory)
    while (path := Cursor(fileset, lower, upper).first()) is not None:
        slash = path.find("/", len(directory))
        if slash < 0:
            lower = path + "\0"
        else:
            yield path[: slash + 1]
            lower = interval(path[: slash + 1])[1]


def _scan(fileset: Fileset, directory: str, pattern: Glob | None, after: str) -> Iterator[pa.RecordBatch]:
    """Columns of what lies below `directory` and matches, in one pass over the rows."""
    lower, upper = interval(directory)
    seen = directory if after and after >= directory else ""
    if after:
        lower = max(lower, after + "\0")
        seen = after[: after.rindex("/") + 1]
    for batch in fileset.batches(lower, upper):
        opened = list(opened_directories(batch, seen, directory))
        seen = _directory_of(rows.path_at(batch, -1))
        at = 0
        for index, name in opened:
            if pattern is None or pattern.matches(name.rstrip("/") or "/"):
                yield from matching(batch, at, index, pattern)
                at = index
                summary = fileset.summary(name)
                assert summary is not None
                yield columns([FileInfo(name, True, summary.size, summary.digest)])
        yield from matching(batch, at, batch.num_rows, pattern)


def matching(batch: pa.RecordBatch, begin: int, end: int, pattern: Glob | None) -> Iterator[pa.RecordBatch]:
    """Columns of those files among the rows begin..end that match; nothing where none does."""
    if begin == end:
        return
    part = batch.slice(begin, end - begin)
    found = pa.RecordBatch.from_arrays([part.column(0), part.column(2), part.column(3)], schema=COLUMNS)
    if pattern is not None:
        found = found.filter(pc.match_substring_regex(found.column(0), pattern.regex))
        if not pattern.regex_is_exact:
            found = found.filter(pa.array([pattern.matches(path) for path in found.column(0).to_pylist()], pa.bool_()))
    if found.num_rows:
        yield found


def opened_directories(batch: pa.RecordBatch, seen: str, base: str) -> Iterator[tuple[int, str]]:
    """The directories at or below `base` that begin in this batch, with the row that opens each.

    `seen` is the directory of the path before the batch: it and those above it are open already.
    """
    if not batch.num_rows:
        return
    paths = batch.column(0)
    first, last = rows.path_at(batch, 0), rows.path_at(batch, -1)
    slashes = pc.min_max(pc.count_substring(paths, "/"))
    flat = slashes["min"].as_py() == slashes["max"].as_py() and _directory_of(first) == _directory_of(last)
    for index, path in enumerate([first] if flat else paths.to_pylist()):
        if path.startswith(seen) and path.find("/", len(seen)) < 0 and seen:
            continue
        here = _directory_of(path)
        for slash in range(len(base) - 1, len(here)):
            if here[slash] == "/" and not seen.startswith(here[: slash + 1]):
                yield index, here[: slash + 1]
        seen = here
