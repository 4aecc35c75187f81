# SPDX-License-Identifier: Apache-2.0
"""What user code left in `/pfs/out` becomes the datum's output, or the error says what cannot be one."""

import os
import random
import socket
import time

import pytest

from howdah.errors import BadRequest, ErrorKind
from howdah.storage.writer import ChangeWriter
from howdah.worker.collect import collect
from howdah.worker.materialise import Materialiser
from howdah.worker.values import Datum, Match
from tests.worker.scripted import Lake

FILES = {"/a": b"one", "/d/b": b"two", "/d/e/c": b"three"}
NEVER = 0  # before any file was made: none counts as untouched
LATER = 1 << 62  # after every change: all count as untouched


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path)
    yield lake
    lake.storage.close()


@pytest.fixture
def claim(lake):
    return lake.value({"in": FILES}, [])


@pytest.fixture
def folder(lake, claim, tmp_path):
    """A datum's folder that has all inputs."""
    folder = tmp_path / "pfs"
    (folder / "out").mkdir(parents=True)
    (folder / "in").mkdir()
    Materialiser(lake.storage, claim).prepare(Datum("d", (Match("in", "/"),)), str(folder))
    return folder


def collected(lake, claim, folder, began_ns=NEVER, datum="d"):
    """The root of what is collected."""
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "nothing")) as writer:
        found = collect(lake.storage, writer, claim, datum, str(folder), began_ns)
        root = lake.storage.apply(None, writer.finish(), "test").root
    entries = lake.entries(root)
    assert (len(entries), sum(entry.size for entry in entries)) == found
    return root


def test_files_of_all_sizes_are_tagged_with_their_datum(lake, claim, folder):
    """Small, empty and big ones, at their paths below out; empty folders leave no trace."""
    big = random.Random(5).randbytes(2 << 20)
    (folder / "out/x/y").mkdir(parents=True)
    (folder / "out/x/none").mkdir()
    (folder / "out/x/y/small").write_bytes(b"s")
    (folder / "out/x/empty").touch()
    (folder / "out/big").write_bytes(big)

    root = collected(lake, claim, folder)

    assert {("/x/y/small", "d"): b"s", ("/x/empty", "d"): b"", ("/big", "d"): big} == lake.read_tagged(root)


def test_an_empty_out_is_no_error(lake, claim, folder):
    """A datum may have nothing to say."""
    root = collected(lake, claim, folder)

    assert {} == lake.read(root)


@pytest.mark.parametrize("target", ["/pfs/in/a", "../in/a", "../../pfs/in/a", "hop", "REAL/in/a"])
@pytest.mark.parametrize("began_ns", [NEVER, LATER], ids=["by content", "by reference"])
def test_a_link_to_an_input_is_that_file(lake, claim, folder, target, began_ns):
    """Absolute, relative, over another link, and by the folder's real path; the link's name is the path."""
    os.symlink("../in/./d/../a", folder / "in/hop")
    os.symlink("/pfs/in/hop", folder / "out/hop")
    os.symlink(target.replace("REAL", str(folder)), folder / "out/link")

    root = collected(lake, claim, folder, began_ns)

    assert {"/link": b"one", "/hop": b"one"} == lake.read(root)


def test_a_link_to_an_untouched_input_moves_no_bytes(lake, claim, folder):
    """The output has the extents that the input has."""
    os.symlink("/pfs/in", folder / "out/all")

    root = collected(lake, claim, folder, LATER)

    before = {f"/all{entry.path}": entry.extents for entry in lake.entries(claim.inputs["in"].root)}
    assert before == {entry.path: entry.extents for entry in lake.entries(root)}
    assert {"d"} == {entry.datum for entry in lake.entries(root)}


def test_a_link_to_a_changed_input_is_read(lake, claim, folder):
    """User code owns its copy of the inputs: what it wrote there is what the link means."""
    time_before = time.time_ns() - 10**9
    (folder / "in/a").write_bytes(b"ONE")
    os.symlink("/pfs/in/a", folder / "out/link")

    root = collected(lake, claim, folder, time_before)

    assert {"/link": b"ONE"} == lake.read(root)


def test_a_link_into_a_replaced_folder_is_read(lake, claim, folder):
    """A file's own time of change does not tell that a folder above it was renamed; the folder's does."""
    (folder / "in/d").rename(folder / "in/was")
    (folder / "in/was/b").rename(folder / "in/was/x")
    (folder / "in/was/x").rename(folder / "in/was/b")
    os.symlink("/pfs/in/was/b", folder / "out/link")

    root = collected(lake, claim, folder, LATER)

    assert {"/link": b"two"} == lake.read(root)


def test_a_link_to_a_folder_is_all_its_files(lake, claim, folder):
    """In the inputs or in out itself."""
    (folder / "out/own").mkdir()
    (folder / "out/own/f").write_bytes(b"f")
    os.symlink("own", folder / "out/again")
    os.symlink("/pfs/in/d", folder / "out/dir")

    root = collected(lake, claim, folder)

    expected = {"/again/f": b"f", "/dir/b": b"two", "/dir/e/c": b"three", "/own/f": b"f"}
    assert expected == lake.read(root)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("nowhere", "leads to /pfs/out/nowhere, which cannot be had (no such file or directory)"),
        ("/pfs/other/x", "leads to /pfs/other/x, which cannot be had"),
        ("/etc/hostname", "leads to /etc/hostname, which is not below /pfs"),
        ("../../etc/hostname", "leads to /etc/hostname, which is not below /pfs"),
        ("/", "leads to /, which is not below /pfs"),
        ("bad", "leads in a circle"),
        ("/pfs/in/a/b", "which cannot be had (not a directory)"),
        (".", "leads to a folder that it is in"),
        ("/pfs", "leads to a folder that it is in"),
    ],
)
def test_a_link_that_means_nothing_here_is_refused(lake, claim, folder, target, text):
    """Broken, escaping or endless links fail the datum; the error names the link and where it leads."""
    os.symlink(target, folder / "out/bad")

    with pytest.raises(BadRequest) as error:
        collected(lake, claim, folder)

    assert ErrorKind.BAD_PATH == error.value.kind
    assert "link /pfs/out/" in error.value.message
    assert text in error.value.message


def test_special_files_are_refused_by_name(lake, claim, folder):
    """A repo holds bytes."""
    os.mkfifo(folder / "out/pipe")

    with pytest.raises(BadRequest, match=r"/pfs/out/pipe is a named pipe"):
        collected(lake, claim, folder)


def test_a_socket_is_refused_by_name(lake, claim, folder, monkeypatch):
    """A server that user code forgot leaves one."""
    monkeypatch.chdir(folder / "out")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")

        with pytest.raises(BadRequest, match=r"/pfs/out/socket is a socket"):
            collected(lake, claim, folder)


@pytest.mark.parametrize("name", [b"\xff\xfe", b"new\nline", b"escape\x1b"])
def test_names_that_no_path_can_have_are_refused(lake, claim, folder, name):
    """Not UTF-8, or control characters: the error shows the name so that one sees it."""
    os.close(os.open(os.fsencode(folder) + b"/out/" + name, os.O_CREAT | os.O_WRONLY))

    with pytest.raises(BadRequest) as error:
        collected(lake, claim, folder)

    assert ErrorKind.BAD_PATH == error.value.kind
    assert error.value.message.isprintable()


def test_files_and_folders_without_rights_are_read(lake, claim, folder):
    """They belong to the worker's user, who may give the rights back."""
    (folder / "out/dir").mkdir()
    (folder / "out/dir/file").write_bytes(b"x")
    os.chmod(folder / "out/dir/file", 0)
    os.chmod(folder / "out/dir", 0)

    root = collected(lake, claim, folder)

    assert {"/dir/file": b"x"} == lake.read(root)


def test_nothing_is_put_if_anything_is_refused(lake, claim, folder):
    """All of the output is checked before the first byte of it is read."""
    (folder / "out/good").write_bytes(b"x")
    os.mkfifo(folder / "out/pipe")
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "nothing")) as writer:
        with pytest.raises(BadRequest):
            collect(lake.storage, writer, claim, "d", str(folder), NEVER)

        assert () == writer.finish()


def test_small_files_of_many_datums_share_a_pack(lake, claim, folder):
    """A thousand one-line results are one object, not a thousand."""
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "nothing")) as writer:
        for number in range(20):
            (folder / "out/x").write_bytes(b"%d" % number)
            (folder / "out/x").rename(folder / f"out/{number}")
            collect(lake.storage, writer, claim, f"d{number}", str(folder), NEVER)
            (folder / f"out/{number}").unlink()
        root = lake.storage.apply(None, writer.finish(), "test").root

    assert {(f"/{n}", f"d{n}"): b"%d" % n for n in range(20)} == lake.read_tagged(root)
    assert 1 == len({entry.extents.names for entry in lake.entries(root)})


def test_two_datums_that_write_one_path_are_both_seen(lake, claim, folder):
    """The job will fail by it and name both; a writer that kept the last one would hide it."""
    (folder / "out/x").write_bytes(b"x")
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "nothing")) as writer:
        for datum in ("1", "2"):
            collect(lake.storage, writer, claim, datum, str(folder), NEVER)
        root = lake.storage.apply(None, writer.finish(), "test").root

    assert {("/x", "1"): b"x", ("/x", "2"): b"x"} == lake.read_tagged(root)


@pytest.mark.parametrize("instead", ["nothing", "a file", "a link"])
def test_an_out_that_is_no_folder_any_more_fails_the_datum(lake, claim, folder, instead):
    """User code may do to its folder what it likes; the claim of all the others goes on."""
    (folder / "out").rmdir()
    if instead == "a file":
        (folder / "out").touch()
    if instead == "a link":
        os.symlink(folder / "in", folder / "out")

    with pytest.raises(BadRequest) as error:
        collected(lake, claim, folder)

    assert error.value.message.startswith("/pfs/out is no folder any more; ")


def test_a_hard_link_to_an_input_is_that_file(lake, claim, folder):
    """A file has two names then; both mean its bytes."""
    os.link(folder / "in/a", folder / "out/hard")

    root = collected(lake, claim, folder)

    assert {"/hard": b"one"} == lake.read(root)


def test_names_of_all_kinds_are_paths(lake, claim, folder):
    """What the lake can hold is held; what it cannot is named."""
    names = ["ü 文.txt", " leading and trailing ", "*?[a]{b}", "back\\slash", "-rf", "a" * 250]
    deep = "/".join(["deep"] * 60)
    (folder / "out" / deep).mkdir(parents=True)
    for name in names:
        (folder / "out" / deep / name).write_bytes(b"x")

    root = collected(lake, claim, folder)

    assert {f"/{deep}/{name}": b"x" for name in names} == lake.read(root)


def test_a_name_that_no_repo_can_hold_is_said(lake, claim, folder):
    """The datum has failed, and whoever reads why finds the file."""
    (folder / "out/line\nbreak").write_bytes(b"x")

    with pytest.raises(BadRequest) as error:
        collected(lake, claim, folder)

    assert "line\\nbreak" in error.value.message
