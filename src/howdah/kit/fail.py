# SPDX-License-Identifier: Apache-2.0
"""Failpoints: named places at which a crash test can hold a process still, to kill it from outside.

`here(name)` costs one dictionary look-up unless the process was started with

    HOWDAH_FAILPOINT=name[:nth]   stop for ever when `name` is reached the nth time (default: first)
    HOWDAH_FAILPOINT_FILE=path    append "name pid" to this file first, so that the killer knows

A process that stops here holds its locks and its half-done work exactly as a power cut would find
them. Tests inside one process use `during(name, action)` instead.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["during", "here"]

_actions: dict[str, Callable[[], None]] = {}


def here(name: str) -> None:
    """Do nothing, unless a test armed the failpoint `name`."""
    if _actions and (action := _actions.get(name)) is not None:
        action()


@contextmanager
def during(name: str, action: Callable[[], None]) -> Iterator[None]:
    """Run `action` each time `name` is reached inside the block; whatever it raises comes out of `here`."""
    _actions[name] = action
    try:
        yield
    finally:
        del _actions[name]


def _arm_from_environment() -> None:
    setting = os.environ.get("HOWDAH_FAILPOINT", "")
    if not setting:
        return
    name, _, nth = setting.partition(":")
    remaining = [int(nth or 1)]
    lock = threading.Lock()

    def stop() -> None:
        with lock:
            remaining[0] -= 1
            if remaining[0] != 0:
                return
        if path := os.environ.get("HOWDAH_FAILPOINT_FILE"):
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{name} {os.getpid()}\n")
        threading.Event().wait()

    _actions[name] = stop


_arm_from_environment()
