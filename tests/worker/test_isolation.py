# SPDX-License-Identifier: Apache-2.0
"""User code in a container that goes to work on what is around it: `docs/isolation.md` lists what is tried here.

What else it cannot do is in `test_container` (other datums' files, capabilities, what is shared with the worker).
"""

import sys
from pathlib import Path

import pytest

from howdah.worker.nest import Command

PATH = {"PATH": "/usr/bin:/bin"}
PATIENCE_SECONDS = 10
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux's")


def _prepare(folder: Path) -> Path:
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "in" / "a").write_text("hello\n")
    return folder


def _run(container, folder, script, timeout=PATIENCE_SECONDS):
    lines: list[bytes] = []
    command = Command(("sh", "-c", script), folder, PATH, cwd="/", timeout=timeout, on_output=lines.append)
    return container.run(command), lines


@pytest.fixture
def pfs(tmp_path) -> Path:
    """A folder prepared for a command."""
    return _prepare(tmp_path / "datum")


@pytest.fixture
def other(tmp_path) -> Path:
    """A folder prepared for the command after it."""
    return _prepare(tmp_path / "other")


# What the worker and the first process say to each other, by the pipes' names and by open descriptors.
PLACES = "/.howdah/{name} /proc/[0-9]*/fd/*"


@pytest.mark.parametrize(
    ("name", "line"), [("requests", "$n"), ("results", "$n 0"), ("cancels", "$n")], ids=["run", "done", "kill"]
)
def test_user_code_cannot_speak_for_the_next_command(container, pfs, other, name, line):
    """Neither have it run unasked, nor say how it ended, nor have it killed."""
    places = PLACES.format(name=name)
    script = f"""
        for place in {places}; do
            case $(readlink $place) in /dev/null|pipe:*) continue ;; esac
            [ -p $place ] && for n in $(seq 1 300); do echo "{line}"; done 1<>$place
        done 2>/dev/null
        exit 0
        """

    _run(container, pfs, script)
    outcome, lines = _run(container, other, "echo mine > /pfs/out/b; cat /pfs/in/a; exit 3")

    assert (3, None, [b"hello"]) == (outcome.exit_code, outcome.signal, lines)
    assert "mine\n" == (other / "out" / "b").read_text()


def test_a_command_that_says_that_it_has_ended_has_not(container, pfs, other):
    """Or what it started would be there beside the next datum's files."""
    script = """
        for n in $(seq 1 300); do echo "$n 0"; done 2>/dev/null 1<>/.howdah/results
        sleep 0.3
        exit 3
        """

    outcome, _ = _run(container, pfs, script)

    assert 3 == outcome.exit_code
    assert outcome.seconds > 0.25


def test_the_first_process_cannot_be_looked_into(container, pfs):
    """It has the user of the commands, and yet they find neither its memory, its variables nor what it has open."""
    script = """
        for name in environ auxv maps fd/3 fd/4; do head -c 1 /proc/1/$name && echo read $name; done
        for name in root cwd exe fd/3; do readlink /proc/1/$name && echo seen $name; done
        true 3<>/proc/1/mem && echo opened
        cat /.howdah/busybox > /tmp/copy && echo copied
        """

    _, lines = _run(container, pfs, f"({script}) 2>/dev/null")

    assert [] == lines


def test_nothing_of_a_command_lives_on(container, pfs, other):
    """Whatever it did to be overlooked."""
    script = """
        trap '' TERM INT HUP CHLD
        (setsid sh -c 'trap "" TERM HUP; while :; do ls /pfs/* > /tmp/seen; done' &)
        (sleep 1000 < /pfs/in/a > /pfs/out/b &)
        """

    _run(container, pfs, script)
    _, lines = _run(container, other, "ps -o pid,args | grep -c -e '[s]leep 1000' -e '[w]hile'")

    assert [b"0"] == lines
