# SPDX-License-Identifier: Apache-2.0
"""Paths of files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import BadRequest, ErrorKind
from howdah.model import paths

_texts = st.lists(st.sampled_from(["a", "é", "*", " ", "..", ".", "/", "//", "x.y", "@", ":"]), max_size=8).map("".join)


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("", "/"),
        ("/", "/"),
        ("///", "/"),
        ("a", "/a"),
        ("/a/", "/a"),
        ("a//b", "/a/b"),
        ("/…/日本/*[x]{y}@(z)^+!?", "/…/日本/*[x]{y}@(z)^+!?"),
        ("/a b", "/a b"),
        ("/.hidden/..a/a..", "/.hidden/..a/a.."),
        ("/" + "é" * 127, "/" + "é" * 127),
    ],
)
def test_a_path_is_cleaned(path, clean):
    """One slash before each component and none after; everything else of UTF-8 is good."""
    assert clean == paths.clean(path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/a/../b", "the component .."),
        ("..", "the component .."),
        ("/a/.", "the component ."),
        ("./a", "the component ."),
        ("/a\x00b", "U+0000"),
        ("/a\nb", "U+000A"),
        ("/a\x7fb", "U+007F"),
        ("/a\x85b", "U+0085"),
        ("/a\ud800b", "lone surrogate"),
        ("/" + "é" * 128, "has 256 bytes"),
        ("/" + "/".join(["a" * 99] * 41), "it has 4100 bytes"),
    ],
)
def test_a_bad_path_is_refused_by_name(path, text):
    """The message has the path, what is wrong and the way out, on one line."""
    with pytest.raises(BadRequest) as error:
        paths.clean(path)

    assert ErrorKind.BAD_PATH == error.value.kind
    assert text in error.value.message
    assert ";" in error.value.message
    assert error.value.message.isprintable()


@given(_texts)
def test_cleaning_twice_is_cleaning_once(text):
    """A clean path is left alone, on the short way as on the long one."""
    try:
        once = paths.clean(text)
    except BadRequest:
        return

    assert once == paths.clean(once)
    assert "//" not in once
    assert once.startswith("/")
    assert once == "/" or not once.endswith("/")
    assert not {".", ".."} & set(once.split("/"))


def test_the_directories_above_a_path():
    """From the root down, without the path itself."""
    assert ("/", "/a", "/a/b") == paths.parents("/a/b/c")
    assert ("/",) == paths.parents("/a")
    assert () == paths.parents("/")
    assert ["/a/b", "/", "/"] == [paths.parent(path) for path in ("/a/b/c", "/a", "/")]


def test_a_path_is_under_a_directory_and_not_under_a_name_that_begins_alike():
    """Components count, not characters; nothing is under itself."""
    assert paths.is_under("/a/b", "/a")
    assert paths.is_under("/a/b/c", "/a")
    assert paths.is_under("/a", "/")
    assert not paths.is_under("/a-b", "/a")
    assert not paths.is_under("/a", "/a")
    assert not paths.is_under("/", "/")


def test_joining_and_the_last_name():
    """join() cleans what it makes."""
    assert "/a/b/c" == paths.join("/a", "b/", "/c")
    assert "/a" == paths.join("/", "a")
    assert ["c", "c", ""] == [paths.basename(path) for path in ("/a/c", "/a/c/", "/")]
    with pytest.raises(BadRequest):
        paths.join("/a", "..")
