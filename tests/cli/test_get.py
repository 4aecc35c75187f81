# SPDX-License-Identifier: Apache-2.0
"""`get file` into files, folders and archives; what it overwrites; and how it goes on after a fault."""

import io
import os
import tarfile
import zipfile

import pytest

from howdah.cli.retry import PAUSES, resumed, retried
from howdah.errors import ErrorKind, NotFound, Unavailable


@pytest.fixture
def master(howdah, repo, tmp_path):
    """A branch with files."""
    for name in ("a.txt", "deep/b.txt", "deep/c.png"):
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_bytes(name.encode())
    howdah("put", "file", "-r", f"{repo}@master:/d", "-f", str(tmp_path / "source"))
    return f"{repo}@master"


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_that_match_go_into_a_folder(howdah, master, tmp_path):
    """At their places below the pattern's last plain directory."""
    out = tmp_path / "out"

    assert 0 == howdah("get", "file", "-r", f"{master}:/d/**.txt", "-o", str(out)).code
    assert ["a.txt", "deep/b.txt"] == tree(out)
    assert 0 == howdah("get", "file", f"{master}:/d/deep/*.png", "-o", str(out)).code
    assert ["a.txt", "c.png", "deep/b.txt"] == tree(out)
    assert 6 == howdah("get", "file", f"{master}:/d/deep/*").code
    assert 3 == howdah("get", "file", "-r", f"{master}:/d/*.gif", "-o", str(out)).code


@pytest.mark.parametrize("option", ["--tar", "--zip"])
def test_files_come_as_an_archive(howdah, master, tmp_path, option):
    """Into a file, or a pipe."""
    place, piped = tmp_path / "archive", tmp_path / "piped"
    os.mkfifo(piped)
    reading = os.open(piped, os.O_RDONLY | os.O_NONBLOCK)

    assert 0 == howdah("get", "file", option, f"{master}:/d", "-o", str(place)).code
    assert 0 == howdah("get", "file", option, f"{master}:/d", "-o", str(piped)).code

    for data in (place.read_bytes(), os.read(reading, 1 << 20)):
        assert ["a.txt", "deep/b.txt", "deep/c.png"] == names(option, data)
    os.close(reading)


def names(option, data):
    if option == "--zip":
        return zipfile.ZipFile(io.BytesIO(data)).namelist()
    return tarfile.open(fileobj=io.BytesIO(data)).getnames()


def test_what_is_overwritten_is_told(howdah, master, tmp_path):
    """A file by its name, the files of a folder by their number."""
    one, folder = str(tmp_path / "one"), str(tmp_path / "out")
    calls = [("get", "file", f"{master}:/d/a.txt", "-o", one), ("get", "file", "-r", f"{master}:/d", "-o", folder)]

    assert ["", ""] == [howdah(*call).err for call in calls]
    assert [f"{one} was there and is overwritten\n", "3 of 3 files were there and are overwritten\n"] == [
        howdah(*call).err for call in calls
    ]
    assert [4, 4] == [howdah(*call, "--no-overwrite").code for call in calls]


def test_a_part_of_a_file_is_a_whole_file_here(howdah, master, tmp_path):
    """A range to a place of its own; a missing file leaves what was there."""
    place = tmp_path / "part"

    assert (
        0 == howdah("get", "file", f"{master}:/d/deep/b.txt", "--offset", "5", "--length", "3", "-o", str(place)).code
    )
    assert 3 == howdah("get", "file", f"{master}:/no", "--offset", "5", "-o", str(place)).code

    assert b"b.t" == place.read_bytes()
    assert ["part"] == [name for name in os.listdir(tmp_path) if name != "source"]


@pytest.mark.parametrize(
    "words",
    [
        ["-r"],
        ["-r", "-o", "-"],
        ["--tar", "--zip"],
        ["--tar", "--offset", "1"],
        ["--offset", "-1"],
        ["--parallel", "0"],
    ],
    ids=" ".join,
)
def test_what_does_not_go_together_is_refused(howdah, master, words):
    """As a wrong call."""
    assert 2 == howdah("get", "file", f"{master}:/d", *words).code


@pytest.mark.parametrize("words", [[], ["--offset", "2"], ["-r"], ["--tar"]], ids=["file", "range", "folder", "tar"])
def test_nothing_is_different_when_nothing_fails(howdah, master, tmp_path, words):
    """`--retry` of a get that needs none."""
    assert 0 == howdah("get", "file", "--retry", f"{master}:/d/a.txt", "-o", str(tmp_path / "out"), *words).code


def away():
    return Unavailable(ErrorKind.UNREACHABLE, "away")


def test_a_call_is_made_again_until_the_pauses_are_over():
    """Each time after a longer pause; another error ends it at once."""
    slept, calls = [], []

    def call():
        calls.append(1)
        raise away() if len(calls) < 4 else NotFound(ErrorKind.FILE_NOT_FOUND, "gone")

    with pytest.raises(NotFound):
        retried(call, lambda _: None, sleep=slept.append)
    assert list(PAUSES[:3]) == slept

    slept.clear()
    with pytest.raises(Unavailable):
        retried(lambda: (_ for _ in ()).throw(away()), lambda _: None, sleep=slept.append)
    assert list(PAUSES) == slept


def test_reading_goes_on_where_it_stopped():
    """No byte twice, none left out; what came starts the pauses anew."""
    data, slept, notes = bytes(range(100)), [], []

    def read(begin):
        yield data[begin : begin + 30]
        if begin < 70:
            raise away()

    assert data == b"".join(resumed(read, len, notes.append, sleep=slept.append))
    assert [PAUSES[0]] * 3 == slept
    assert "again from byte 30" in notes[0]


def test_reading_is_given_up_when_nothing_comes():
    """With what the last attempt raised."""
    slept = []

    def read(_):
        raise away()
        yield b""

    with pytest.raises(Unavailable):
        list(resumed(read, len, lambda _: None, sleep=slept.append))
    assert list(PAUSES) == slept
