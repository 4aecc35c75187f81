# SPDX-License-Identifier: Apache-2.0
"""A container in which one worker runs commands of one image, one after another: a nest of another kind.

It is started once and kept. Its `/pfs` is a folder of the worker's, into which what a command may see is moved
before it runs, and out of which it is moved afterwards: renames, whatever it holds. Its first process is a static
shell of the host's with `keeper.sh`, so an image needs nothing of ours, not even a shell of its own. All else that is
shared with it cannot be written from inside, so user code can lay no trap for the worker there.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from howdah.engine import Settings
from howdah.errors import BadRequest, ErrorKind, HowdahError, Unavailable, Unsupported
from howdah.worker.below import open_to_all, opened, rights_to
from howdah.worker.container.outcomes import KILLED, SIGNAL_CODES, outcome_of
from howdah.worker.container.pipes import Pipes
from howdah.worker.container.relay import Relay
from howdah.worker.container.rooms import Rooms
from howdah.worker.container.script import why_script, write_script
from howdah.worker.container.shell import find_shell
from howdah.worker.folders import OUT
from howdah.worker.nest.lines import LineCutter
from howdah.worker.nest.values import Command, ModeName, Mount, NestMode, Outcome

if TYPE_CHECKING:
    from howdah.engine import Engine

__all__ = ["Container"]

_LOOK_SECONDS: Final = 1.0  # how often a silent container is asked whether it is still alive
_START_LOOKS: Final = 60  # it takes milliseconds
_KILL_SECONDS: Final = 10.0  # user code may kill who kills it; then the whole container goes
_DRAIN_LOOKS: Final = 2_000
_DRAIN_SECONDS: Final = 0.0005
_KEEPER: Final = "/.howdah/keeper.sh"
_EVERYBODYS: Final = 0o777
_OWNERS: Final = 0o700


class Container:
    """Runs one command at a time in a container of its own; make it by `start`. As `Nest`, and for as many threads."""

    def __init__(self, engine: "Engine", settings: Settings, rooms: Rooms, pipes: Pipes, container: str) -> None:
        self._engine = engine
        self._container = container
        self._rooms = rooms
        self._pipes = pipes
        self._variables = engine.variables(settings.image)
        self._working_dir = engine.working_dir(settings.image)
        self._number = 0
        self._run_lock = threading.Lock()
        self._lock = threading.Lock()
        # Guarded by _lock: whether a command runs, whether it was cancelled, and whether no further one may run.
        self._running = self._cancelled = self._closed = False
        self._swept = False  # guarded by _run_lock: whether what is here of it was removed
        self._pid = 0  # of its first process, once it was seen

    @classmethod
    def start(
        cls,
        engine: "Engine",
        settings: Settings,
        work: Path,
        shell: str = "",
        mounts: Sequence[Mount] = (),
        *,
        in_memory: bool = False,
    ) -> Self:
        """Start a container; some 0.2 s. It ends with `close`, and with this process however that ends.

        `work` is an existing folder; below it, or with `in_memory` below its volume there (`worker.volumes`), every
        command's `pfs` folder lies, all in one file system. The container sees none of it but the folder of the
        command that runs; and `mounts`, which only it can read.
        `shell` is what goes into it, if it is not this machine's (`find_shell`).

        Raises:
            NotFound: IMAGE_NOT_FOUND.
            Refused: ENGINE_REFUSED: it cannot be started.
            Unavailable: the engine is gone, or there is no shell on this machine.
        """
        rooms = Rooms(work, find_shell(shell, engine, work), mounts, in_memory=in_memory)
        pipes = Pipes(rooms.tools)
        container = ""
        try:
            container = engine.create(settings, rooms.binds(), ("/.howdah/busybox", "sh", _KEEPER))
            engine.start(container)
            _await_keeper(engine, container, pipes)
            return cls(engine, settings, rooms, pipes, container)
        except BaseException:
            pipes.close()
            with suppress(HowdahError):
                if container:
                    engine.remove(container)
            rooms.close()
            raise

    @property
    def mode(self) -> NestMode:
        """How commands are contained here."""
        return NestMode(ModeName.CONTAINER)

    @property
    def id(self) -> str:
        """The engine's name of the container."""
        return self._container

    @property
    def pid(self) -> int:
        """The container's first process, for `worker.meter`; 0 if the engine's processes are not seen from here."""
        with suppress(HowdahError):
            pid = self._pid or int(self._engine.state(self._container).get("Pid") or 0)
            # The engine of another machine has numbers of its own, which mean somebody else here.
            self._pid = pid if _is_keeper(pid) else 0
        return self._pid

    @property
    def pfs(self) -> Path:
        """The folder that is `/pfs` in there. A command that is given it sees what is put there while it runs."""
        return self._rooms.pfs

    @property
    def closed(self) -> bool:
        """Whether it runs nothing any more; start another then."""
        return self._closed

    @property
    def alive(self) -> bool:
        """Whether it is there and can run something; False, too, where that cannot be found out."""
        if self._closed:
            return False
        if self.pid:
            return True
        with suppress(HowdahError):
            return bool(self._engine.state(self._container).get("Running"))
        return False

    def run(self, command: Command) -> Outcome:
        """Run a command and wait for its end; as `Nest.run`. An empty `cwd` is the image's own.

        Raises:
            BadRequest: no words, a NUL in a word, `pfs` outside the work folder or missing.
            Unsupported: a user or mounts of the command's own; a container has those that it was made with.
            Unavailable: the container is closed, or died; start another.
        """
        with self._run_lock:
            self._check(command)
            self._number += 1
            self._begin(command)
            relay = Relay(self._rooms.tools, command.port) if command.port else None
            moved = command.pfs != self.pfs
            if moved:
                _move(command.pfs, self.pfs)
                open_to_all(str(self.pfs), OUT)
            try:
                self._pipes.ask(self._number)
                return self._follow(command)
            finally:
                with self._lock:
                    self._running = False
                if relay is not None:
                    relay.close()
                if moved:
                    self._give_back(command.pfs)

    def cancel(self) -> bool:
        """Kill the command that runs now and all that it started; tell whether there was one. Does not wait."""
        with self._lock:
            if self._running:
                self._cancelled = True
                self._pipes.cancel(self._number)
            return self._running

    def drain(self) -> None:
        """Return when `on_output` had all whole lines that the command had printed by now, or soon: it may go on."""
        for pause in repeat(_DRAIN_SECONDS, _DRAIN_LOOKS):
            with self._lock:
                if not self._running or self._closed or not self._pipes.unread():
                    return
            time.sleep(pause)  # the thread that reads is at it

    def close(self) -> None:
        """Remove the container with what runs in it; return when it is gone. Repeating is harmless.

        Not to be called by `on_output`, whose command it would wait for; `cancel` may be.
        """
        self._end()
        with self._run_lock:  # a command that ran in another thread has been told
            if not self._swept:
                self._swept = True
                self._pipes.close()
                self._rooms.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _give_back(self, folder: Path) -> None:
        """Move what is in `/pfs` to where it came from. User code may have taken the rights to it from us.

        Raises:
            Unavailable: it cannot be moved; the container is at its end.
        """
        try:
            os.chmod(self.pfs, _EVERYBODYS)
            _move(self.pfs, folder)
        except OSError as error:
            self._end()
            raise _gone(f"what is in its /pfs cannot be had back: {(error.strerror or str(error)).lower()}") from error

    def _end(self) -> None:
        """Have the container gone, and no further command begin."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        with suppress(HowdahError):  # an engine that is gone; the closed pipes end the keeper then
            self._engine.remove(self._container)
        self._pipes.wake()

    def _check(self, command: Command) -> None:
        words = (*command.argv, command.cwd, *command.env, *command.env.values())
        if not command.argv or "" in command.env or any("\0" in word for word in words):
            raise BadRequest(ErrorKind.BAD_ARGUMENT, "a command has no words, or a NUL in one; mend it")
        if command.user is not None or command.mounts:
            raise Unsupported(
                ErrorKind.UNSUPPORTED,
                "a command in a container has neither a user nor mounts of its own; make the container with them",
            )
        folder, volume = os.path.realpath(command.pfs), self._rooms.volume
        if not folder.startswith(f"{volume}/") or not os.path.isdir(folder):
            raise BadRequest(
                ErrorKind.BAD_ARGUMENT,
                f"folder {folder} cannot be /pfs: it is not an existing folder below {volume}; make it there first",
            )

    def _begin(self, command: Command) -> None:
        with self._lock:
            if self._closed:
                raise _gone("it was closed")
            self._running, self._cancelled = True, False
        env = {**self._variables, **command.env, "PFS": "/pfs"}
        cwd = command.cwd or self._working_dir
        tools = self._rooms.tools
        (tools / "stdin").write_bytes(command.stdin)
        (tools / "run").write_text(write_script(command.argv, env, cwd, command.port))
        (tools / "why").write_text(why_script(command.argv, env, cwd))

    def _follow(self, command: Command) -> Outcome:
        lines = LineCutter(command.on_output)
        began = time.monotonic()
        timed_out = False
        try:
            code = self._wait(lines.feed, began + command.timeout if command.timeout is not None else None)
            if code is None:
                timed_out = True
                code = self._killed(lines.feed)
            while data := self._pipes.output():
                lines.feed(data)
            lines.finish()
        except BaseException:
            self._pipes.cancel(self._number)
            if not self._closed:
                self._killed(_ignore)
            raise
        seconds = time.monotonic() - began
        return outcome_of(code, self._pipes.notes(), seconds, timed_out=timed_out, cancelled=self._cancelled)

    def _wait(self, feed: Callable[[bytes], None], until: float | None) -> int | None:
        """Hand out what is printed until the command has ended; its code, or None if its time is over before."""
        while True:
            left = _LOOK_SECONDS if until is None else min(_LOOK_SECONDS, until - time.monotonic())
            if left <= 0:
                return None
            ready = self._pipes.wait(round(1000 * left) + 1)
            if "output" in ready:
                feed(self._pipes.output())
            if "results" in ready:
                for number, code in self._pipes.results():
                    if number == self._number:
                        return code
            if self._closed:
                raise _gone("it was closed")
            if not ready:
                self._check_alive()
            if self._cancelled and until is None:
                until = time.monotonic() + _KILL_SECONDS

    def _killed(self, feed: Callable[[bytes], None]) -> int:
        """Kill the command, by the keeper if it can, with the container if not; its code."""
        self._pipes.cancel(self._number)
        try:
            code = self._wait(feed, time.monotonic() + _KILL_SECONDS)
        except Unavailable:
            code = None
        if code is None:
            self._end()
        return SIGNAL_CODES + KILLED if code is None else code

    def _check_alive(self) -> None:
        try:
            state = self._engine.state(self._container)
        except HowdahError as error:
            if self._pid and _is_keeper(self._pid):
                return  # containers may outlive their engine
            state = {"Error": error.message.partition(";")[0]}
        if not state.get("Running"):
            self._end()
            why = "it ran out of memory" if state.get("OOMKilled") else str(state.get("Error") or "it was ended")
            raise _gone(why)


def _move(source: Path, target: Path) -> None:
    """Move all that is in a folder into another one of the same file system, whatever it is."""
    with opened(str(source)) as here, opened(str(target)) as there:
        for name in os.listdir(here):
            try:
                os.rename(name, name, src_dir_fd=here, dst_dir_fd=there)
            except PermissionError:  # a folder that may not be written cannot be moved, but by root
                rights_to(here, name, _OWNERS)
                os.rename(name, name, src_dir_fd=here, dst_dir_fd=there)


def _await_keeper(engine: "Engine", container: str, pipes: Pipes) -> None:
    """Return when no command that runs in there can take part in the talk with the keeper."""
    for _ in range(_START_LOOKS):
        if pipes.shut(round(1000 * _LOOK_SECONDS)):
            return
        state = engine.state(container)
        if not state.get("Running"):
            break
    why = str(state.get("Error") or "its first process does not answer")
    raise Unavailable(ErrorKind.UNREACHABLE, f"container {container[:12]} did not start: {why}; try again")


def _is_keeper(pid: int) -> bool:
    """Whether that is the first process of a container, and alive."""
    with suppress(OSError):
        return _KEEPER.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _ignore(data: bytes) -> None:
    """Drop what is printed by a command that nobody follows any more."""


def _gone(why: str) -> Unavailable:
    return Unavailable(ErrorKind.UNREACHABLE, f"the container that runs user code is gone: {why}; start another")
