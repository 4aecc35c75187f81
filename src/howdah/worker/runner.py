# SPDX-License-Identifier: Apache-2.0
"""Where commands of a claim run: in the one nest of a worker, or in a container of the claim's image.

Something for `attempts` that always runs, and can be stopped: what died is replaced.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from howdah.errors import ErrorKind, Refused, Unavailable
from howdah.worker.container import Container
from howdah.worker.container.outcomes import lost
from howdah.worker.containers import Containers
from howdah.worker.meter import Meter
from howdah.worker.nest import Command, ModeName, Nest, Outcome
from howdah.worker.values import Claim, Held

__all__ = ["Runner"]

_LOOK_AGAIN_SECONDS: Final = 0.001  # a command that is about to begin has begun, or failed to, by then

_log = logging.getLogger(__name__)


class Runner:
    """Runs commands of one claim after another. `start` makes a nest, for folders in memory or for those on disk.

    The one for those on disk is started at once.

    Raises (also when made):
        BadRequest, Unavailable: no nest can be started.
    """

    def __init__(self, start: Callable[[bool], Nest], containers: Containers | None = None) -> None:
        """Without `containers`, claims that want one are refused."""
        self._start = start
        first = start(False)
        self._mode = first.mode  # of the one that was started last; they differ by accident only
        # By whether `/pfs` is in memory; that one is started when a pipeline comes that wants it.
        self._nests = {False: first}
        self._containers = containers
        # Where the command runs that runs now, or the last one.
        self._place: Nest | Container = first
        self._idle = threading.Event()
        self._idle.set()

    def containment(self, claim: Claim) -> str:
        """How commands are contained: "container", "namespaces", or "folder" and why not better."""
        if claim.image:
            return str(ModeName.CONTAINER)
        mode = self._mode
        return str(mode.name) if mode.name is ModeName.NAMESPACES else f"{mode.name}: {mode.reason}"

    @property
    def is_contained(self) -> bool:
        """Whether all that a command of any claim started is surely dead when it has run."""
        return self._mode.name is ModeName.NAMESPACES

    def shows_pfs(self, claim: Claim) -> bool:
        """Whether commands of a claim see their folder as `/pfs`."""
        return bool(claim.image) or self.is_contained

    def stage(self, claim: Claim) -> str | None:
        """The folder that is `/pfs` for all commands of a claim; None if each has its own.

        Raises:
            Refused: NO_ENGINE: a container cannot be had now.
        """
        return str(self._container(claim).pfs) if claim.image else None

    def run(self, held: Held, command: Command) -> Outcome | None:
        """Run a command of that claim; None if the nest died of it, or it was not begun because the claim is over.

        Raises:
            BadRequest: nobody can run this command.
            Refused: NO_ENGINE: a container cannot be had now.
            Unavailable: the nest died and no other can be started.
        """
        self._idle.clear()
        try:
            if held.over:  # looked at after `_idle` is cleared: see `cancel`
                return None
            if held.claim.image:
                return self._run_in_container(self._container(held.claim), command)
            self._place = nest = self._nest_of(held.claim)
            return nest.run(command)
        except Unavailable as error:
            _log.warning("%s", error.message)
            in_memory = held.claim.spec.transform.memory_volume
            if (dead := self._nests.pop(in_memory, None)) is not None:
                dead.close()
            self._nest_of(held.claim)
            return None
        finally:
            self._idle.set()

    def cancel(self) -> None:
        """Kill the command that runs now, if there is one; one that is just beginning, too."""
        while not self._idle.is_set() and not self._place.cancel():
            self._idle.wait(_LOOK_AGAIN_SECONDS)

    def drain(self) -> None:
        """Return when what the command that runs now has printed so far was handed out."""
        self._place.drain()

    def rest(self) -> None:
        """No claim is at work."""
        if self._containers is not None:
            self._containers.rest()

    def meter(self, claim: Claim) -> Meter:
        """Read from now on what commands of a claim use, until what runs them is replaced; the caller closes it."""
        return Meter(self._container(claim).pid if claim.image else self._nest_of(claim).pid)

    def close(self) -> None:
        """Kill what runs, and end the nests and all containers."""
        for nest in self._nests.values():
            nest.close()
        if self._containers is not None:
            self._containers.close()

    def _nest_of(self, claim: Claim) -> Nest:
        in_memory = claim.spec.transform.memory_volume
        if in_memory not in self._nests:
            self._nests[in_memory] = self._start(in_memory)
            self._mode = self._nests[in_memory].mode
        return self._nests[in_memory]

    def _container(self, claim: Claim) -> Container:
        if self._containers is None:
            text = f"worker {claim.worker_id} was not told of a container engine, and image {claim.image} needs one"
            raise Refused(ErrorKind.NO_ENGINE, f"{text}; start it with --engine")
        return self._containers.of(claim)

    def _run_in_container(self, container: Container, command: Command) -> Outcome:
        self._place = container
        began = time.monotonic()
        try:
            return container.run(command)
        except Unavailable as error:  # it died, and what it ran with it
            container.close()
            why, _, _ = error.message.removeprefix("the container that runs user code is gone: ").partition(";")
            if self._containers is not None and (silence := self._containers.silence()):
                # That is no fault of user code, which may have one try only; whoever claims the rest begins anew.
                text = f"a datum was ended together with its container: {why}, and its engine does not answer"
                raise Refused(ErrorKind.NO_ENGINE, f"{text} ({silence}); it runs again when that is back") from error
            return lost(why, time.monotonic() - began)
