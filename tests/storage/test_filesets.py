# SPDX-License-Identifier: Apache-2.0
"""Filesets against a plain dictionary: any history of edits, and one full write, lead to the same fileset."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.errors import Damaged, ErrorKind
from howdah.model.files import FileInfo
from howdah.model.globs import Glob
from howdah.storage import listing, rows
from howdah.storage.diff import changed_paths
from howdah.storage.extents import Extents
from howdah.storage.filehash import hash_small
from howdah.storage.filesets import EMPTY_ROOT, Builder
from howdah.storage.memory_store import MemoryStore
from howdah.storage.reader import Fileset
from howdah.storage.rows import Entry
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter

NAMES = ["a", "b", "a-b", "a.txt", "ä", "z z", "0"]
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
OPERATIONS = st.one_of(
    st.tuples(st.just("put"), PATHS, st.binary(max_size=8)),
    st.tuples(st.just("append"), PATHS, st.binary(max_size=8)),
    st.tuples(st.just("delete"), PATHS, st.just(b"")),
    st.tuples(st.just("delete_directory"), PATHS, st.just(b"")),
)
HISTORIES = st.lists(st.lists(OPERATIONS, max_size=6), max_size=5)


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with Storage(MemoryStore("filesets")) as opened:
        yield opened


def write(storage: Storage, root: bytes, operations: list[tuple[str, str, bytes]]) -> bytes:
    with ChangeWriter(storage, storage.fileset(root, "a test")) as writer:
        for kind, path, data in operations:
            if kind == "delete":
                writer.delete(path)
            elif kind == "delete_directory":
                writer.delete_directory(path + "/")
            else:
                writer.put(path, [data], append=kind == "append")
        return storage.apply(root, writer.finish(), "a test").root


def follow(model: dict[str, bytes], operations: list[tuple[str, str, bytes]]) -> None:
    for kind, path, data in operations:
        if kind == "delete":
            model.pop(path, None)
        elif kind == "delete_directory":
            for below in [name for name in model if name.startswith(path + "/")]:
                del model[below]
        else:
            model[path] = (model.get(path, b"") if kind == "append" else b"") + data


def contents(storage: Storage, root: bytes) -> dict[str, bytes]:
    found = {}
    for batch in storage.fileset(root, "a test").batches():
        for entry in rows.entries(batch):
            found[entry.path] = storage.reader.read_small(entry.extents, entry.size, entry.hash, entry.path)
    return found


@given(HISTORIES)
@settings(max_examples=150, deadline=None)
def test_every_history_of_edits_equals_the_dictionary(
    storage: Storage, history: list[list[tuple[str, str, bytes]]]
) -> None:
    """Puts, appends and deletes, in any order and over any number of changes, give what a dictionary gives."""
    model: dict[str, bytes] = {}
    root = EMPTY_ROOT
    for operations in history:
        follow(model, operations)
        root = write(storage, root, operations)

    assert model == contents(storage, root)


@given(HISTORIES)
@settings(max_examples=150, deadline=None)
def test_a_history_and_one_full_write_have_one_digest(
    storage: Storage, history: list[list[tuple[str, str, bytes]]]
) -> None:
    """The digest depends on the files alone, never on how they came about."""
    model: dict[str, bytes] = {}
    root = EMPTY_ROOT
    for operations in history:
        follow(model, operations)
        root = write(storage, root, operations)
    once = write(storage, EMPTY_ROOT, [("put", path, data) for path, data in model.items()])

    assert storage.fileset(once, "a").total == storage.fileset(root, "a").total


def entry(path: str, version: int = 0) -> Entry:
    data = f"{path} {version}".encode()
    return Entry(path, "", len(data), hash_small(data), b"", Extents.one(hash_small(data), 0, len(data)))


def built(storage: Storage, paths: list[str], version: int = 0) -> Fileset:
    builder = Builder(storage.filesets, "a test")
    builder.add_rows(rows.from_entries([entry(path, version) for path in sorted(paths)]))
    return storage.fileset(builder.finish(), "a test")


MANY = [f"/d{i:02}/f{j:03}" for i in range(40) for j in range(150)]


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_edits_of_a_large_fileset_cut_where_a_full_write_cuts(storage: Storage, data: st.DataObject) -> None:
    """Also where the last path of a range is deleted: root, ranges and digests are those of a full write."""
    base = built(storage, MANY)
    lasts = [child.last for child in storage.filesets.node(base.root, "a").children]
    some = st.lists(st.sampled_from(MANY + lasts * 20), max_size=20)
    removed, added = data.draw(some), [path + "x" for path in data.draw(some)]
    operations = [("delete", path, b"") for path in removed]
    with ChangeWriter(storage, base) as writer:
        for _, path, _ in operations:
            writer.delete(path)
        writer.put_entries(entry(path) for path in added)
        root = storage.apply(base.root, writer.finish(), "a test").root

    assert built(storage, sorted((set(MANY) - set(removed)) | set(added))).root == root


def test_a_directory_has_the_digest_of_just_its_entries(storage: Storage) -> None:
    """What stands beside a directory never shows in its digest."""
    inside = [path for path in MANY if path.startswith("/d07/")]

    assert built(storage, inside).summary("/d07/") == built(storage, MANY).summary("/d07/")


def test_listing_a_directory_steps_over_what_is_below(storage: Storage) -> None:
    """Children come in order, files and directories, with the sizes of all that is below."""
    fileset = built(storage, ["/a", "/a-b", "/a/x", "/a/y/z", "/b/c"])
    found = [(info.path, info.is_dir, info.size_bytes) for info in listing.children(fileset, "/")]

    assert [("/a", False, 4), ("/a-b", False, 6), ("/a/", True, 14), ("/b/", True, 6)] == found


@pytest.mark.parametrize("after", ["", "/d03/", "/d39/"])
def test_pages_of_a_listing_begin_after_their_marker(storage: Storage, after: str) -> None:
    """A marker excludes itself and, for a directory, all that is in it."""
    fileset = built(storage, MANY)
    every = [info.path for info in listing.children(fileset, "/")]

    assert [path for path in every if path > after] == [info.path for info in listing.children(fileset, "/", after)]


def test_a_listing_backwards_is_the_listing_turned_round(storage: Storage) -> None:
    """Reverse order gives the same entries with the same sizes and hashes."""
    fileset = built(storage, [*MANY[:400], "/a", "/d00-"])
    forwards = list(listing.children(fileset, "/"))

    assert forwards[::-1] == list(listing.children_reversed(fileset, "/"))


@pytest.mark.parametrize("pattern", ["/*", "/**", "/*/f00?", "/d0[1-3]/*", "/d01/f{001,002}", "/d0*/f001", "/**/f149"])
def test_a_glob_matches_what_the_pattern_matches_one_by_one(storage: Storage, pattern: str) -> None:
    """The ways of searching (by component, by scan) agree with matching every file and directory."""
    fileset = built(storage, MANY)
    glob = Glob.parse(pattern)
    directories = {f"/d{i:02}/" for i in range(40)}
    expected = sorted(path for path in {*MANY, *directories} if glob.matches(path.rstrip("/")))
    found: list[FileInfo] = [info for batch in listing.glob(fileset, glob) for info in listing.infos(batch)]

    assert expected == [info.path for info in found]


def test_a_walk_names_every_directory_once_before_its_files(storage: Storage) -> None:
    """Depth first, in the order of the bytes of the names."""
    fileset = built(storage, ["/a/x", "/a/y/z", "/a/yy", "/b"])
    found = [info.path for batch in listing.walk(fileset, "/") for info in listing.infos(batch)]

    assert ["/", "/a/", "/a/x", "/a/y/", "/a/y/z", "/a/yy", "/b"] == found


def test_a_difference_is_found_without_reading_what_is_equal(storage: Storage) -> None:
    """One changed file among 6,000: the objects read are two, whatever the number of files."""
    old = built(storage, MANY)
    with ChangeWriter(storage, old) as writer:
        writer.put_entries([entry("/d20/f100", 1)])
        root = storage.apply(old.root, writer.finish(), "a test").root

    assert ["/d20/f100"] == list(changed_paths(old, storage.fileset(root, "a test")))


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data[:20] + b"?" + data[21:], lambda data: b""])
def test_a_damaged_range_is_named_with_what_refers_to_it(spoil: object) -> None:
    """Never wrong rows: a short, changed or empty object is an error that names it and the fileset's owner."""
    store = MemoryStore("damaged")
    with Storage(store) as storage:
        root = built(storage, MANY).root
        key = next(info.key for info in store.list("range/"))
        data = store.get(key)
        store.delete(key)
        store.put(key, spoil(data))  # type: ignore[operator]

        with pytest.raises(Damaged) as error, Storage(store) as fresh:
            list(fresh.fileset(root, "commit default/images@4f").batches())

    assert key in error.value.message
    assert "commit default/images@4f" in error.value.message
    assert ErrorKind.OBJECT_CORRUPT == error.value.kind


@pytest.mark.parametrize("paths", [["/a", "/a/b"], ["/a", "/a-b", "/a.c", "/a/b"], ["/x/y", "/x/y/z/w"]])
def test_a_path_that_is_file_and_directory_is_found(storage: Storage, paths: list[str]) -> None:
    """Whatever sorts between the file and what is below the directory of its name."""
    for last in paths:
        base = write(storage, EMPTY_ROOT, [("put", path, b"1") for path in paths if path != last])
        with ChangeWriter(storage, storage.fileset(base, "a test")) as writer:
            writer.put(last, [b"2"])
            change = writer.finish()
        root = storage.apply(base, change, "a test").root

        assert f"file / directory path collision ({paths[0]})" == storage.fault(base, root, "a test") or last not in (
            paths[0],
            paths[-1],
        )
