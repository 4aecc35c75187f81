# SPDX-License-Identifier: Apache-2.0
"""Images as engines and registries name them: tags, which move, and digests, which do not. Plain values."""

import re
from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "Credentials",
    "Image",
    "Progress",
    "digest_name",
    "is_name",
    "kept_name",
    "registry_of",
    "repository_of",
    "split_tag",
]

HUB: Final = "docker.io"
"""The registry of names that say none."""

_BEFORE_DIGEST: Final = "@sha256:"
_KEPT: Final = re.compile(r":sha256-([0-9a-f]{64})")
_HUB_NAMES: Final = ("index.docker.io", "registry-1.docker.io")
_MB: Final = 1_000_000
_HOST: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?"
_WORD: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_DIGEST: Final = r"[a-z0-9]+:[0-9a-f]{32,128}"
_NAME: Final = re.compile(
    rf"(?:{_HOST}/)?{_WORD}(?:/{_WORD})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?:@{_DIGEST})?|{_DIGEST}"
)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that an engine has: its id, and the names with digests under which registries have it."""

    id: str
    digests: tuple[str, ...] = ()

    def exact(self, name: str) -> str:
        """How to ask for exactly this image, which was found by `name`: the repository with a digest, else the id."""
        if "@" in name:
            return name
        wanted = repository_of(name)
        return next((each for each in self.digests if repository_of(each) == wanted), self.id)

    def is_called(self, exact: str) -> bool:
        """Whether that is an exact name of this image."""
        return exact == self.id or exact in self.digests


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a registry asks for. Never shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is. Sizes of layers are known when their download begins."""

    layers: int = 0
    layers_done: int = 0
    bytes_done: int = 0
    bytes_total: int = 0

    def __str__(self) -> str:
        if not self.layers:
            return "asking the registry"
        text = f"{self.layers_done} of {self.layers} layers"
        if not self.bytes_total:
            return text
        return f"{text}, {self.bytes_done / _MB:.0f} MB of {self.bytes_total / _MB:.0f} MB"


def is_name(text: str) -> bool:
    """Whether an image can be called so: a repository with a tag or a digest, or an id."""
    return _NAME.fullmatch(text) is not None


def split_tag(name: str) -> tuple[str, str]:
    """A name without its tag or digest, and these: `a:1` is a and 1, `a@sha256:…` is a and sha256:…."""
    repository, at, digest = name.partition("@")
    if at:
        return repository.rpartition(":")[0] if ":" in repository.rpartition("/")[2] else repository, digest
    if ":" in name.rpartition("/")[2]:
        repository, _, tag = name.rpartition(":")
        return repository, tag
    return name, "latest"


def kept_name(exact: str) -> str:
    """The tag under which an image that has a digest of its registry goes into a file; empty for another name.

    A file of images keeps tags and not digests. So `registry/a@sha256:1f…` is `registry/a:sha256-1f…` in there, and is
    found by that name where the file was loaded.
    """
    repository, at, digest = exact.partition(_BEFORE_DIGEST)
    return f"{repository}:sha256-{digest}" if at else ""


def digest_name(tag: str) -> str:
    """The name with a digest that a tag of `kept_name` stands for; empty for another tag."""
    repository, mark, rest = tag.partition(":sha256-")
    return f"{repository}{_BEFORE_DIGEST}{rest}" if mark and _KEPT.fullmatch(mark + rest) else ""


def registry_of(name: str) -> str:
    """The registry of an image: a host, with its port if it has one."""
    first, slash, _ = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        return HUB
    return HUB if first in _HUB_NAMES else first


def repository_of(name: str) -> str:
    """The repository of an image, with its registry: `alpine:3` is in docker.io/library/alpine."""
    repository, _ = split_tag(name)
    registry = registry_of(repository)
    first, slash, rest = repository.partition("/")
    path = rest if slash and ("." in first or ":" in first or first == "localhost") else repository
    return f"{registry}/library/{path}" if registry == HUB and "/" not in path else f"{registry}/{path}"
