# SPDX-License-Identifier: Apache-2.0
"""Run commands one after another, as the worker asks, until the worker is gone.

One thread, two things to wait for: the worker's socket and the death of a child. So a run learns at once of
a CANCEL and of the worker's end, and nothing is ever left running by either.
"""

import os
import select
import signal
import sys
import time
from typing import Final

from . import frames, spawn
from .ground import Ground

__all__ = ["Keeper"]

_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes there, KiB elsewhere
_SIGNALLED: Final = 128  # exit code of a killed command, as shells give it: 128 + signal


class _WorkerGoneError(Exception):
    """The other end of the socket is closed."""


class Keeper:
    """Serves one worker on one ground."""

    def __init__(self, channel: frames.Channel, ground: Ground) -> None:
        """Take over SIGCHLD of this process: its arrival wakes `poll`."""
        self._channel = channel
        self._ground = ground
        # The command that was started and is not reaped yet; 0 between commands.
        self._leader = 0
        self._wake, wakes = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wakes, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)

    def serve(self) -> None:
        """Run what is asked for; return when the worker is gone and everything that was started is dead."""
        try:
            while (frame := self._channel.receive()) is not None:
                if frame.kind == frames.RUN:
                    self._run(frames.Run.unpack(frame.body), *frame.fds)
                # else a CANCEL that came too late: its run has ended
        except (_WorkerGoneError, BrokenPipeError, ConnectionResetError):
            pass
        finally:
            if self._leader:
                self._ground.kill(self._leader)
                self._ground.reap(self._leader)

    def _run(self, run: frames.Run, stdin: int, output: int) -> None:
        began = time.monotonic()
        shown = False
        try:
            self._ground.show(run.pfs)
            shown = True
            for path, files in run.mounts:
                self._add(path, files, run.user)
            self._leader = spawn.start(run.argv, run.env, run.cwd, stdin, output, run.user)
        except spawn.CannotStartError as refusal:
            ended = _not_run(run.number, refusal.exit_code, refusal.text)
        except OSError as error:
            ended = _not_run(run.number, spawn.NOT_STARTED, f"cannot show /pfs: {error.strerror or error}")
        else:
            ended = self._wait(run, began)
        finally:
            os.close(stdin)
            os.close(output)
        self._channel.send(frames.ENDED, ended.pack())
        # After the answer: unbinding waits for the kernel, while the worker already goes on.
        if shown:
            self._ground.hide()

    def _add(self, path: bytes, files: dict[bytes, bytes], user: bytes) -> None:
        try:
            owner = [int(each) for each in user.split(b",")[:2]] if user else [-1, -1]
            self._ground.add(path, files, (owner[0], owner[1]))
        except OSError as error:
            reason = error.strerror or str(error)
            text = f"files cannot be mounted on {os.fsdecode(path)}: {reason.lower()}; give another folder"
            raise spawn.CannotStartError(spawn.NOT_STARTED, text) from error

    def _wait(self, run: frames.Run, began: float) -> frames.Ended:
        """Wait for the command's end, or bring it about; everything that it started is dead on return."""
        deadline = None if run.timeout is None else began + run.timeout
        timed_out = cancelled = False
        while True:
            # Looked for before waiting as well: the child may have died before we polled for the first time.
            pid, status, usage = os.wait4(self._leader, os.WNOHANG)
            if pid:
                break
            if not timed_out and deadline is not None and time.monotonic() >= deadline:
                timed_out, deadline = True, None
                self._ground.kill(self._leader)
            if self._cancel_arrived(run.number, deadline):
                cancelled, deadline = True, None
                self._ground.kill(self._leader)
        seconds = time.monotonic() - began
        self._ground.reap(self._leader)
        self._leader = 0
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return frames.Ended(
            number=run.number,
            exit_code=_SIGNALLED + number if number else os.WEXITSTATUS(status),
            signal=number,
            timed_out=timed_out,
            cancelled=cancelled and not timed_out,
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            memory_max_bytes=usage.ru_maxrss * _RSS_UNIT,
            error="",
        )

    def _cancel_arrived(self, number: int, deadline: float | None) -> bool:
        """Wait until something happens or `deadline` comes; tell whether it was a CANCEL of this run."""
        if not self._channel.pending():
            milliseconds = None if deadline is None else max(0, deadline - time.monotonic()) * 1000 + 1
            ready = {fd for fd, _ in self._poll.poll(milliseconds)}
            if self._wake in ready:
                os.read(self._wake, 4096)
            if self._channel.fileno() not in ready:
                return False
        frame = self._channel.receive()
        if frame is None:
            raise _WorkerGoneError
        return frame.kind == frames.CANCEL and frames.cancel_number(frame.body) == number


def _not_run(number: int, exit_code: int, error: str) -> frames.Ended:
    return frames.Ended(number, exit_code, 0, False, False, 0.0, 0.0, 0, error)
