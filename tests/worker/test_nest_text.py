# SPDX-License-Identifier: Apache-2.0
"""The two texts a nest works on: words that begin with /pfs, and lines of output."""

from pathlib import Path

import pytest

from howdah.worker.nest import LINE_BYTES_MAX, Command, LineCutter
from howdah.worker.nest.words import is_plain, point, point_command


@pytest.mark.parametrize(
    ("text", "pointed"),
    [
        pytest.param(b"/pfs", b"/d/1", id="the folder itself"),
        pytest.param(b"/pfs/in/a", b"/d/1/in/a", id="a path in it"),
        pytest.param(b"/pfs/pfs/pfs", b"/d/1/pfs/pfs", id="only the beginning"),
        pytest.param(b"cat /pfs/in/a > /pfs/out/b", b"cat /d/1/in/a > /d/1/out/b", id="words of a script"),
        pytest.param(b"wc </pfs/in/a 2>/pfs/out/b;ls /pfs", b"wc </d/1/in/a 2>/d/1/out/b;ls /d/1", id="redirections"),
        pytest.param(b"--in=/pfs/in", b"--in=/d/1/in", id="an option's value"),
        pytest.param(b"/pfs/a:/pfs/b", b"/d/1/a:/d/1/b", id="a search path"),
        pytest.param(b"open('/pfs/in'), \"/pfs/out\"", b"open('/d/1/in'), \"/d/1/out\"", id="quotes"),
        pytest.param(b"#!/bin/sh\n/pfs/run\n", b"#!/bin/sh\n/d/1/run\n", id="lines"),
        pytest.param(b"$(ls /pfs) `ls /pfs`", b"$(ls /d/1) `ls /d/1`", id="substitutions"),
        pytest.param(b"\xff /pfs/\xfe", b"\xff /d/1/\xfe", id="bytes that are no text"),
    ],
)
def test_words_that_begin_with_pfs_are_pointed_to_the_folder(text, pointed):
    """In shells and in most languages."""
    assert pointed == point(text, b"/d/1")


@pytest.mark.parametrize(
    "text",
    [b"/pfs2", b"/pfs.txt", b"/pfs-old/a", b"/data/pfs/a", b"$HOME/pfs/a", b"${X}/pfs", b"./pfs", b"x/pfs", b"pfs/a"],
)
def test_other_words_are_left_alone(text):
    """A path that merely holds these letters is somebody else's."""
    assert text == point(text, b"/d/1")


def test_every_part_of_a_command_is_pointed(tmp_path):
    """Words, values of the environment, stdin, and the folder to start in; the rest stays."""
    command = Command(("ls", "/pfs/in"), Path("/d/1"), {"input": "/pfs/in/a"}, b"cat /pfs/in/a", "/pfs/in", 3.0)

    pointed = point_command(command)

    assert Command(("ls", "/d/1/in"), Path("/d/1"), {"input": "/d/1/in/a"}, b"cat /d/1/in/a", "/d/1/in", 3.0) == pointed


@pytest.mark.parametrize(("folder", "plain"), [(b"/var/lib/x-1_2.3/d", True), (b"/my lake", False), (b"/a;b", False)])
def test_a_plain_folder_needs_no_quotes(folder, plain):
    """It can stand in a shell's text as it is."""
    assert plain is is_plain(folder)


def _cut(*pieces: bytes) -> list[bytes]:
    lines: list[bytes] = []
    cutter = LineCutter(lines.append)
    for piece in pieces:
        cutter.feed(piece)
    cutter.finish()
    return lines


def test_lines_are_cut_wherever_the_pieces_end():
    """A line may come in many pieces, and a piece may hold many lines."""
    assert [b"ab", b"", b"c", b"d"] == _cut(b"a", b"b\n\nc\nd")


def test_the_last_line_needs_no_newline():
    """It is handed out at the end; an ended line is not followed by an empty one."""
    assert [b"a"] == _cut(b"a")
    assert [b"a"] == _cut(b"a\n")
    assert [] == _cut()


@pytest.mark.parametrize("piece", [1000, LINE_BYTES_MAX, LINE_BYTES_MAX + 1, 10 * LINE_BYTES_MAX])
def test_a_line_that_is_too_long_is_cut(piece):
    """It goes on as the next line; no byte is lost, and it makes no difference how it came."""
    data = b"x" * (3 * LINE_BYTES_MAX + 5)

    lines = _cut(*(data[start : start + piece] for start in range(0, len(data), piece)), b"\n", b"end")

    assert [LINE_BYTES_MAX] * 3 + [5, 3] == [len(line) for line in lines]
