# SPDX-License-Identifier: Apache-2.0
"""The images of pipelines: what their tags name, and that the engine has them.

Asked when a version is made (`choose`), and before its datums are given to workers (`fetch`). When that is, what is
tried again, and what people are told of it, is the matter of `pps.image_keeper`. How a version runs at all:
`pps.executions`.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from howdah.db.engine import Database
from howdah.engine.images import Credentials, Image, Progress
from howdah.errors import ErrorKind, HowdahError, NotFound, Refused
from howdah.model.refs import Pipeline
from howdah.model.spec import PipelineSpec
from howdah.pps import execution_rows, pipeline_rows
from howdah.pps.executions import ALWAYS, AS_PROCESS, NEVER, PROCESS, Execution, ExecutionRules, decide, moved
from howdah.pps.registries import credentials_for
from howdah.pps.secrets import Secrets

__all__ = ["ImageSource", "Images"]

_log: Final = logging.getLogger(__name__)


class ImageSource(Protocol):
    """A container engine, as far as its images are concerned; `howdah.engine.EngineAt` is one."""

    address: str

    def silence(self) -> str:
        """Why it does not answer; empty if it does. Cheap."""

    def find(self, name: str) -> Image | None:
        """An image that it has."""

    def pull(
        self,
        name: str,
        credentials: Credentials | None,
        told: Callable[[Progress], None],
        stopping: Callable[[], bool],
    ) -> None:
        """Fetch an image from its registry."""

    def registry_digest(self, name: str, credentials: Credentials | None) -> str:
        """The exact name of what a tag is in its registry; empty if it cannot ask."""


class Images:
    """The images of a lake's pipelines, on one engine or none. Safe for many threads."""

    def __init__(
        self, db: Database, secrets: Secrets, rules: ExecutionRules, source: ImageSource | None = None
    ) -> None:
        """Without a `source` everything that is made runs as a process, whatever the rules say."""
        self._db = db
        self._secrets = secrets
        self._rules = rules if source is not None else replace(rules, execution=PROCESS)
        self._source = source

    def check(self, spec: PipelineSpec, user_spec: str) -> Execution:
        """How a version with this spec would run; what its image is exactly is not asked.

        Raises:
            BadRequest: BAD_SPEC: no image can be called so.
            Refused: NO_ENGINE.
        """
        if self._source is None or self._rules.execution == PROCESS:
            return AS_PROCESS
        return decide(self._rules, spec, user_spec, self._source.address, self._source.silence())

    def choose(self, spec: PipelineSpec, user_spec: str) -> Execution:
        """How a version with this spec is to run, and in which image exactly if that is known without fetching it.

        A version that names the same image as the one before, of which nothing else becomes known, keeps that one.

        Raises:
            BadRequest, Refused: as `check`.
            NotFound, BadRequest, Refused: a secret for its registry is not there, or cannot be used.
        """
        chosen = self.check(spec, user_spec)
        if not chosen.in_container:
            return chosen
        with self._db.read() as tx:
            row = pipeline_rows.find(tx, Pipeline(spec.project, spec.name))
            before = AS_PROCESS if row is None else execution_rows.get(tx, row.id, row.version)
            credentials = credentials_for(tx, self._secrets, spec)
        known = before.digest if before.image == chosen.image else ""
        try:
            digest = self._resolved(chosen.image, known, credentials)
        except HowdahError as error:  # it is tried again before the first datum runs
            reason, _, _ = error.message.partition(";")
            kept = f"; it stays {known}" if known else "; it is tried again"
            return replace(chosen, digest=known, note=f"what image {chosen.image} is now is not known: {reason}{kept}")
        chosen = replace(chosen, digest=digest or known)
        if text := moved(before, chosen):
            _log.info("pipeline %s/%s: %s", spec.project, spec.name, text)
        return replace(chosen, note=text)

    def fetch(
        self,
        wanted: Execution,
        credentials: Credentials | None,
        told: Callable[[Progress], None],
        stopping: Callable[[], bool],
    ) -> tuple[str, bool]:
        """See that the engine has the image of a version; its exact name, and whether it had to be fetched.

        Raises:
            NotFound: IMAGE_NOT_FOUND: it is not here, and not to be had.
            Refused: the registry or the engine will not; NO_ENGINE: this server runs no containers.
            Unavailable: the engine or the registry does not answer; CANCELLED, as soon as it is `stopping`.
        """
        source = self._source
        if source is None:
            text = f"image {wanted.image} needs a container engine, and this server runs user code as processes"
            way_out = "start it with --execution auto, or update the pipeline to let it run as a process"
            raise Refused(ErrorKind.NO_ENGINE, f"{text}; {way_out}")
        name = wanted.digest or wanted.image
        ask_first = self._rules.pull == ALWAYS and not wanted.digest
        if not ask_first and (found := source.find(name)) is not None:
            return wanted.digest or found.exact(wanted.image), False
        if name.startswith("sha256:"):
            text = f"image {wanted.image} ({name}) is not on the engine any more, and no registry is known to have it"
            way_out = "load or build it again, or update the pipeline to use what its tag names now"
            raise NotFound(ErrorKind.IMAGE_NOT_FOUND, f"{text}; {way_out}")
        if self._rules.pull == NEVER:
            text = f"image {name} is not on the engine, and this server pulls none (--pull never)"
            raise NotFound(ErrorKind.IMAGE_NOT_FOUND, f"{text}; load or build it")
        source.pull(name, credentials, told, stopping)
        if (found := source.find(name)) is None:
            raise NotFound(ErrorKind.IMAGE_NOT_FOUND, f"image {name} was pulled and is gone again; it is pulled again")
        return wanted.digest or found.exact(wanted.image), True

    def _resolved(self, image: str, known: str, credentials: Credentials | None) -> str:
        """What an image is now, exactly; `known` if it still is that, empty if it must be fetched to be known."""
        assert self._source is not None
        if self._rules.pull == ALWAYS:
            if exact := self._source.registry_digest(image, credentials):
                return exact
            if not known and self._source.find(image) is None:
                return ""  # it is fetched in the background
            # An engine that cannot ask for the digest alone asks for the image, and fetches what has changed of it.
            self._source.pull(image, credentials, lambda _progress: None, lambda: False)
        found = self._source.find(image)
        if found is None:
            return ""
        return known if known and found.is_called(known) else found.exact(image)
