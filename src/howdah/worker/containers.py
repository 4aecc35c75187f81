# SPDX-License-Identifier: Apache-2.0
"""The containers of one worker: one for each version of a pipeline, kept while it is used, and for the last few.

A container takes some 0.2 s to start and 2 ms to run a command, so it is kept from one claim to the next, of whatever
job; the one that was used longest ago makes room for another, and one that nobody used for a while ends. Code of
another pipeline or version never comes into it: what was there before could have left a trap in its files. The library
of the engine is loaded with the first claim that wants a container. How commands run in one: `container`.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from howdah.engine import LABEL, Limits, Settings
from howdah.engine.address import silence
from howdah.engine.loading import engine_class
from howdah.errors import ErrorKind, HowdahError, Refused
from howdah.model.refs import Pipeline
from howdah.model.units import parse_size
from howdah.worker.container import Container
from howdah.worker.container.rooms import remove_leftovers
from howdah.worker.nest import Mount
from howdah.worker.secrets import mounts
from howdah.worker.values import Claim

if TYPE_CHECKING:
    from howdah.engine import Engine

__all__ = ["DEFAULT_NETWORK", "IDLE_SECONDS", "KEPT", "ContainerSettings", "Containers", "settings_of"]

KEPT: Final = 4
IDLE_SECONDS: Final = 60.0
DEFAULT_NETWORK: Final = "bridge"

_log = logging.getLogger(__name__)

Start = Callable[[Settings, Sequence[Mount], bool], Container]
"""Starts one, with these files beside the image's, and its `/pfs` in memory or not."""


@dataclass(frozen=True, slots=True)
class ContainerSettings:
    """What a worker is told of containers: the engine's address, their network, and the label by which they are found.

    `owner` is the id of the lake, of the run of its server, and of this worker alone, with slashes between them.
    """

    engine: str
    network: str = DEFAULT_NETWORK
    owner: str = ""
    shell: str = ""  # a static busybox or an image of one, where it is not in a usual place
    read_only: bool = False  # but for /pfs and /tmp


@dataclass(frozen=True, slots=True)
class _Code:
    """Whose code runs: a pipeline that was deleted and made again is another one."""

    pipeline: Pipeline
    version: int
    spec_commit_id: str


@dataclass(slots=True)
class _Kept:
    code: _Code
    settings: Settings
    mounts: tuple[Mount, ...]
    in_memory: bool
    container: Container
    used_at: float


class Containers:
    """Starts containers when they are wanted. `of` is for one thread at a time, all else for any."""

    def __init__(
        self,
        start: Start,
        settings: ContainerSettings,
        *,
        kept: int = KEPT,
        idle_seconds: float = IDLE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start = start
        self._settings = settings
        self._most = kept
        self._idle_seconds = idle_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        # Guarded by _lock: the one used last is last. `_wanted` is not ended for being idle.
        self._kept: list[_Kept] = []
        self._wanted: Container | None = None
        self._timer: threading.Timer | None = None
        self._closed = False

    @classmethod
    def at(cls, settings: ContainerSettings, work: Path) -> "Containers":
        """Those of a worker with this work folder; what a killed one left in it is removed."""
        remove_leftovers(work)
        opened: list[Engine] = []

        def start(wanted: Settings, mounted: Sequence[Mount], in_memory: bool) -> Container:
            if not opened:
                opened.append(engine_class()(settings.engine))
            if settings.owner:
                made.remove_others(opened[0])
            return Container.start(opened[0], wanted, work, settings.shell, mounted, in_memory=in_memory)

        made = cls(start, settings)
        return made

    def of(self, claim: Claim) -> Container:
        """A container in which the commands of a claim run, started if there is none. It is in use until `rest`.

        Raises:
            Refused: NO_ENGINE: it cannot be started as things are, and why.
        """
        code = _Code(claim.job.pipeline, claim.pipeline_version, claim.spec_commit_id)
        wanted, mounted = settings_of(claim, self._settings), mounts(claim.secrets)
        in_memory = claim.spec.transform.memory_volume
        with self._lock:
            found = self._found(code, wanted, mounted, in_memory)
            # One that was idle may have been removed meanwhile, or gone with its engine: that is no datum's failure.
            if found is not None and (self._wanted is not None or found.container.alive):
                found.used_at, self._wanted = self._monotonic(), found.container
                return found.container
            gone = [] if found is None else [found]
            self._kept = [each for each in self._kept if each not in gone]
            spare = gone + self._kept[: max(0, len(self._kept) - self._most + 1)]
            self._kept = [each for each in self._kept if each not in spare]
        for each in spare:
            each.container.close()
        try:
            container = self._start(wanted, mounted, in_memory)
        except HowdahError as error:
            raise Refused(ErrorKind.NO_ENGINE, error.message) from error
        with self._lock:
            self._kept.append(_Kept(code, wanted, mounted, in_memory, container, self._monotonic()))
            self._wanted = container
        return container

    def silence(self) -> str:
        """Why the engine does not answer now; empty if it does."""
        return silence(self._settings.engine)

    def remove_others(self, engine: "Engine") -> None:
        """Remove the containers of this worker's label that are none of these.

        One that was killed left them, or they could not be removed while the engine was away.

        Raises:
            HowdahError: the engine does not answer, or will not.
        """
        with self._lock:
            own = {each.container.id for each in self._kept}
        for container in engine.leftovers(self._settings.owner):
            if container not in own:
                engine.remove(container)

    def rest(self) -> None:
        """No claim is at work: what nobody uses for so long from now on is ended."""
        with self._lock:
            self._wanted = None
            for each in self._kept:
                each.used_at = self._monotonic() if each is self._kept[-1] else each.used_at
            if self._kept and self._timer is None and not self._closed:
                self._timer = threading.Timer(self._idle_seconds, self.expire)
                self._timer.daemon = True
                self._timer.start()

    def expire(self) -> None:
        """End what nobody has used for too long."""
        before = self._monotonic() - self._idle_seconds
        with self._lock:
            self._timer = None
            idle = [each for each in self._kept if each.used_at <= before and each.container is not self._wanted]
            self._kept = [each for each in self._kept if each not in idle]
            more = bool(self._kept) and self._wanted is None
        for each in idle:
            each.container.close()
        if more:
            self.rest()

    def close(self) -> None:
        """End all of them. Repeating is harmless."""
        with self._lock:
            self._closed = True
            kept, self._kept = self._kept, []
            if self._timer is not None:
                self._timer.cancel()
        for each in kept:
            with suppress(HowdahError):
                each.container.close()

    def _found(self, code: _Code, wanted: Settings, mounted: tuple[Mount, ...], in_memory: bool) -> _Kept | None:
        """The container that is wanted, moved to the end; those that have died are forgotten."""
        self._kept = [each for each in self._kept if not each.container.closed]
        for each in self._kept:
            if (each.code, each.settings, each.mounts, each.in_memory) == (code, wanted, mounted, in_memory):
                self._kept.remove(each)
                self._kept.append(each)
                return each
        return None


def settings_of(claim: Claim, given: ContainerSettings) -> Settings:
    """How the container of a claim is made."""
    wanted = claim.spec.resource_limits
    limits = Limits()
    if wanted is not None:
        gpus = wanted.gpu.number if wanted.gpu is not None else 0
        limits = Limits(wanted.cpu, parse_size(wanted.memory) if wanted.memory else 0, gpus=gpus)
    return Settings(
        claim.image,
        user=claim.spec.transform.user,
        network=given.network,
        limits=limits,
        read_only=given.read_only,
        labels={LABEL: given.owner} if given.owner else {},
    )
