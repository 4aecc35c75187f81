# SPDX-License-Identifier: Apache-2.0
"""End a worker with its server: a pipe that the server holds open tells of the server's death by its end.

A pipe and not the kernel's parent-death signal, which tells the death of the *thread* that started the worker
and is Linux's alone.
"""

import os
import signal
import threading

__all__ = ["end_with"]


def end_with(pipe: int) -> None:
    """Kill this process, without any cleaning up, when the other end of `pipe` is closed; return at once.

    Give it the reading end of a pipe of which the parent alone holds the writing end. The nest of this
    process, and all that runs in it, ends by the same death.
    """
    threading.Thread(target=_wait, args=(pipe,), name="lifeline", daemon=True).start()


def _wait(pipe: int) -> None:
    while os.read(pipe, 4096):
        pass  # nothing is ever said on it; whatever comes is not its end
    os.kill(os.getpid(), signal.SIGKILL)
