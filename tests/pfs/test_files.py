# SPDX-License-Identifier: Apache-2.0
"""Reading and writing the files of commits: what is answered, and what is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah.errors import BadRequest, ErrorKind, HowdahError, NotFound, Refused
from howdah.model.refs import Branch, CommitRef, File
from howdah.pfs.writes import Copy, Delete, Put
from howdah.storage import listing
from howdah.storage.tree import diff
from tests.pfs.lakes import HEAD, IMAGES, MASTER, OpenLake, joined


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[OpenLake]:
    opened = OpenLake(tmp_path)
    yield opened
    opened.close()


def test_a_put_without_an_open_commit_is_a_commit_of_its_own(lake: OpenLake) -> None:
    """The branch is made, the commit is finished, and its size is known."""
    commit = lake.put(HEAD, "/a", b"1234")
    info = lake.pfs.catalog.commits.inspect(HEAD)

    assert commit == info.commit
    assert (4, 1) == (info.size_bytes, info.files)


def test_what_is_put_into_an_open_commit_is_read_before_it_is_finished(lake: OpenLake) -> None:
    """Readers of an open commit see its base and the changes so far; readers of the base do not."""
    base = lake.put(HEAD, "/a", b"1")
    commit = lake.pfs.catalog.commits.start(MASTER)
    lake.put(commit, "/b", b"2")

    assert {"/a": b"1", "/b": b"2"} == lake.read(commit)
    assert {"/a": b"1"} == lake.read(base)


def test_a_finished_commit_refuses_writes(lake: OpenLake) -> None:
    """Named by its id; by its branch, the write becomes the next commit."""
    commit = lake.put(HEAD, "/a", b"1")

    with pytest.raises(Refused) as error:
        lake.put(commit, "/a", b"2")

    assert ErrorKind.COMMIT_FINISHED == error.value.kind
    assert f"commit {commit} has already finished" in error.value.message


def test_a_second_finish_is_refused(lake: OpenLake) -> None:
    """And leaves the commit as it was."""
    commit = lake.pfs.catalog.commits.start(MASTER)
    lake.pfs.finisher.finish(commit, description="first")

    with pytest.raises(Refused) as error:
        lake.pfs.finisher.finish(commit, description="second")

    assert ErrorKind.COMMIT_FINISHED == error.value.kind
    assert "first" == lake.pfs.catalog.commits.inspect(commit).description


def test_a_commit_with_an_error_is_skipped_by_readers_and_children(lake: OpenLake) -> None:
    """Its own files are read by asking for them; everybody else sees its good ancestor's."""
    lake.put(HEAD, "/a", b"good")
    bad = lake.pfs.catalog.commits.start(MASTER)
    lake.put(bad, "/a", b"bad")
    lake.pfs.finisher.finish(bad, error="it went wrong")

    assert {"/a": b"good"} == lake.read(bad)
    assert b"bad" == joined(lake.pfs.files.view(bad, partial=True).get("/a"))
    lake.put(HEAD, "/b", b"next")
    assert {"/a": b"good", "/b": b"next"} == lake.read(HEAD)


def test_a_failed_stream_changes_nothing(lake: OpenLake) -> None:
    """An error in the middle of the operations leaves the branch where it was."""
    before = lake.put(HEAD, "/a", b"1")

    def operations() -> Iterator[Put]:
        yield Put("/b", [b"2"])
        raise ConnectionError

    with pytest.raises(ConnectionError):
        lake.pfs.writes.modify(HEAD, operations())

    assert before == lake.pfs.catalog.commits.resolve(HEAD)


@pytest.mark.parametrize(("first", "second"), [("/a", "/a/b"), ("/a/b", "/a")])
def test_a_path_cannot_be_a_file_and_a_directory(lake: OpenLake, first: str, second: str) -> None:
    """Whatever sorts between them; nothing is written."""
    before = lake.put_all(HEAD, {first: b"1", "/a-b": b"", "/a.c": b""})

    with pytest.raises(BadRequest) as error:
        lake.put(HEAD, second, b"2")

    assert ErrorKind.PATH_COLLISION == error.value.kind
    assert before == lake.pfs.catalog.commits.resolve(HEAD)


def test_a_collision_in_an_open_commit_is_its_error(lake: OpenLake) -> None:
    """Found when it is finished; the commit is finished with the error, which names the path."""
    commit = lake.pfs.catalog.commits.start(MASTER)
    lake.put(commit, "/a", b"1")
    lake.put(commit, "/a/b", b"2")
    lake.pfs.finisher.finish(commit)

    assert "file / directory path collision (/a)" == lake.pfs.catalog.commits.inspect(commit).error


def test_a_copy_moves_no_bytes(lake: OpenLake) -> None:
    """A folder copied to another branch refers to the same chunks, under the same hashes."""
    lake.put_all(HEAD, {"/d/a": b"1" * 100, "/d/b": b"2" * 2_000_000})
    chunks = list(lake.storage.store.list("chunk/"))
    lake.pfs.writes.modify(CommitRef(IMAGES, "dev"), [Copy(File(HEAD, "/d"), "/copy")])

    assert chunks == list(lake.storage.store.list("chunk/"))
    assert lake.read(HEAD)["/d/b"] == lake.read(CommitRef(IMAGES, "dev"))["/copy/b"]


def test_a_copy_of_the_root_goes_below_its_target(lake: OpenLake) -> None:
    """`/` copied to `/all` puts each file below /all."""
    lake.put_all(HEAD, {"/a": b"1", "/d/b": b"2"})
    lake.pfs.writes.modify(CommitRef(IMAGES, "dev"), [Copy(File(HEAD, "/"), "/all")])

    assert {"/all/a": b"1", "/all/d/b": b"2"} == lake.read(CommitRef(IMAGES, "dev"))


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, None, b"0123456789"), (3, None, b"3456789"), (3, 4, b"3456"), (20, None, b"")],
)
def test_a_byte_range_of_a_file(lake: OpenLake, offset: int, length: int | None, expected: bytes) -> None:
    """From an offset, so many bytes; past the end there are none."""
    lake.put(HEAD, "/a", b"0123456789")

    assert expected == joined(lake.pfs.files.view(HEAD).get("/a", offset=offset, length=length))


def test_a_byte_range_of_a_big_file_crosses_its_chunks(lake: OpenLake) -> None:
    """The part is the same however the file was cut."""
    data = bytes(range(256)) * 40_000
    lake.put(HEAD, "/a", data)

    assert data[5_000_000:5_000_100] == joined(lake.pfs.files.view(HEAD).get("/a", offset=5_000_000, length=100))


@pytest.mark.parametrize(
    ("path", "error", "text"),
    [
        ("/nothing", NotFound, "file /nothing not found in repo default/images at commit "),
        ("/d", Refused, "cannot get directory or non-regular file. Use GetFileTAR instead"),
        ("/d/*", Refused, "matched multiple files. Use GetFileTAR instead"),
        ("/x*", NotFound, "file /x* not found in repo default/images at commit "),
    ],
)
def test_get_of_anything_but_one_file_is_an_error(
    lake: OpenLake, path: str, error: type[HowdahError], text: str
) -> None:
    """The error comes before any byte, with the text that clients look for, on one line."""
    lake.put_all(HEAD, {"/d/a": b"1", "/d/b": b"2"})

    with pytest.raises(error) as raised:
        lake.pfs.files.view(HEAD).get(path)

    assert text in raised.value.message
    assert "\n" not in raised.value.message


def test_any_text_is_a_path(lake: OpenLake) -> None:
    """Also what a pattern would be made of: an entry of exactly that path wins."""
    files = {"/ä/ö": b"1", "/[a]*": b"2", "/a{b}": b"3", "/a b\\c": b"4", "/(x)": b"5", "/a": b"6"}
    lake.put_all(HEAD, files)
    view = lake.pfs.files.view(HEAD)

    assert files == {path: joined(view.get(path)) for path in files}


@pytest.mark.parametrize("path", ["/a/../b", "/./a", "/a\0b", "/a\nb", "/" + "x" * 256, "/", "", "/\udc80"])
def test_a_bad_path_is_refused(lake: OpenLake, path: str) -> None:
    """Each with an error of its own kind; the branch is not made."""
    with pytest.raises(BadRequest) as error:
        lake.put(HEAD, path, b"1")

    assert ErrorKind.BAD_PATH == error.value.kind
    with pytest.raises(NotFound):
        lake.pfs.catalog.branches.inspect(MASTER)


def test_a_difference_names_the_directories_above_it(lake: OpenLake) -> None:
    """Pairs of new and old, in order, for every directory whose content differs."""
    old = lake.put_all(HEAD, {"/a": b"1", "/d/b": b"1", "/d/c": b"1", "/e/f": b"1"})
    new = lake.pfs.writes.modify(HEAD, [Put("/d/b", [b"22"]), Delete("/a"), Put("/d/g/h", [b"3"])])
    views = lake.pfs.files.view(new), lake.pfs.files.view(old)
    found = [
        ((left or right).path, left is not None, right is not None)
        for left, right in diff(views[0], "/", views[1], "/")
        if left or right
    ]

    assert [
        ("/", True, True),
        ("/a", False, True),
        ("/d/", True, True),
        ("/d/b", True, True),
        ("/d/g/", True, False),
        ("/d/g/h", True, False),
    ] == found


def test_one_content_has_one_hash_wherever_it_comes_from(lake: OpenLake) -> None:
    """Put at once, in pieces, in many appends, by copy: equal bytes have equal hashes."""
    data = bytes(range(256)) * 6_000
    lake.put(HEAD, "/once", data)
    lake.pfs.writes.modify(HEAD, [Put("/pieces", [data[at : at + 1000] for at in range(0, len(data), 1000)])])
    for at in range(0, len(data), 400_000):
        lake.put(HEAD, "/appended", data[at : at + 400_000], append=True)
    lake.pfs.writes.modify(HEAD, [Copy(File(HEAD, "/appended"), "/copied")])
    view = lake.pfs.files.view(HEAD)

    assert 1 == len({view.inspect(path).hash for path in ("/once", "/pieces", "/appended", "/copied")})


def test_listing_a_file_lists_the_file(lake: OpenLake) -> None:
    """And the root of an empty commit lists nothing."""
    lake.put(HEAD, "/d/a", b"1")
    lake.pfs.catalog.branches.create(Branch(IMAGES, "empty"))

    assert ["/d/a"] == [info.path for info in lake.pfs.files.view(HEAD).list("/d/a")]
    assert [] == list(lake.pfs.files.view(CommitRef(IMAGES, "empty")).list("/"))


def test_glob_of_the_root_is_the_root(lake: OpenLake) -> None:
    """`/` matches the root directory, with all its files in its size."""
    lake.put_all(HEAD, {"/d/a": b"1", "/b": b"22"})
    found = [info for batch in lake.pfs.files.view(HEAD).glob("/") for info in listing.infos(batch)]

    assert [("/", True, 3)] == [(info.path, info.is_dir, info.size_bytes) for info in found]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/!(a)", ["/b/", "/c.txt"]),
        ("/**/!(*.txt)", ["/a/b/", "/a/b/x", "/b/x"]),
        ("/@(a/b)/x", ["/a/b/x"]),
        ("/(a/b)/?(x)", ["/a/b/x"]),
        ("/+(a|b)/*", ["/a/b/", "/b/x"]),
        ("/!(a/b)", ["/a/", "/b/", "/c.txt"]),
        ("/{a,b}/!(x)", ["/a/b/"]),
    ],
)
def test_extended_patterns_find_files_and_directories(lake: OpenLake, pattern: str, expected: list[str]) -> None:
    """Whether they are matched directory by directory or in one pass over all paths."""
    lake.put_all(HEAD, {"/a/b/x": b"1", "/a/b/y.txt": b"2", "/b/x": b"3", "/c.txt": b"4"})

    found = [info.path for batch in lake.pfs.files.view(HEAD).glob(pattern) for info in listing.infos(batch)]

    assert expected == found
