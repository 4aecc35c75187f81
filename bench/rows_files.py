# SPDX-License-Identifier: Apache-2.0
"""Rows about putting and getting a big file and a tree of small ones by the command, beside `cp`.

Both sides end when the bytes are durable: the baseline with `sync`, ours by the command itself. Each put goes into a
new lake, since the second put of the same bytes would store nothing.
"""

import os
from functools import partial
from pathlib import Path

from bench.figures import Figure, Row
from bench.ground import Ground, shell
from bench.lakes import HOWDAH, Lake
from bench.pairs import alternate, timed

__all__ = ["ROWS"]

MIB = 1 << 20
_COPY_TREE = "cp -r --reflink=never {source} {target} && sync"
_COPY_FILE = "cp --reflink=never {source} {target} && sync {target}"


def put_big(ground: Ground) -> list[Figure]:
    """`howdah put file` of the big file beside `cp` and an fsync of the copy."""
    source = ground.big_file()

    def ours(_: int) -> float:
        with ground.fresh_lake("bench") as lake:
            return ground.timed(
                lambda: lake.howdah("put", "file", "bench@master:/big", "-f", source), ground.size(source)
            )

    def baseline(_: int) -> float:
        return copied(ground, source, _COPY_FILE)

    return [alternate(baseline, ours, pairs=ground.scale.pairs).figure(at_most=1.5)]


def put_tree(ground: Ground) -> list[Figure]:
    """`howdah put file -r` of the tree beside `cp -r` and `sync`."""
    source = ground.tree()

    def ours(_: int) -> float:
        with ground.fresh_lake("bench") as lake:
            return ground.timed(
                lambda: lake.howdah("put", "file", "bench@master:/", "-r", "-f", source), ground.size(source)
            )

    def baseline(_: int) -> float:
        return copied(ground, source, _COPY_TREE)

    return [alternate(baseline, ours, pairs=ground.scale.pairs).figure(at_most=1.0)]


def put_tree_again(ground: Ground) -> list[Figure]:
    """Change one file of the tree and put all of it over what is there; what the store and the database grow by."""
    lake = files_lake(ground)
    changed = ground.tree() / "000" / "001.txt"
    changed.write_bytes(os.urandom(5_000))
    return [grown(lake, MIB, "put", "file", "tree@master:/", "-r", "-f", ground.tree())]


def get_both(ground: Ground) -> list[Figure]:
    """`howdah get file` of the big file and of the tree, each beside its copy; what came is compared once."""
    lake = files_lake(ground)
    lake.howdah("put", "file", "tree@master:/", "-r", "-f", ground.tree())
    wholes = (
        ("the big file", ground.big_file(), 1.2, _COPY_FILE, "big@master:/big -o {target} && sync {target}"),
        ("the tree", ground.tree(), 1.5, _COPY_TREE, "tree@master:/ -r -o {target} && sync"),
    )
    figures = []
    for label, source, at_most, copy, get in wholes:
        line = f"HOWDAH_ADDRESS={lake.address} {HOWDAH} get file {get}"
        compared = copied(ground, source, line, compare=True)
        ground.say(f"{label} came whole, the first time in {compared:.2f} s")
        baseline, ours = partial(_numbered, ground, source, copy), partial(_numbered, ground, source, line)
        figures.append(alternate(baseline, ours, pairs=ground.scale.pairs).figure(at_most, label))
    return figures


def append(ground: Ground) -> list[Figure]:
    """`howdah put file -a` of 1 MiB onto a copy of the big file."""
    lake = files_lake(ground)
    more = ground.place.fresh("more")
    more.write_bytes(os.urandom(MIB))
    with lake.client() as client:
        client.copy_file("big@master:/big", "big@master", "/appended")
    return [grown(lake, 1.1 * MIB, "put", "file", "big@master:/appended", "-a", "-f", more)]


def insert(ground: Ground) -> list[Figure]:
    """Put the big file anew with 100 bytes inserted in its middle."""
    lake = files_lake(ground)
    source, target = ground.big_file(), ground.place.fresh("inserted")
    middle = source.stat().st_size // 2
    (ground.place.root / "hundred").write_bytes(os.urandom(100))
    shell(f"(head -c {middle} {source} && cat hundred && tail -c +{middle + 1} {source}) > {target}", target.parent)
    figure = grown(lake, 1.5 * MIB, "put", "file", "big@master:/big", "-f", target)
    target.unlink()
    lake.howdah("put", "file", "big@master:/big", "-f", source)
    return [figure]


def grown(lake: Lake, at_most: float, *arguments: str | Path) -> Figure:
    """Run the command; what the store and the database grow by."""
    objects, database = lake.object_bytes(), lake.database_bytes()
    seconds = timed(lambda: lake.howdah(*arguments))
    objects, database = lake.object_bytes() - objects, lake.database_bytes() - database
    note = f"{objects:,} bytes of objects and {database:,} of the database, in {seconds:.2f} s"
    return Figure("newly stored", objects + database, "bytes", at_most=at_most, note=note)


def files_lake(ground: Ground) -> Lake:
    """The lake that holds the big file and the tree, each in a repo of its own."""
    big, tree = ground.big_file(), ground.tree()

    def fill(lake: Lake) -> None:
        for repo in ("big", "tree"):
            lake.howdah("create", "repo", repo)
        lake.howdah("put", "file", "big@master:/big", "-f", big)
        lake.howdah("put", "file", "tree@master:/", "-r", "-f", tree)

    return ground.lake("files", fill)


def _numbered(ground: Ground, source: Path, line: str, _: int) -> float:
    return copied(ground, source, line)


def copied(ground: Ground, source: Path, line: str, *, compare: bool = False) -> float:
    """The seconds that a line of shell takes which makes `{target}` of `{source}`, or of what equals it."""
    target = ground.place.fresh("copy")
    seconds = ground.timed(lambda: shell(line.format(source=source, target=target), target.parent), ground.size(source))
    if compare:
        shell(f"diff -rq {source} {target}", target.parent)
    ground.place.away(target)
    return seconds


ROWS = [
    Row("put-big", "put one 2 GiB incompressible file, durably", "`cp` + fsync of the same", put_big),
    Row("put-tree", "put 100,000 files of 1 to 10 KB, durably", "`cp -r` + sync of the same, warm cache", put_tree),
    Row("put-again", "put the same 100,000 again with one changed: bytes newly stored", "", put_tree_again),
    Row("get", "get both back", "`cp` + fsync, `cp -r` + sync", get_both),
    Row("append", "append 1 MiB to the 2 GiB file, commit: bytes newly stored", "", append),
    Row("insert", "re-put the 2 GiB file with 100 bytes inserted in the middle: bytes newly stored", "", insert),
]
