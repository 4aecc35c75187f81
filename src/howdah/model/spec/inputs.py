# SPDX-License-Identifier: Apache-2.0
"""What a pipeline reads: a tree of inputs, as values, and the walk through it.

An input is written as an object with one field that says its kind: `{"pfs": {...}}`, `{"cross": [...]}`.
Defaults and checks are in `model.spec.rules`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from howdah.model.names import DEFAULT_BRANCH, USER
from howdah.model.spec.codec import bad_spec, decode, encode, respell, wire

__all__ = [
    "CronInput",
    "CrossInput",
    "GroupInput",
    "Input",
    "InputMessage",
    "JoinInput",
    "PfsInput",
    "PropagationSpec",
    "Trigger",
    "UnionInput",
    "as_pfs",
    "cron_inputs",
    "encode_input",
    "input_name",
    "pfs_inputs",
    "read_input",
    "respell_input",
    "walk_inputs",
]

TICKS: Final = "/*"  # the files of a tick repo: one for each tick
_NESTING_MAX: Final = 20  # reading calls itself


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a branch follows another one of its repo."""

    branch: str = ""
    all: bool = False  # all conditions must hold, not just one
    rate_limit_spec: str = ""
    size: str = ""
    commits: int = 0
    cron_spec: str = ""


@dataclass(frozen=True, slots=True)
class PropagationSpec:
    """Whether new commits of an input start the pipeline."""

    never: bool = False


@dataclass(frozen=True, slots=True)
class PfsInput:
    """Paths of a branch that match a pattern; each is a datum, or a part of one."""

    project: str = ""
    name: str = ""  # of the folder below /pfs
    repo: str = ""
    repo_type: str = ""
    branch: str = ""
    commit: str = ""  # refused: an input follows a branch
    glob: str = ""
    join_on: str = ""
    outer_join: bool = False
    group_by: str = ""
    lazy: bool = False
    empty_files: bool = False
    s3: bool = False
    trigger: Trigger | None = None
    propagation_spec: PropagationSpec | None = None
    reference: bool = False  # its content does not count when datums are skipped


@dataclass(frozen=True, slots=True)
class CronInput:
    """A file for each tick of a clock."""

    name: str = ""
    project: str = ""
    repo: str = ""
    commit: str = ""
    spec: str = ""
    overwrite: bool = False
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class CrossInput:
    """Every combination of one datum of each input."""

    inputs: "tuple[Input, ...]"


@dataclass(frozen=True, slots=True)
class UnionInput:
    """The datums of all inputs, one after another."""

    inputs: "tuple[Input, ...]"


@dataclass(frozen=True, slots=True)
class JoinInput:
    """Combinations of datums whose captured keys are equal."""

    inputs: "tuple[Input, ...]"


@dataclass(frozen=True, slots=True)
class GroupInput:
    """One datum for each captured key, with all paths that have it."""

    inputs: "tuple[Input, ...]"


Input = PfsInput | CronInput | CrossInput | UnionInput | JoinInput | GroupInput
_Composite = CrossInput | UnionInput | JoinInput | GroupInput
_KINDS: Final[dict[str, type[_Composite]]] = {
    "cross": CrossInput,
    "union": UnionInput,
    "join": JoinInput,
    "group": GroupInput,
}


def walk_inputs(root: Input | None) -> Iterator[Input]:
    """An input and all below it, each before its members, in order."""
    if root is not None:
        yield root
        for member in () if isinstance(root, PfsInput | CronInput) else root.inputs:
            yield from walk_inputs(member)


def pfs_inputs(root: Input | None) -> tuple[PfsInput, ...]:
    """The pfs inputs of a tree, in order; a cron input is one that reads its ticks."""
    found = (as_pfs(node) if isinstance(node, CronInput) else node for node in walk_inputs(root))
    return tuple(node for node in found if isinstance(node, PfsInput))


def cron_inputs(root: Input | None) -> tuple[CronInput, ...]:
    """The cron inputs of a tree, in order."""
    return tuple(node for node in walk_inputs(root) if isinstance(node, CronInput))


def as_pfs(node: CronInput) -> PfsInput:
    """What a cron input reads: each tick in its repo is a datum."""
    return PfsInput(
        project=node.project, name=node.name, repo=node.repo, repo_type=USER, branch=DEFAULT_BRANCH, glob=TICKS
    )


def input_name(node: Input) -> str:
    """The name by which an input is sorted among others: its own, or that of its first member."""
    while not isinstance(node, PfsInput | CronInput):
        node = node.inputs[0]
    return node.name


def read_input(tree: object, path: str) -> Input:
    """The input that a tree holds, as it is written.

    Raises:
        BadRequest: BAD_SPEC, naming fields below `path`.
    """
    _check_nesting(path)
    message = decode(InputMessage, tree, path)
    given: list[Input] = [leaf for leaf in (message.pfs, message.cron) if leaf is not None]
    for name, kind in _KINDS.items():
        if members := getattr(message, name):
            given.append(kind(members))
    if len(given) != 1:
        how_many = "several kinds" if given else "no kind"
        raise bad_spec(path, f"{how_many} of input given; give one of pfs, cron, cross, union, join, group")
    return given[0]


def encode_input(node: Input) -> dict[str, Any]:
    """The tree of an input, which `read_input` reads back."""
    if isinstance(node, PfsInput | CronInput):
        return {"pfs" if isinstance(node, PfsInput) else "cron": encode(node)}
    name = next(name for name, kind in _KINDS.items() if isinstance(node, kind))
    return {name: [encode_input(member) for member in node.inputs]}


def respell_input(tree: object, path: str) -> object:
    """The tree of an input with its keys in one spelling.

    Raises:
        BadRequest: BAD_SPEC, naming fields below `path`.
    """
    _check_nesting(path)
    return respell(InputMessage, tree, path)


def _check_nesting(path: str) -> None:
    if path.count("[") > _NESTING_MAX:
        raise bad_spec(path, f"inputs are nested deeper than {_NESTING_MAX}; write them flat")


def _respell_members(tree: object, path: str) -> object:
    if not isinstance(tree, list | tuple):
        return tree
    return [respell_input(member, f"{path}[{n}]") for n, member in enumerate(tree)]


def _read_members(tree: object, path: str) -> tuple[Input, ...]:
    if not isinstance(tree, list | tuple):
        raise bad_spec(path, "expected a list of inputs; write [ ] around them")
    return tuple(read_input(member, f"{path}[{n}]") for n, member in enumerate(tree))


@dataclass(frozen=True, slots=True)
class InputMessage:
    """An input as it is written: one of these fields."""

    pfs: PfsInput | None = None
    cron: CronInput | None = None
    cross: tuple[Input, ...] = wire(default=(), read=_read_members, respell=_respell_members)
    union: tuple[Input, ...] = wire(default=(), read=_read_members, respell=_respell_members)
    join: tuple[Input, ...] = wire(default=(), read=_read_members, respell=_respell_members)
    group: tuple[Input, ...] = wire(default=(), read=_read_members, respell=_respell_members)
