# SPDX-License-Identifier: Apache-2.0
"""A shell where user code of a local run would be: in the nest with its `/pfs`, or in a container of the image."""

import fcntl
import os
import pty
import shlex
import shutil
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from howdah.cli.terminal import join
from howdah.errors import HowdahError
from howdah.storage.local_files import explained
from howdah.worker.nest import Command, Nest, Outcome

if TYPE_CHECKING:
    from howdah.engine import Settings
    from howdah.engine.terminals import Terminals

__all__ = ["shell_in_container", "shell_in_nest"]

# The first terminal that the leader of a session opens is its own, with Ctrl-C and jobs.
_OPEN_TERMINAL: Final = """\
import os, sys
terminal = os.open(sys.argv[1], os.O_RDWR)
for number in (0, 1, 2):
    os.dup2(terminal, number)
os.execvp(sys.argv[2], sys.argv[2:])
"""
_TOOLS: Final = "/.howdah"
_PLAIN_SHELL: Final = "/bin/sh"


def shell_in_nest(nest: Nest, command: Command) -> int:
    """A shell ($SHELL) with the variables, folder and user of a command; its exit code.

    Raises:
        BadRequest, Unavailable: it cannot be started.
    """
    shell = os.environ.get("SHELL") or _PLAIN_SHELL
    ours, theirs = pty.openpty()
    try:
        if command.user is not None:
            os.chown(theirs, command.user[0], -1)
        words = (sys.executable, "-I", "-S", "-c", _OPEN_TERMINAL, os.ttyname(theirs), shell)
        term = {"TERM": os.environ.get("TERM", "dumb")}
        ran = _Ran(lambda: nest.run(replace(command, argv=words, stdin=b"", timeout=None, env={**command.env, **term})))
        ran.start()
        join(ours, lambda rows, columns: _resize(ours, rows, columns), lambda: not ran.is_alive())
        nest.cancel()
        return ran.outcome().exit_code
    finally:
        os.close(theirs)
        os.close(ours)


def shell_in_container(
    engine: "Terminals", settings: "Settings", busybox: Path, scratch: Path, command: Command
) -> int:
    """A shell of an image, or one from outside if it has none, with the variables and folder of a command.

    Its `/pfs` is that of the command. What is left there can be read and removed afterwards, whoever the user is.

    Raises:
        NotFound: IMAGE_NOT_FOUND.
        Refused, Unavailable: the engine refuses, or is gone.
    """
    binds = {str(_tools(scratch, busybox)): (_TOOLS, "ro"), str(command.pfs): ("/pfs", "rw")}
    words = (f"{_TOOLS}/busybox", "sh", f"{_TOOLS}/shell.sh")
    env = {**command.env, "PFS": "/pfs", "TERM": os.environ.get("TERM", "dumb")}
    cwd = command.cwd or engine.working_dir(settings.image)
    container, terminal = engine.open(settings, binds, words, env, cwd)
    try:
        join(terminal.fileno(), lambda rows, columns: engine.resize(container, rows, columns))
        engine.wait(container, 10)
        return engine.exit_code(container)
    finally:
        terminal.close()
        engine.remove(container)


class _Ran(threading.Thread):
    """A command that runs beside the thread that types."""

    def __init__(self, run: Callable[[], Outcome]) -> None:
        super().__init__(name="shell", daemon=True)
        self._run = run
        self._outcome: Outcome | None = None
        self._error: HowdahError | None = None

    def run(self) -> None:
        try:
            self._outcome = self._run()
        except HowdahError as error:
            self._error = error

    def outcome(self) -> Outcome:
        """How it ended."""
        self.join()
        if self._error is not None:
            raise self._error
        assert self._outcome is not None
        return self._outcome


def _resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _tools(scratch: Path, busybox: Path) -> Path:
    """A folder with a shell and its commands, for images that have none."""
    tools = scratch / "tools"
    with explained(tools):
        (tools / "bin").mkdir(parents=True)
        shutil.copy(busybox, tools / "busybox")
        os.chmod(tools / "busybox", 0o755)
        listed = subprocess.run([tools / "busybox", "--list"], capture_output=True, text=True, check=False).stdout
        for name in listed.split():
            os.symlink(f"{_TOOLS}/busybox", tools / "bin" / name)
        (tools / "shell.sh").write_text(_script())
        for folder in (tools, tools / "bin"):
            os.chmod(folder, 0o755)
    return tools


def _script() -> str:
    busybox = shlex.quote(f"{_TOOLS}/busybox")
    return f"""\
for shell in /bin/bash /usr/bin/bash /bin/sh; do
    [ -x "$shell" ] && break
    shell=
done
if [ -n "$shell" ]; then "$shell"; else PATH="$PATH:{_TOOLS}/bin" {busybox} sh; fi
code=$?
for folder in /pfs/*; do {busybox} chmod -R a+rwX "$folder" 2>/dev/null; done
exit $code
"""
