# SPDX-License-Identifier: Apache-2.0
"""Servers as processes of their own, started in ways that cannot work, or that nearly can."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_ANY_PORT = ("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0")
_START_SECONDS = 30


@dataclass(frozen=True)
class Ended:
    """How a server that could not start ended: its code and its last words."""

    code: int
    words: str


def server_words(root: Path, *options: str) -> list[str]:
    """The command line of a server on any free port, unless the options name one."""
    return [sys.executable, "-m", "howdah.cli", "server", "--root", str(root), *_ANY_PORT, *options]


def start_in_vain(words: Sequence[str]) -> Ended:
    """Start a server that must end by itself, with one line on standard error that is not of its log."""
    ended = subprocess.run(words, capture_output=True, text=True, timeout=_START_SECONDS, check=False)
    assert ended.stdout == ""
    lines = [line for line in ended.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, ended.stderr
    return Ended(ended.returncode, lines[0])


@contextmanager
def serving(words: Sequence[str], log: Path) -> Iterator[str]:
    """Start a server; its address inside the block. It ends with code 0 after it."""
    with log.open("wb") as errors:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors)
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    try:
        assert " grpc " in line, log.read_text()
        yield line.partition(" grpc ")[2].partition(",")[0]
    finally:
        process.terminate()
        code = process.wait(_START_SECONDS)
        process.stdout.close()
    assert code == 0, log.read_text()


def in_mount(folder: Path, mount: str, words: Sequence[str]) -> list[str]:
    """A command line that makes a mount of its own on `folder` and runs `words` there.

    Skipped where no namespace can be made, which is a failure in CI.
    """
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    script = f'{mount} && exec "$@"'
    line = [*unshare, "sh", "-c", script, "sh", *words]
    probe = subprocess.run([*line[: -len(words)], "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        reason = f"nothing can be mounted here: {probe.stderr.strip()}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return line
