# SPDX-License-Identifier: Apache-2.0
"""Images made and moved: built from a folder, pushed to a registry, saved into a file and loaded from one.

For people at a command line, who see how it goes on and end it when it takes too long: calls have no time limit. What
servers and workers ask of an engine is in `engine.engine`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from urllib3.exceptions import HTTPError

from howdah.engine.context import BuildContext
from howdah.engine.engine import Engine
from howdah.engine.images import Credentials, Progress, kept_name, split_tag
from howdah.errors import ErrorKind, HowdahError, Refused, Unavailable

__all__ = ["Shipping"]

_STEP: Final = re.compile(r"step \d+(/\d+)? ?: ?.*", re.IGNORECASE)
_LOADED: Final = re.compile(r"loaded image(?: id)?\(?s?\)?: (.*)", re.IGNORECASE)
_PIECE_BYTES: Final = 1 << 20
_SAID_MAX: Final = 600  # characters; some registries answer with a page
_PUSHED: Final = ("pushed", "layer already exists", "mounted from")
_DIGEST: Final = "@sha256:"


class Shipping(Engine):
    """An engine whose images are made and moved. For one thread."""

    def __init__(self, url: str) -> None:
        """As `Engine`."""
        super().__init__(url)
        self._api.timeout = None  # a step of a build may be silent for an hour

    def build(self, context: BuildContext, name: str, told: Callable[[str], object]) -> str:
        """Build an image and give it a name; its id. `told` hears each line that the engine prints.

        Raises:
            Refused: ENGINE_REFUSED: a step failed; the text has the step and why.
            Unavailable: the engine is gone.
        """
        with self._answered(f"the build of {name}"):
            entries = self._api.build(
                fileobj=context.archive,
                custom_context=True,
                tag=name,
                dockerfile=context.dockerfile,
                rm=True,
                forcerm=True,
                decode=True,
            )
            failure = _follow_build(entries, told)
        if failure:
            raise Refused(ErrorKind.ENGINE_REFUSED, f"image {name} was not built: {failure}; mend it and try again")
        return self.image_id(name)

    def tag(self, image: str, name: str) -> None:
        """Give an image one more name; another image that has it loses it.

        Raises:
            NotFound: IMAGE_NOT_FOUND.
        """
        repository, tag = split_tag(name)
        with self._explained(image):
            self._api.tag(image, repository, tag)

    def push(self, name: str, credentials: Credentials | None, told: Callable[[Progress], object]) -> None:
        """Send an image to the registry in its name; `told` hears how far it is. What is there is not sent again.

        Without credentials those count that this user has given to the engine's own programs.

        Raises:
            Refused: ENGINE_REFUSED: the registry will not take it; the text has what it says.
            Unavailable: the engine is gone.
        """
        repository, tag = split_tag(name)
        login = credentials and {"username": credentials.username, "password": credentials.password}
        try:
            with self._answered(f"the push of {name}"):
                entries = self._api.push(repository, tag=tag, stream=True, decode=True, auth_config=login)
                failure = _follow_push(entries, told)
        except HowdahError as error:  # the request that its cause holds has the credentials
            raise type(error)(error.kind, error.message) from None
        if failure:
            text = f"image {name} was not pushed: {_shown(failure, credentials)}"
            way_out = "log in with docker login or --username, and see that the registry is there and takes it"
            raise Refused(ErrorKind.ENGINE_REFUSED, f"{text}; {way_out}")

    def lasting_names(self, image: str) -> list[str]:
        """The names under which an image goes into a file, and is found when that was loaded; it gets those it lacks.

        Raises:
            NotFound: IMAGE_NOT_FOUND.
        """
        with self._explained(image):
            found = self._api.inspect_image(image)
        names = [kept_name(each) for each in found.get("RepoDigests") or () if _DIGEST in each]
        for name in set(names) - set(found.get("RepoTags") or ()):
            self.tag(image, name)
        if _DIGEST in image or image == found["Id"]:
            return names or [str(found["Id"])]
        return [":".join(split_tag(image)), *names]

    def save(self, names: Sequence[str]) -> Iterator[bytes]:
        """The images of these names in one archive, piece by piece; parts that they share are in it once.

        Raises:
            NotFound: IMAGE_NOT_FOUND.
            Unavailable: the engine is gone; what came by then is not whole.
        """
        for name in names:
            self.image_id(name)
        with self._answered(", ".join(names)):
            # The library's own call takes one image alone.
            answer = self._api._get(self._api._url("/images/get"), params={"names": list(names)}, stream=True)
            self._api._raise_for_status(answer)
            yield from answer.iter_content(_PIECE_BYTES)

    def load(self, archive: Iterable[bytes]) -> list[str]:
        """Take the images of an archive; their names, or the id of one that has none.

        Raises:
            Refused: ENGINE_REFUSED: it is no archive of images.
            Unavailable: the engine is gone.
        """
        with self._answered("the file"):
            entries = [dict(entry) for entry in self._api.load_image(iter(archive))]
        for entry in entries:
            if problem := _problem(entry) or entry.get("message"):
                text = f"the container engine cannot load this file: {_shown(str(problem))}"
                raise Refused(ErrorKind.ENGINE_REFUSED, f"{text}; give one that howdah image save or docker save wrote")
        said = "".join(str(entry.get("stream") or "") for entry in entries)
        found = [match.group(1) for line in said.splitlines() if (match := _LOADED.match(line.strip()))]
        return [name.strip() for names in found for name in names.split(",")]

    @contextmanager
    def _answered(self, what: str) -> Iterator[None]:
        """As `_explained`, for answers that come in pieces too."""
        try:
            with self._explained(what):
                yield
        except HTTPError as error:
            text = f"the container engine at {self._url} broke off: {_shown(str(error))}; see that it runs, then retry"
            raise Unavailable(ErrorKind.UNREACHABLE, text) from error


def _follow_build(entries: Iterable[Mapping[str, Any]], told: Callable[[str], object]) -> str:
    """Follow a build to its end; the step that failed and why, empty if none did."""
    step = ""
    for entry in entries:
        if problem := _problem(entry):
            return f"{step}: {_shown(problem)}" if step else _shown(problem)
        for line in str(entry.get("stream") or entry.get("status") or "").splitlines():
            text = line.strip()
            if _STEP.fullmatch(text):
                step = _shown(text)
            if text:
                told(text)
    return ""


def _follow_push(entries: Iterable[Mapping[str, Any]], told: Callable[[Progress], object]) -> str:
    """Follow a push to its end; what went wrong, empty if nothing did."""
    layers: dict[str, tuple[bool, int, int]] = {}  # by id: whether it is there, bytes that went, and all
    for entry in entries:
        if problem := _problem(entry):
            return problem
        name, status = str(entry.get("id") or ""), str(entry.get("status") or "").lower()
        if not name:
            continue
        detail = entry.get("progressDetail") or {}
        _, went, total = layers.get(name, (False, 0, 0))
        went, total = int(detail.get("current") or went), int(detail.get("total") or total)
        done = status.startswith(_PUSHED)
        layers[name] = (done, max(went, total) if done else went, max(went, total))
        told(_progress(layers.values()))
    return ""


def _progress(layers: Iterable[tuple[bool, int, int]]) -> Progress:
    done, went, total = zip(*layers, strict=True)
    return Progress(len(done), sum(done), sum(went), sum(total))


def _problem(entry: Mapping[str, Any]) -> str:
    """What an engine says went wrong in the middle of its answer."""
    return str(entry.get("error") or (entry.get("errorDetail") or {}).get("message") or "")


def _shown(said: str, credentials: Credentials | None = None) -> str:
    """Words of an engine as a part of a line of ours, without what is secret."""
    text = " ".join(said.replace(";", ",").split())
    for hidden in (credentials.password,) if credentials is not None else ():
        text = text.replace(hidden, "***") if hidden else text
    return text[:_SAID_MAX].rstrip(".")
