# SPDX-License-Identifier: Apache-2.0
"""What the demo plays on: a server of its own, commands that are shown with what they print, facts that are checked.

Nothing here talks to the server but the command `howdah`, run as a user would run it. The story is in `run.py`.
"""

import json
import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

__all__ = ["BIN", "Stage", "Wrong", "chapter", "say", "verify"]

BIN: Final = Path(sys.executable).parent  # where the virtual environment has its commands

_READY_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 20.0
_COMMAND_SECONDS: Final = 120.0


class Wrong(Exception):
    """Something did not turn out as the demo says it does."""


def chapter(title: str) -> None:
    print(f"\n\n== {title}")


def say(text: str) -> None:
    print(f"\n{text}")


def verify(fact: str, expected: object, actual: object) -> None:
    """Say a fact that has been checked. Raises Wrong if it is none."""
    if expected != actual:
        raise Wrong(f"{fact}: expected {expected}, found {actual}")
    print(f"\n   checked: {fact}")


class Stage:
    """A folder with a running server; commands run in it. A context manager: the server ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
        self._env.pop("HOWDAH_ADDRESS", None)
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_server()

    def start_server(self, *options: str) -> None:
        """Start a server on ports that are free, and wait until it answers."""
        words = ["howdah", "server", "--root", "lake", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", *options]
        print(f"\n$ {shlex.join(words)} 2> server.log &", flush=True)
        with (self.folder / "server.log").open("w") as log:
            # A session of its own: Ctrl-C is for the demo, which then ends the server in order.
            self._server = subprocess.Popen(
                [BIN / words[0], *words[1:]],
                cwd=self.folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        line = self._first_line(self._server)
        print(line)
        self._env["HOWDAH_ADDRESS"] = line.partition("grpc ")[2].partition(",")[0]
        print(f"$ export HOWDAH_ADDRESS={self._env['HOWDAH_ADDRESS']}")

    def stop_server(self) -> None:
        """End the server in order, and by force if it does not; nothing happens if none runs."""
        server, self._server = self._server, None
        if server is None:
            return
        server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise Wrong(f"the server did not end within {_STOP_SECONDS:.0f} s of SIGTERM") from None

    def show(self, *words: str, exit_code: int = 0) -> str:
        """Run a command, print it and all that it prints, and return that. Raises Wrong if it ends otherwise."""
        print(f"\n$ {shlex.join(words)}", flush=True)
        done = self._run(words, subprocess.STDOUT)
        print(done.stdout, end="", flush=True)
        if done.returncode != exit_code:
            raise Wrong(f"{shlex.join(words)} ended with {done.returncode} instead of {exit_code}")
        return done.stdout

    def ask(self, *words: str) -> Any:
        """What `howdah … -o json` answers, for a check: the same command that a user would type, not shown."""
        done = self._run(["howdah", *words, "-o", "json"], subprocess.PIPE)
        if done.returncode != 0:
            raise Wrong(f"howdah {shlex.join(words)} ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def _run(self, words: "tuple[str, ...] | list[str]", stderr: int) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                words,
                cwd=self.folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Wrong(f"{shlex.join(words)} took longer than {_COMMAND_SECONDS:.0f} s") from None

    def _first_line(self, server: "subprocess.Popen[str]") -> str:
        """The line that says that the server is ready. A timer ends a server that never says it."""
        assert server.stdout is not None
        timer = threading.Timer(_READY_SECONDS, server.kill)
        timer.start()
        line = server.stdout.readline().strip()
        timer.cancel()
        if "grpc " not in line:
            raise Wrong(f"the server did not start: {line or (self.folder / 'server.log').read_text().strip()}")
        return line
