# SPDX-License-Identifier: Apache-2.0
"""Lazy and empty inputs: what user code finds, what is downloaded, and what a link to it means."""

import os
import stat
import threading

import pytest

from howdah.errors import BadRequest, Damaged, ErrorKind
from howdah.storage.writer import ChangeWriter
from howdah.worker.collect import collect
from howdah.worker.link import claim_of
from howdah.worker.materialise import Materialiser
from howdah.worker.pipes import feeding
from howdah.worker.values import Datum, Match
from tests.worker.scripted import Lake

FILES = {"/a": b"one", "/d/b": b"two" * 100_000, "/d/empty": b""}
WHOLE = Datum("d", (Match("in", "/"),))
NEVER = 0


def spec(**flags):
    return {"input": {"pfs": {"repo": "in", "glob": "/", **flags}}}


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path)
    yield lake
    lake.storage.close()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "pfs"
    (folder / "out").mkdir(parents=True)
    (folder / "in").mkdir()
    return folder


def prepared(lake, folder, **flags):
    """The claim, its materialiser, the bytes that were written and the pipes that were made."""
    claim = lake.value({"in": FILES}, [], **spec(**flags))
    materialiser = Materialiser(lake.storage, claim)
    pipes = []
    return claim, materialiser, materialiser.prepare(WHOLE, str(folder), pipes), pipes


def collected(lake, claim, folder, began_ns=NEVER):
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "nothing")) as writer:
        found = collect(lake.storage, writer, claim, "d", str(folder), began_ns)
        root = lake.storage.apply(None, writer.finish(), "test").root
    assert found.bytes == sum(entry.size for entry in lake.entries(root))
    return root


def test_empty_files_have_names_alone(lake, folder):
    """Nothing is read, and each name is there, at any depth."""
    _, _, size, pipes = prepared(lake, folder, emptyFiles=True)

    assert (0, []) == (size, pipes)
    assert {(folder / f"in{path}").stat().st_size for path in FILES} == {0}


def test_a_link_to_an_empty_file_is_the_whole_file(lake, folder):
    """Files are put in another order without moving a byte: the output has the input's extents."""
    claim, *_ = prepared(lake, folder, emptyFiles=True)
    (folder / "out/x").mkdir()
    os.symlink("/pfs/in/d/b", folder / "out/x/b")
    os.symlink("/pfs/in/a", folder / "out/a")
    os.symlink("/pfs/in/d/empty", folder / "out/none")

    root = collected(lake, claim, folder)

    before = {entry.path: entry.extents for entry in lake.entries(claim.inputs["in"].root)}
    after = {entry.path: entry.extents for entry in lake.entries(root)}
    assert {"/a": before["/a"], "/none": before["/d/empty"], "/x/b": before["/d/b"]} == after


def test_an_empty_file_that_was_written_is_what_was_written(lake, folder):
    """User code owns its folder; a file of its own among them is its own, too."""
    claim, *_ = prepared(lake, folder, emptyFiles=True)
    (folder / "in/a").write_bytes(b"mine")
    (folder / "in/new").touch()
    os.symlink("/pfs/in/a", folder / "out/a")
    os.symlink("/pfs/in/new", folder / "out/new")

    root = collected(lake, claim, folder)

    assert {"/a": b"mine", "/new": b""} == lake.read(root)


def test_a_lazy_file_is_a_pipe_that_is_fed_when_it_is_opened(lake, folder):
    """Several side by side, in any order; empty ones end at once; what nobody opens is not read."""
    _, materialiser, size, pipes = prepared(lake, folder, lazy=True)

    with (
        feeding(materialiser, str(folder), pipes) as fed,
        open(folder / "in/d/b", "rb") as big,
        open(folder / "in/d/empty", "rb") as empty,
    ):
        beginning = big.read(3)
        nothing = empty.read()
        rest = big.read()

    assert (0, 3) == (size, len(pipes))
    assert (b"two", b"", FILES["/d/b"][3:]) == (beginning, nothing, rest)
    assert (len(FILES["/d/b"]), None) == (fed.bytes, fed.error)
    assert stat.S_ISFIFO((folder / "in/a").lstat().st_mode)


def test_a_lazy_file_can_be_read_once(lake, folder):
    """Whoever opens it again is told at once, and does not wait for ever."""
    _, materialiser, _, pipes = prepared(lake, folder, lazy=True)

    with feeding(materialiser, str(folder), pipes):
        first = (folder / "in/a").read_bytes()
        with pytest.raises(OSError, match="No such device or address") as error:
            (folder / "in/a").read_bytes()

    assert (b"one", 6) == (first, error.value.errno)


def test_a_reader_that_leaves_early_is_no_error(lake, folder):
    """It has seen enough; no more than what was taken counts."""
    _, materialiser, _, pipes = prepared(lake, folder, lazy=True)

    with feeding(materialiser, str(folder), pipes) as fed, open(folder / "in/d/b", "rb", buffering=0) as big:
        beginning = big.read(3)

    assert (b"two", None) == (beginning, fed.error)
    assert fed.bytes < len(FILES["/d/b"])


def test_a_reader_that_takes_nothing_holds_nobody_up(lake, folder):
    """A process that stays up may keep a pipe open: the feeder ends with the try."""
    _, materialiser, _, pipes = prepared(lake, folder, lazy=True)
    with feeding(materialiser, str(folder), pipes):
        big = os.open(folder / "in/d/b", os.O_RDONLY)

    os.close(big)

    assert not [each for each in threading.enumerate() if each.name == "feed-pipe"]


def test_bytes_that_are_damaged_are_an_error_of_the_try(lake, folder):
    """The reader sees an end too early; the try is not believed."""
    _, _, _, pipes = prepared(lake, folder, lazy=True)

    class Broken:
        def content(self, pipe):
            yield b"tw"
            raise Damaged(ErrorKind.OBJECT_CORRUPT, "it is damaged")

    with feeding(Broken(), str(folder), pipes) as fed:
        seen = (folder / "in/d/b").read_bytes()

    assert (b"tw", "it is damaged") == (seen, fed.error.message)


def test_nothing_is_written_through_what_user_code_puts_in_the_way(lake, folder, tmp_path):
    """A link or a file under a pipe's name gets nothing."""
    _, materialiser, _, pipes = prepared(lake, folder, lazy=True)
    other = tmp_path / "other"
    other.write_bytes(b"other")
    os.unlink(folder / "in/a")
    os.symlink(other, folder / "in/a")
    os.rename(folder / "in/d", folder / "in/was")
    os.symlink(tmp_path, folder / "in/d")
    (tmp_path / "b").write_bytes(b"mine")

    with feeding(materialiser, str(folder), pipes) as fed:
        fed.took(0)

    assert (b"other", b"mine", 0) == (other.read_bytes(), (tmp_path / "b").read_bytes(), fed.bytes)


def test_a_link_to_a_lazy_file_is_the_whole_file(lake, folder):
    """Whether it was read or not; nothing is downloaded for it."""
    claim, materialiser, _, pipes = prepared(lake, folder, lazy=True)
    with feeding(materialiser, str(folder), pipes):
        (folder / "in/a").read_bytes()
    os.symlink("/pfs/in", folder / "out/all")

    root = collected(lake, claim, folder)

    before = {f"/all{entry.path}": entry.extents for entry in lake.entries(claim.inputs["in"].root)}
    assert before == {entry.path: entry.extents for entry in lake.entries(root)}


def test_a_pipe_of_user_code_is_no_output(lake, folder):
    """Among lazy inputs as elsewhere."""
    claim, *_ = prepared(lake, folder, lazy=True)
    os.mkfifo(folder / "in/mine")
    os.symlink("/pfs/in/mine", folder / "out/mine")

    with pytest.raises(BadRequest) as error:
        collected(lake, claim, folder)

    assert "/pfs/in/mine is a named pipe, which no repo can hold" in error.value.message


def test_a_file_in_parts_keeps_all_of_them(lake, folder, tmp_path):
    """What several datums of an earlier pipeline appended to one path is one file for a link, too."""
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "nothing")) as writer:
        writer.put_small([("/log", b"one ")], datum="x", append=True)
        writer.put_small([("/log", b"two")], datum="y", append=True)
        parts = lake.storage.apply(None, writer.finish(), "test").root
    answer = lake.claim({"in": {}}, [], **spec(emptyFiles=True))
    answer.inputs[0].root = parts
    claim = claim_of(answer)
    Materialiser(lake.storage, claim).prepare(WHOLE, str(folder))
    os.symlink("/pfs/in/log", folder / "out/log")

    root = collected(lake, claim, folder)

    assert {"/log": b"one two"} == lake.read(root)
