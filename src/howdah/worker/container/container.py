# SPDX-License-Identifier: Apache-2.0
"""A container in which one worker runs commands of one image, one after another: a nest of another kind.

It is started once and kept. Its `/pfs` is a folder of the worker's, into which what a command may see is moved before it
runs, and out of which it is moved afterwards: renames, whatever it holds. Its first process is a static shell of the
host's with `keeper.sh`, so an image needs nothing of ours, not even a shell of its own.
"""

import os
import select
import shlex
import shutil
import stat
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from howdah.errors import BadRequest, ErrorKind, Unavailable
from howdah.worker.container.engine import Engine
from howdah.worker.container.values import Settings
from howdah.worker.nest.lines import LineCutter
from howdah.worker.nest.values import Command, ModeName, NestMode, Outcome

__all__ = ["Container", "find_shell"]

_PIPES: Final = ("requests", "results", "cancels", "output")
_READ_BYTES: Final = 65_536
_LOOK_MS: Final = 1_000  # how often a silent container is asked whether it is still alive
_PLACES: Final = ("/bin/busybox", "/usr/bin/busybox", "/sbin/busybox")
_NOT_FOUND_CODE, _NOT_RUNNABLE_CODE, _SIGNAL_CODES = 127, 126, 128


def find_shell() -> Path:
    """The static shell of this machine that goes into containers.

    Raises:
        Unavailable: there is none.
    """
    for place in _PLACES:
        if os.access(place, os.X_OK):
            return Path(place)
    raise Unavailable(
        ErrorKind.UNREACHABLE,
        "there is no static shell on this machine to put into containers; install it: apt-get install busybox-static",
    )


class Container:
    """Runs one command at a time in a container of its own; make it by `start`. As `Nest`, and for as many threads."""

    def __init__(self, engine: Engine, settings: Settings, folder: Path, container: str, image_id: str) -> None:
        self._engine = engine
        self._container = container
        self._folder = folder
        self._pipes = folder / "pipes"
        self._variables = engine.variables(settings.image)
        self._working_dir = engine.working_dir(settings.image)
        self.image_id = image_id
        self._number = 0
        self._run_lock = threading.Lock()
        self._lock = threading.Lock()
        # Guarded by _lock: whether a command runs, and whether it was cancelled.
        self._running = self._cancelled = self._closed = False
        # Opened for both directions, which never waits, and never ends while this process lives.
        self._fds = {name: os.open(self._pipes / name, os.O_RDWR | os.O_NONBLOCK) for name in _PIPES}

    @classmethod
    def start(cls, engine: Engine, settings: Settings, folder: Path, shell: Path | None = None) -> Self:
        """Start a container; some 0.3 s. It ends with `close`, and with this process however that ends.

        `folder` is this container's alone and is made anew; commands' folders must lie on its file system.

        Raises:
            NotFound: IMAGE_NOT_FOUND.
            Refused, Unavailable: it cannot be started.
        """
        image_id = engine.image_id(settings.image)
        tools, pipes, pfs = folder / "tools", folder / "pipes", folder / "pfs"
        shutil.rmtree(folder, ignore_errors=True)
        for each in (tools, pipes, pfs):
            each.mkdir(parents=True)
        shutil.copy2(shell or find_shell(), tools / "busybox")
        (tools / "keeper.sh").write_text((files(__package__) / "keeper.sh").read_text())
        for name in _PIPES:
            os.mkfifo(pipes / name)
            os.chmod(pipes / name, 0o666)
        os.chmod(pipes, 0o777)  # the user of the image writes statistics there
        os.chmod(pfs, 0o777)
        binds = {
            str(tools): ("/.howdah", "ro"),
            str(pipes): ("/.howdah/pipes", "rw"),
            str(pfs): ("/pfs", "rw"),
        }
        (tools / "pipes").mkdir()  # what the second is mounted on
        container = engine.create(settings, binds, ("/.howdah/busybox", "sh", "/.howdah/keeper.sh"))
        made = cls(engine, settings, folder, container, image_id)
        try:
            engine.start(container)
        except BaseException:
            made.close()
            raise
        return made

    @property
    def mode(self) -> NestMode:
        """How commands are contained here."""
        return NestMode(ModeName.CONTAINER)

    def run(self, command: Command) -> Outcome:
        """Run a command and wait for its end; as `Nest.run`.

        Raises:
            BadRequest: no words, or a NUL in one.
            Unavailable: the container is closed, or died; start another.
        """
        with self._run_lock:
            self._number += 1
            self._write(command)
            moved = _move(command.pfs, self._folder / "pfs")
            try:
                with self._lock:
                    if self._closed:
                        raise _gone("it was closed")
                    self._running, self._cancelled = True, False
                    os.write(self._fds["requests"], b"%d\n" % self._number)
                return self._follow(command)
            finally:
                with self._lock:
                    self._running = False
                _move(self._folder / "pfs", command.pfs, moved)

    def cancel(self) -> bool:
        """Kill the command that runs now and all that it started; tell whether there was one. Does not wait."""
        with self._lock:
            if self._running:
                self._cancelled = True
                self._kill()
            return self._running

    def close(self) -> None:
        """Remove the container with what runs in it; return when it is gone. Repeating is harmless."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for fd in self._fds.values():
                os.close(fd)
        with suppress(Unavailable):
            self._engine.remove(self._container)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _kill(self) -> None:
        with suppress(BlockingIOError):
            os.write(self._fds["cancels"], b"%d\n" % self._number)

    def _write(self, command: Command) -> None:
        env = {**self._variables, **command.env, "PFS": "/pfs"}
        words = (*command.argv, command.cwd, *env, *env.values())
        if not command.argv or any("\0" in word for word in words):
            raise BadRequest(ErrorKind.BAD_ARGUMENT, "a command has no words, or a NUL in one; mend it")
        (self._pipes / "stdin").write_bytes(command.stdin)
        (self._pipes / "run").write_text(_script(command, env, command.cwd or self._working_dir))
        with suppress(FileNotFoundError):
            (self._pipes / "stats").unlink()

    def _follow(self, command: Command) -> Outcome:
        lines = LineCutter(command.on_output)
        began = time.monotonic()
        until = None if command.timeout is None else began + command.timeout
        timed_out = False
        try:
            while True:
                left = _LOOK_MS if until is None else min(_LOOK_MS, max(0, round(1000 * (until - time.monotonic()))))
                answer, silent = self._wait(lines, left)
                if answer is not None:
                    break
                if until is not None and not timed_out and time.monotonic() >= until:
                    timed_out, until = True, None
                    self._kill()
                elif silent:
                    self._check_alive()
        except BaseException:
            self.cancel()
            raise
        while data := _read(self._fds["output"]):
            lines.feed(data)
        lines.finish()
        return self._outcome(answer, time.monotonic() - began, timed_out)

    def _wait(self, lines: LineCutter, milliseconds: int) -> tuple[int | None, bool]:
        """Hand out what is printed until a command has ended; its code, and whether nothing happened."""
        poll = select.poll()
        for name in ("output", "results"):
            poll.register(self._fds[name], select.POLLIN)
        ready = dict(poll.poll(milliseconds))
        if self._fds["output"] in ready:
            lines.feed(_read(self._fds["output"]))
        if self._fds["results"] in ready:
            for line in _read(self._fds["results"]).splitlines():
                number, code = map(int, line.split())
                if number == self._number:
                    return code, False
        return None, not ready

    def _check_alive(self) -> None:
        state = self._engine.state(self._container)
        if not state.get("Running"):
            why = "it ran out of memory" if state.get("OOMKilled") else str(state.get("Error") or "it was removed")
            raise _gone(why)

    def _outcome(self, code: int, seconds: float, timed_out: bool) -> Outcome:
        signal, user, system, memory = _stats(self._pipes / "stats")
        cancelled = self._cancelled
        error = ""
        if (self._pipes / "error").exists():
            error = (self._pipes / "error").read_text().strip()
            (self._pipes / "error").unlink()
        if signal is None and (timed_out or cancelled):
            signal = 9
        return Outcome(
            exit_code=_SIGNAL_CODES + signal if signal else code,
            signal=signal,
            timed_out=timed_out,
            cancelled=cancelled and not timed_out,
            seconds=seconds,
            cpu_seconds=user + system,
            memory_max_bytes=memory,
            error=error,
        )


def _script(command: Command, env: Mapping[str, str], cwd: str) -> str:
    """The shell's words that run a command with just these variables; why it cannot be run goes into `error`."""
    program, *rest = command.argv
    words = shlex.join(f"{name}={value}" for name, value in env.items())
    quoted = shlex.quote(program)
    path = shlex.quote(env.get("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"))
    return f"""\
pipes=$PWD
cannot() {{ echo "$2" > "$pipes/error"; exit "$1"; }}
cd {shlex.quote(cwd)} 2>/dev/null || cannot {_NOT_RUNNABLE_CODE} {shlex.quote(f"working directory {cwd}: no such file or directory")}
program=
case {quoted} in
*/*) [ -e {quoted} ] && program={quoted} ;;
*) IFS=:; for folder in {path}; do
     if [ -f "${{folder:-.}}"/{quoted} ] && [ -x "${{folder:-.}}"/{quoted} ]; then program="${{folder:-.}}"/{quoted}; break; fi
   done; unset IFS ;;
esac
[ -n "$program" ] || cannot {_NOT_FOUND_CODE} {shlex.quote(f"command not found: {program}")}
[ -x "$program" ] && [ ! -d "$program" ] || cannot {_NOT_RUNNABLE_CODE} {shlex.quote(f"command not executable: {program}")}
exec /.howdah/busybox env -i {words} "$program" {shlex.join(rest)}
"""


def _move(source: Path, target: Path, names: list[str] | None = None) -> list[str]:
    """Move all that is in a folder into another one of the same file system; what was moved."""
    found = os.listdir(source)
    for name in found:
        os.rename(source / name, target / name)
        if name == "out" and names is None:
            os.chmod(target / name, stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    return found


def _stats(path: Path) -> tuple[int | None, float, float, int]:
    """Signal, CPU seconds of the user and the system, and the most memory of a single process, as `time` has them."""
    try:
        *notes, last = path.read_text().splitlines()
        _, user, system, memory = last.split()
    except (OSError, ValueError):  # `time` itself was killed
        return None, 0.0, 0.0, 0
    signal = next((int(note.split()[-1]) for note in notes if "signal" in note), None)
    return signal, float(user), float(system), int(memory) * 1024


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, _READ_BYTES)
    except BlockingIOError:
        return b""


def _gone(why: str) -> Unavailable:
    return Unavailable(ErrorKind.UNREACHABLE, f"the container that runs user code is gone: {why}; start another")
