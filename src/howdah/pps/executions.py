# SPDX-License-Identifier: Apache-2.0
"""How user code of a pipeline's version runs: as a process or in a container. What is decided, and by which rules.

It is decided when the version is made, and kept with it (`pps.execution_rows`), so that a server that is told otherwise
later changes nothing that there is. What image a tag names is found out by `pps.images`.
"""

from dataclasses import dataclass
from typing import Any, Final

from howdah.engine.images import is_name
from howdah.errors import ErrorKind, Refused
from howdah.model.spec import PipelineSpec
from howdah.model.spec.codec import bad_spec
from howdah.model.spec.rules import DEFAULT_IMAGE
from howdah.model.spec.text import documents
from howdah.model.texts import one_line

__all__ = [
    "ALWAYS",
    "AS_PROCESS",
    "AUTO",
    "CONTAINER",
    "EXECUTIONS",
    "MISSING",
    "MISSING_ENGINE",
    "NEVER",
    "PROCESS",
    "PULLS",
    "REFUSE",
    "Execution",
    "ExecutionRules",
    "decide",
    "moved",
    "names_image",
]

PROCESS: Final = "process"
CONTAINER: Final = "container"
AUTO: Final = "auto"
EXECUTIONS: Final = (AUTO, PROCESS, CONTAINER)

REFUSE: Final = "refuse"
MISSING_ENGINE: Final = (REFUSE, PROCESS)
"""What becomes of a spec that wants a container where no engine answers."""

MISSING: Final = "missing"
ALWAYS: Final = "always"
NEVER: Final = "never"
PULLS: Final = (MISSING, ALWAYS, NEVER)
"""When an image is fetched: if the engine has it not; tags are asked for at each update; at no time."""


@dataclass(frozen=True, slots=True)
class Execution:
    """How the user code of a version runs. `note` is what its owner should know: a warning, or that a tag has moved."""

    kind: str = PROCESS
    image: str = ""  # as the spec has it
    digest: str = ""  # the same, exactly: `name@sha256:…`, or an id. Empty until it is known
    note: str = ""

    @property
    def in_container(self) -> bool:
        """Whether it runs in a container."""
        return self.kind == CONTAINER

    def is_as(self, other: "Execution") -> bool:
        """Whether code runs by both in the same way, as far as it is known which images they mean."""
        known = self.digest and other.digest
        return self.kind == other.kind and (not known or self.image != other.image or self.digest == other.digest)


AS_PROCESS: Final = Execution()
"""As a process of which there is nothing to say."""


@dataclass(frozen=True, slots=True)
class ExecutionRules:
    """What a server was told."""

    execution: str = PROCESS
    missing_engine: str = REFUSE
    pull: str = MISSING


def decide(rules: ExecutionRules, spec: PipelineSpec, user_spec: str, address: str, silence: str) -> Execution:
    """How a version with this spec is to run; its image is not known exactly yet.

    `silence` is why no engine answers at `address`, empty if one does.

    Raises:
        BadRequest: BAD_SPEC: no image can be called so.
        Refused: NO_ENGINE.
    """
    image = spec.transform.image
    if rules.execution == PROCESS or (rules.execution == AUTO and not names_image(spec, user_spec)):
        return AS_PROCESS
    if not is_name(image):
        way_out = "write one such as registry.example/edges:1.4"
        raise bad_spec("transform.image", f"{one_line(image)} is no name of an image; {way_out}")
    if not silence:
        return Execution(CONTAINER, image)
    why = f"no container engine answers at {address} ({silence})"
    if rules.missing_engine == PROCESS:
        return Execution(PROCESS, image, note=f"image {image} is not used: {why}, so user code runs as a process")
    way_out = "start one, name another (howdah server --engine), or allow processes instead (--missing-engine process)"
    text = f"pipeline {spec.project}/{spec.name} is to run in image {image}, and {why}; {way_out}"
    raise Refused(ErrorKind.NO_ENGINE, text)


def names_image(spec: PipelineSpec, user_spec: str) -> bool:
    """Whether somebody chose the image: defaults that name another one than everybody's, or the user."""
    if spec.transform.image != DEFAULT_IMAGE:
        return True
    return any(_image_in(document) == DEFAULT_IMAGE for document in documents(user_spec)) if user_spec else False


def moved(old: Execution, new: Execution) -> str:
    """What to say if a tag names another image than it did; empty if it does not."""
    if new.is_as(old) or not new.in_container or old.kind != new.kind or old.image != new.image:
        return ""
    return f"image {new.image} moved from {_digest(old.digest)} to {_digest(new.digest)}"


def _digest(exact: str) -> str:
    return exact.rpartition("@")[2]


def _image_in(document: Any) -> object:
    transform = document.get("transform") if isinstance(document, dict) else None
    return transform.get("image") if isinstance(transform, dict) else None
