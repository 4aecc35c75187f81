# SPDX-License-Identifier: Apache-2.0
"""`put`, `get`, `list`, `glob`, `inspect`, `diff`, `copy` and `delete file`."""

import io
import os
import sys
from types import SimpleNamespace

import pytest


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"aaa")
    (folder / "deep" / "b.txt").write_bytes(b"bb")
    return folder


def paths(ran):
    return [each["path"] for each in ran.json]


def test_a_file_goes_under_its_own_name_or_the_one_given(howdah, repo, photos):
    """Without a path the file's name; with one, that; with a slash at its end, below it."""
    file = str(photos / "a.txt")

    codes = [
        howdah("put", "file", f"{repo}@master{path}", "-f", file).code for path in ("", ":/x.txt", ":/d/", ":/d/y.txt")
    ]

    assert [0, 0, 0, 0] == codes
    found = paths(howdah("glob", "file", f"{repo}@master:/**.txt", "-o", "json"))
    assert ["/a.txt", "/d/a.txt", "/d/y.txt", "/x.txt"] == found


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", "/photos/a.txt"), (":/", "/a.txt"), (":/in", "/in/a.txt"), (":/in/", "/in/a.txt")],
)
def test_a_folder_goes_below_its_name_or_the_path_given(howdah, repo, photos, path, expected):
    """With -r all files go, each to its place."""
    assert 0 == howdah("put", "file", "-r", f"{repo}@master{path}", "-f", str(photos)).code

    assert expected in paths(howdah("glob", "file", f"{repo}@master:/**", "-o", "json"))


def test_a_folder_comes_back(howdah, repo, photos, tmp_path):
    """`get file -r` writes what `put file -r` read."""
    howdah("put", "file", "-r", f"{repo}@master:/", "-f", str(photos))

    assert 0 == howdah("get", "file", "-r", f"{repo}@master:/", "-o", str(tmp_path / "out")).code

    assert b"aaa" == (tmp_path / "out" / "a.txt").read_bytes()
    assert b"bb" == (tmp_path / "out" / "deep" / "b.txt").read_bytes()


def test_a_folder_needs_its_option(howdah, repo, photos):
    """Nobody puts a folder by accident."""
    ran = howdah("put", "file", f"{repo}@master", "-f", str(photos))

    assert 2 == ran.code
    assert "put all files in it with -r" in ran.err


def test_standard_input_is_put_and_appended(howdah, repo, monkeypatch):
    """`-f -` reads it; it needs a path, since it has no name."""
    for text in (b"one ", b"two"):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
        assert 0 == howdah("put", "file", "-a", f"{repo}@master:/log", "-f", "-").code

    assert "one two" == howdah("get", "file", f"{repo}@master:/log").out
    assert 2 == howdah("put", "file", f"{repo}@master", "-f", "-").code


def test_a_file_is_got_in_part_and_to_a_place(howdah, repo, photos, tmp_path):
    """To stdout, to a file, into a folder under its name."""
    howdah("put", "file", "-r", f"{repo}@master:/", "-f", str(photos))
    source = f"{repo}@master:/deep/b.txt"

    assert "b" == howdah("get", "file", source, "--offset", "1").out
    assert "a" == howdah("get", "file", f"{repo}@master:/a.txt", "--length", "1").out
    assert 0 == howdah("get", "file", source, "-o", str(tmp_path)).code
    assert b"bb" == (tmp_path / "b.txt").read_bytes()
    assert 0 == howdah("get", "file", source, "-o", str(tmp_path / "c")).code
    assert b"bb" == (tmp_path / "c").read_bytes()


def test_files_are_listed_as_a_table(howdah, repo, photos):
    """Aligned, with sizes for people."""
    howdah("put", "file", "-r", f"{repo}@master:/", "-f", str(photos))

    assert [
        "PATH    TYPE  SIZE",
        "/a.txt  file  3B",
        "/deep/  dir   2B",
    ] == howdah("list", "file", f"{repo}@master").out.splitlines()


def test_a_file_is_inspected(howdah, repo, photos):
    """Its exact size and hash."""
    howdah("put", "file", "-r", f"{repo}@master:/", "-f", str(photos))

    ran = howdah("inspect", "file", f"{repo}@master:/a.txt", "-o", "json")

    assert ("/a.txt", False, 3, 64) == (
        ran.json["path"],
        ran.json["is_dir"],
        ran.json["size_bytes"],
        len(ran.json["hash"]),
    )


def test_differences_are_marked(howdah, repo, photos):
    """New, gone and changed files of a commit, against its parent."""
    howdah("put", "file", "-r", f"{repo}@master:/", "-f", str(photos))
    howdah("copy", "file", f"{repo}@master:/a.txt", f"{repo}@master:/c.txt")

    lines = howdah("diff", "file", f"{repo}@master", "--summary").out.splitlines()

    assert ["~", "/"] == lines[1].split()[:2]
    assert ["+", "/c.txt"] == lines[2].split()[:2]
    assert "/\n/c.txt\n" == howdah("diff", "file", f"{repo}@master", "--name-only").out


def test_files_are_deleted(howdah, repo, photos):
    """A file by its path, a directory only with -r; a missing one is an error."""
    howdah("put", "file", "-r", f"{repo}@master:/", "-f", str(photos))

    codes = [
        howdah("delete", "file", f"{repo}@master:/a.txt").code,
        howdah("delete", "file", f"{repo}@master:/deep").code,
        howdah("delete", "file", "-r", f"{repo}@master:/deep").code,
        howdah("delete", "file", f"{repo}@master:/a.txt").code,
    ]

    assert [0, 2, 0, 3] == codes
    assert [] == howdah("list", "file", f"{repo}@master", "-o", "json").json


def test_a_named_pipe_is_written_in_order(howdah, repo, photos, tmp_path):
    """`get file -o` of a pipe or device does not need to seek."""
    howdah("put", "file", "-r", f"{repo}@master:/", "-f", str(photos))

    assert 0 == howdah("get", "file", f"{repo}@master:/a.txt", "-o", os.devnull).code
