# SPDX-License-Identifier: Apache-2.0
"""A folder with a Dockerfile as engines take it for a build: one archive, and a tag that says what is in it.

The tag depends on the names, contents and executable bits of the files that are sent, and on which of them is the
Dockerfile: not on times, owners or where the folder lies. So equal folders have equal tags on every machine, and an
edit gives another. What is built is done by `shipping`.
"""

import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Final

from docker.utils.build import exclude_paths

from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line

__all__ = ["TAG_DIGITS", "BuildContext", "packed"]

TAG_DIGITS: Final = 16
"""How many hexadecimal digits a tag has."""

_NAMES: Final = ("Dockerfile", "Containerfile")
_IGNORED: Final = ".dockerignore"


@dataclass(frozen=True, slots=True)
class BuildContext:
    """What is sent to an engine: a tar, where the Dockerfile is in it, and the tag of what it holds."""

    archive: IO[bytes]
    dockerfile: str
    tag: str


@contextmanager
def packed(folder: str, dockerfile: str = "") -> Iterator[BuildContext]:
    """The files of a folder but for those that its `.dockerignore` names. Read once; the archive is a temporary file.

    Raises:
        BadRequest: BAD_ARGUMENT: it is no folder, or has no such Dockerfile; BAD_PATH: a file of it cannot be read.
    """
    name = _dockerfile(folder, dockerfile)
    with TemporaryFile(prefix="howdah-build-") as archive:
        try:
            tag = _pack(folder, name, archive)
        except OSError as error:
            text = f"folder {one_line(folder)} cannot be packed: {error.filename or folder}: {error.strerror or error}"
            way_out = "mend that, or name the file in .dockerignore"
            raise BadRequest(ErrorKind.BAD_PATH, f"{text}; {way_out}") from error
        archive.seek(0)
        yield BuildContext(archive, name, tag)


def _dockerfile(folder: str, wanted: str) -> str:
    if not os.path.isdir(folder):
        text = f"{one_line(folder)} is no folder; name one that has a Dockerfile"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
    for name in (wanted,) if wanted else _NAMES:
        below = os.path.normpath(name)
        if not os.path.isabs(below) and below.split("/")[0] != ".." and os.path.isfile(os.path.join(folder, below)):
            return below
    text = f"folder {one_line(folder)} has no {one_line(wanted or _NAMES[0])}"
    way_out = (
        "transform.dockerfile names one below the folder" if wanted else "write one, or name it: transform.dockerfile"
    )
    raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; {way_out}")


def _pack(folder: str, dockerfile: str, to: IO[bytes]) -> str:
    """Write the tar; the tag."""
    whole = hashlib.sha256(_field(dockerfile.encode()))
    with tarfile.open(fileobj=to, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(exclude_paths(os.path.abspath(folder), _ignored(folder), dockerfile=dockerfile)):
            info = tar.gettarinfo(os.path.join(folder, path), arcname=path)
            if info is None or not (info.isreg() or info.isdir() or info.issym()):
                continue  # sockets, pipes and devices are nothing for an image
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            whole.update(_field(os.fsencode(path)) + _kind(info) + _field(os.fsencode(info.linkname)))
            if not info.isreg():
                tar.addfile(info)
                continue
            with open(os.path.join(folder, path), "rb") as file:
                read = _Hashed(file)
                tar.addfile(info, read)  # as many bytes as `info` says, or an error
            whole.update(read.digest())
    return whole.hexdigest()[:TAG_DIGITS]


def _ignored(folder: str) -> list[str]:
    try:
        with open(os.path.join(folder, _IGNORED), encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.strip() for line in file]
    except FileNotFoundError:
        return []
    return [line for line in lines if line and not line.startswith("#")]


def _kind(info: tarfile.TarInfo) -> bytes:
    if info.issym():
        return b"l"
    if info.isdir():
        return b"d"
    return b"x" if info.mode & stat.S_IXUSR else b"f"


def _field(data: bytes) -> bytes:
    """Bytes that cannot be mistaken for others when they stand one behind another."""
    return len(data).to_bytes(8, "big") + data


class _Hashed:
    """A file that is hashed as it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def digest(self) -> bytes:
        return self._hash.digest()
