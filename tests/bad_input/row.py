# SPDX-License-Identifier: Apache-2.0
"""A row of the table: one mistake, the error that it must give, and how each face makes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from howdah.errors import (
    AlreadyExists,
    BadRequest,
    Conflict,
    Damaged,
    ErrorKind,
    HowdahError,
    NotFound,
    Refused,
    Unavailable,
    Unsupported,
)
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from tests.bad_input.world import World

# Which error of the tree a kind comes with, and so its gRPC code and exit code.
_GROUPS: Final[Mapping[str, type[HowdahError]]] = {
    "_not_found": NotFound,
    "_exists": AlreadyExists,
    "lost": Conflict,
    "expired": Conflict,
    "bad_": BadRequest,
    "path_collision": BadRequest,
    "dag_invalid": BadRequest,
    "commit_": Refused,
    "output_branch": Refused,
    "has_dependants": Refused,
    "has_no_children": Refused,
    "not_a_file": Refused,
    "url_failed": Unavailable,
    "unsupported": Unsupported,
    "object_": Damaged,
}


@dataclass(frozen=True)
class Row:
    """`texts` are the parts of the message that name the object, its state and the way out."""

    kind: ErrorKind
    texts: tuple[str, ...]
    cli: Callable[[World], tuple[str, ...]] | None = None
    client: Callable[[World], Any] | None = None
    grpc: Callable[[World], Any] | None = None

    @property
    def group(self) -> type[HowdahError]:
        return next(group for part, group in _GROUPS.items() if part in self.kind)


def cases(*tables: Mapping[str, Row]) -> list[Any]:
    """Each row by each face that can make the mistake."""
    return [
        pytest.param(row, face, id=f"{name} ({face})")
        for table in tables
        for name, row in table.items()
        for face in ("cli", "client", "grpc")
        if getattr(row, face) is not None
    ]


def repo(name: str, project: str = "default") -> pfs.Repo:
    return pfs.Repo(name=name, type="user", project=pfs.Project(name=project))


def branch(name: str, branch: str) -> pfs.Branch:
    return pfs.Branch(repo=repo(name), name=branch)


def commit(name: str, of_branch: str, id: str = "") -> pfs.Commit:
    return pfs.Commit(repo=repo(name), branch=branch(name, of_branch), id=id)


def file(name: str, of_branch: str, path: str) -> pfs.File:
    return pfs.File(commit=commit(name, of_branch), path=path)


def pipeline(name: str) -> pps.Pipeline:
    return pps.Pipeline(name=name, project=pfs.Project(name="default"))
