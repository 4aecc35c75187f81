# SPDX-License-Identifier: Apache-2.0
"""A person's terminal joined to another one: what is typed goes there, and what that prints comes here.

For `run --local --shell`. Works with standard input and output that are no terminals too; what ends there is an end of
input on the other side.
"""

import contextlib
import os
import select
import shutil
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["join"]

_STDIN, _STDOUT = 0, 1
_END_OF_INPUT: Final = b"\x04"
_LOOK_MILLISECONDS: Final = 100
_PIECE_BYTES: Final = 65_536


def join(there: int, resize: Callable[[int, int], object], over: Callable[[], bool] = lambda: False) -> None:
    """Carry bytes both ways until the other side ends, or is `over` and has printed all.

    `there` is its descriptor, `resize` is told rows and columns: at once, and when they change.
    """
    with _raw(), _sized(resize):
        poll = select.poll()
        poll.register(there, select.POLLIN)
        poll.register(_STDIN, select.POLLIN)
        while True:
            ready = dict(poll.poll(_LOOK_MILLISECONDS))
            if there in ready:
                data = _read(there)
                if not data:
                    return
                _write(_STDOUT, data)
            elif over():
                return
            if _STDIN in ready and not _pass_on(there):
                poll.unregister(_STDIN)


def _pass_on(there: int) -> bool:
    """Carry what was typed; False if no more comes."""
    data = os.read(_STDIN, _PIECE_BYTES)
    with contextlib.suppress(OSError):  # it is gone; the next look says so
        _write(there, data or _END_OF_INPUT)
    return bool(data)


@contextmanager
def _raw() -> Iterator[None]:
    """Have keys come as they are typed, Ctrl-C too: the other terminal knows what they mean."""
    if not os.isatty(_STDIN):
        yield
        return
    before = termios.tcgetattr(_STDIN)
    try:
        tty.setraw(_STDIN)
        yield
    finally:
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)


@contextmanager
def _sized(resize: Callable[[int, int], object]) -> Iterator[None]:
    def tell(*_: object) -> None:
        size = shutil.get_terminal_size()
        resize(size.lines, size.columns)

    tell()
    before = signal.signal(signal.SIGWINCH, tell)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _read(there: int) -> bytes:
    try:
        return os.read(there, _PIECE_BYTES)
    except OSError:  # the other side of a terminal that nobody has open any more
        return b""


def _write(to: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(to, view) :]
