# SPDX-License-Identifier: Apache-2.0
"""The worker's end of a nest: start it, run commands in it, end it.

The nest itself is a process of its own (see `inside`), executed by a bare interpreter, so it may be
started before or after the worker has threads; it copies nothing of the worker but two descriptors a command.
"""

import fcntl
import os
import select
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from howdah.errors import BadRequest, ErrorKind, Unavailable
from howdah.worker.nest.inside import frames
from howdah.worker.nest.lines import LineCutter
from howdah.worker.nest.values import Command, ModeName, NestMode, Outcome
from howdah.worker.nest.words import is_plain, point_command

__all__ = ["Nest"]

_START_SECONDS: Final = 30  # binding a dead network disk can hang; then the folder is better than no work
_CLOSE_SECONDS: Final = 5  # what is left of the nest after its socket's end is killed from outside then
_READ_BYTES: Final = 65_536  # a pipe holds as much
# How often, and how long after another, output is looked for that the reading thread has not seen yet.
_DRAIN_LOOKS: Final = 2_000
_DRAIN_SECONDS: Final = 0.0005
_PROGRAM: Final = "import sys; sys.path.append(sys.argv[1]); from inside.main import main; main(sys.argv[2:])"
# The interpreter may need these to find its own libraries; nothing else of the worker's environment goes along.
_ENVIRONMENT: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")


class Nest:
    """Runs one command at a time, each in its own `/pfs`; make it by `start`.

    All methods may be called from any thread; a second `run` waits for the first.
    """

    def __init__(self, work: Path, mode: NestMode, process: "subprocess.Popen[bytes]", channel: frames.Channel) -> None:
        self._work = work
        self._mode = mode
        self._process = process
        self._channel = channel
        self._run_lock = threading.Lock()
        # Guards `_current` and sending, so that a CANCEL is sent after its RUN and never after its ENDED was seen.
        self._send_lock = threading.Lock()
        self._number = 0
        # The reading end of its output, to be read and handed out by one thread at a time; -1 between commands.
        self._reader = -1
        self._read_lock = threading.Lock()
        # The number of the command that runs now; None between commands.
        self._current: int | None = None

    @classmethod
    def start(cls, work: Path, hidden: Sequence[Path] = (), *, refuse_namespaces: bool = False) -> Self:
        """Start a nest; some 30 ms. It ends with `close`, and with this process however that ends.

        `work` is an existing folder below which every command's `pfs` folder lies. It is hidden from user code
        at its own path, and so are the existing files and folders `hidden`, with what is in them; give the folder
        above all nests' work folders there. With `refuse_namespaces`, or where the system gives none, nothing is
        hidden.

        Raises:
            BadRequest: a folder does not exist, or `/` is to be hidden, or the work folder's path has characters
                that shells read and there are no namespaces.
            Unavailable: no process can be started.
        """
        work, covered = _existing(work), [_existing(path, file=True) for path in hidden]
        reason = "namespaces were refused by the caller"
        if not refuse_namespaces:
            process, channel, reason = _launch(ModeName.NAMESPACES, work, covered)
            if not reason:
                return cls(work, NestMode(ModeName.NAMESPACES), process, channel)
        if not is_plain(os.fsencode(work)):
            raise BadRequest(
                ErrorKind.BAD_ARGUMENT,
                f"work folder {str(work)!r} cannot stand for /pfs in shell text ({reason}); "
                "choose a path of letters, digits and the marks - . _ + % @",
            )
        process, channel, failure = _launch(ModeName.FOLDER, work, covered)
        if failure:
            raise Unavailable(ErrorKind.BUSY, f"the process that runs user code did not start: {failure}; try again")
        return cls(work, NestMode(ModeName.FOLDER, reason), process, channel)

    @property
    def mode(self) -> NestMode:
        """How commands are contained here; never changes."""
        return self._mode

    @property
    def pid(self) -> int:
        """The nest's outermost process; with its death everything in the nest dies."""
        return self._process.pid

    def run(self, command: Command) -> Outcome:
        """Run a command and wait for its end; everything that it started is dead on return.

        A failing command is an outcome, not an error. `on_output` has had all its lines on return; if it raises,
        the command is killed and the exception goes on. Memory is bounded whatever the command writes.

        Raises:
            BadRequest: no words, a NUL in a word, `pfs` outside the work folder or missing; mounts without namespaces.
            Unavailable: the nest is closed or was killed; start another.
        """
        if self._mode.name is ModeName.FOLDER:
            self._refuse_mounts(command)
            command = point_command(command)
        with self._run_lock:
            self._number += 1
            run = _as_frame(self._number, command, self._shown_pfs(command.pfs), self._folder(command))
            with _output_pipe() as (reader, writer), _stdin_file(command.stdin) as stdin:
                try:
                    self._begin(run, stdin, writer)
                finally:
                    os.close(writer)  # or the pipe would never end
                try:
                    return self._follow(reader, command)
                finally:
                    with self._send_lock:
                        self._current = None
                    with self._read_lock:
                        self._reader = -1

    def cancel(self) -> bool:
        """Kill the command that runs now and all that it started; tell whether there was one. Does not wait."""
        with self._send_lock:
            if self._current is None:
                return False
            with suppress(Unavailable):  # then it is dead already, and `run` says so
                self._send(frames.CANCEL, frames.pack_cancel(self._current))
            return True

    def drain(self) -> None:
        """Return when `on_output` had all whole lines that the command had printed by now, or soon: it may go on."""
        for pause in (*repeat(_DRAIN_SECONDS, _DRAIN_LOOKS), None):
            with self._read_lock:
                if self._reader < 0 or pause is None or not _unread(self._reader):
                    return
            time.sleep(pause)  # the thread that reads is at it

    def close(self) -> None:
        """End the nest, and what runs in it; return when it is gone. Repeating is harmless.

        Not to be called by `on_output`, whose command it would wait for; `cancel` may be.
        """
        self._channel.shut()
        _end(self._process)
        with self._run_lock:  # a command that ran in another thread has seen the end of the socket
            self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _shown_pfs(self, pfs: Path) -> str:
        return "/pfs" if self._mode.name is ModeName.NAMESPACES else str(pfs)

    def _refuse_mounts(self, command: Command) -> None:
        """Without a root of its own a command would share the folder with everybody on this machine."""
        if command.mounts:
            text = f"a secret cannot be mounted on {command.mounts[0].path} without namespaces ({self._mode.reason})"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; take it from a variable (env_var and key) instead")

    def _folder(self, command: Command) -> str:
        """Name a command's folder relative to the work folder."""
        folder = os.path.realpath(command.pfs)
        if not folder.startswith(f"{self._work}/") or not os.path.isdir(folder):
            raise BadRequest(
                ErrorKind.BAD_ARGUMENT,
                f"folder {folder} cannot be /pfs: it is not an existing folder below {self._work}; make it there first",
            )
        return os.path.relpath(folder, self._work)

    def _begin(self, run: frames.Run, stdin: int, output: int) -> None:
        with self._send_lock:
            self._send(frames.RUN, run.pack(), (stdin, output))
            self._current = run.number

    def _send(self, kind: int, body: bytes, fds: tuple[int, ...] = ()) -> None:
        try:
            self._channel.send(kind, body, fds)
        except OSError as error:
            raise _gone() from error

    def _follow(self, reader: int, command: Command) -> Outcome:
        """Hand out output until the answer comes, then what is left of it."""
        with self._read_lock:
            self._reader = reader
        lines = LineCutter(command.on_output)
        try:
            ended = self._answer(reader, lines)
        except BaseException:
            # `on_output` raised, or the thread was interrupted: nothing may go on behind the caller's back.
            if self.cancel():
                self._answer(reader, LineCutter(lambda _: None))
            raise
        while self._feed(reader, lines):
            pass
        lines.finish()
        return Outcome(
            exit_code=ended.exit_code,
            signal=ended.signal or None,
            timed_out=ended.timed_out,
            cancelled=ended.cancelled,
            seconds=ended.seconds,
            cpu_seconds=ended.cpu_seconds,
            memory_max_bytes=ended.memory_max_bytes,
            error=ended.error,
        )

    def _feed(self, reader: int, lines: LineCutter) -> bool:
        """Read once and hand out; False if there was nothing."""
        with self._read_lock:
            data = _read(reader)
            if data:
                lines.feed(data)
        return bool(data)

    def _answer(self, reader: int, lines: LineCutter) -> frames.Ended:
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(reader, select.POLLIN)
        while True:
            ready = dict(poll.poll())
            if reader in ready and not self._feed(reader, lines):
                poll.unregister(reader)  # all its writers are gone; the answer follows
            if self._channel.fileno() in ready:
                frame = self._channel.receive()
                if frame is None:
                    raise _gone()
                return frames.Ended.unpack(frame.body)


def _gone() -> Unavailable:
    return Unavailable(ErrorKind.UNREACHABLE, "the process that runs user code is gone; start another nest")


def _existing(path: Path, *, file: bool = False) -> Path:
    real = Path(os.path.realpath(path))
    if real == Path("/") or not (real.is_dir() or (file and real.is_file())):
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{path} is not a folder of its own; make it, or give another")
    return real


def _launch(
    mode: ModeName, work: Path, hidden: Sequence[Path]
) -> tuple["subprocess.Popen[bytes]", frames.Channel, str]:
    """Start the nest's process and wait for its first word; a reason instead of "" means that it is gone again."""
    ours, theirs = socket.socketpair()
    with theirs:
        words = [str(theirs.fileno()), str(os.getpid()), mode.value, str(work), *map(str, hidden)]
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, str(Path(__file__).parent), *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd="/",
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise Unavailable(
                ErrorKind.BUSY, f"the process that runs user code cannot be started: {error}; try again later"
            ) from error
    channel = frames.Channel(ours)
    reason = _first_word(ours, channel)
    if reason:
        channel.close()
        _end(process)
    return process, channel, reason


def _first_word(ours: socket.socket, channel: frames.Channel) -> str:
    ours.settimeout(_START_SECONDS)
    try:
        frame = channel.receive()
    except TimeoutError:
        return f"no answer within {_START_SECONDS} s"
    finally:
        ours.settimeout(None)
    if frame is None:
        return "it ended at once"
    return "" if frame.kind == frames.READY else frame.body.decode("utf-8", "replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a nest whose socket is closed; kill it if it takes long."""
    try:
        process.wait(_CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _as_frame(number: int, command: Command, shown_pfs: str, folder: str) -> frames.Run:
    env = {os.fsencode(name): os.fsencode(value) for name, value in command.env.items()}
    env[b"PFS"] = os.fsencode(shown_pfs)
    argv = tuple(map(os.fsencode, command.argv))
    cwd = os.fsencode(command.cwd)
    if not argv:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, "command has no words; give at least a program")
    mounts = tuple((os.fsencode(each.path), _named(each.files)) for each in command.mounts)
    words = [cwd, *argv, *env, *env.values(), *(word for path, files in mounts for word in (path, *files))]
    if any(b"\0" in word for word in words) or any(not n or b"=" in n for n in env):
        raise BadRequest(
            ErrorKind.BAD_ARGUMENT,
            f"command {command.argv[0]!r} has a NUL in a word, or a variable with an empty name or '='; remove it",
        )
    user = b""
    if command.user is not None:
        uid, gid, groups = command.user
        user = b",".join(b"%d" % each for each in (uid, gid, *groups))
    return frames.Run(number, cwd, os.fsencode(folder), argv, env, command.timeout, user, mounts)


def _named(files: Mapping[str, bytes]) -> dict[bytes, bytes]:
    return {os.fsencode(name): data for name, data in files.items()}


@contextmanager
def _output_pipe() -> Iterator[tuple[int, int]]:
    """Make a pipe whose reading end never blocks; the user of this closes the writing end itself."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    try:
        yield reader, writer
    finally:
        os.close(reader)


@contextmanager
def _stdin_file(data: bytes) -> Iterator[int]:
    """Give a descriptor from which `data` can be read: a file in memory, so that nobody has to feed a pipe."""
    with _memory_file() if data else open(os.devnull, "rb") as file:
        if data:
            file.write(data)
            file.seek(0)
        yield file.fileno()


def _memory_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("stdin"), "w+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def _unread(reader: int) -> int:
    """How many bytes wait in a pipe."""
    count = array("i", [0])
    fcntl.ioctl(reader, termios.FIONREAD, count)
    return count[0]


def _read(reader: int) -> bytes:
    """Read what is there; nothing at the end, and when nothing is there now."""
    try:
        return os.read(reader, _READ_BYTES)
    except BlockingIOError:
        return b""
