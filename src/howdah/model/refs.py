# SPDX-License-Identifier: Apache-2.0
"""References to repos, branches, commits, files, pipelines and jobs, and their text form.

    project/repo.type@branch=commit:/path

The project may be left out (a parameter says which is meant), as may the type (`user`). `Repo`, `Branch`
and `Commit` name one thing; a `CommitRef` must first be resolved against a repo's history (`pfs`), since
it may say "two before the head of master". `str()` of each is the text that clients know, and the
parsers here read it back. Names themselves are checked by `model.names`.
"""

import re
from dataclasses import dataclass
from typing import Final

from howdah.errors import BadRequest, ErrorKind
from howdah.model.names import (
    DEFAULT_PROJECT,
    USER,
    branch_name,
    commit_id,
    is_commit_id,
    pipeline_name,
    project_name,
    repo_name,
    repo_type,
)
from howdah.model.texts import one_line

__all__ = [
    "HEAD",
    "Ancestry",
    "Branch",
    "Commit",
    "CommitRef",
    "Commitish",
    "File",
    "Job",
    "Pipeline",
    "Repo",
    "commit_ref",
    "parse_ancestry",
    "parse_branch",
    "parse_commit",
    "parse_file",
    "parse_job",
    "parse_pipeline",
    "parse_repo",
]

_STEPS: Final = re.compile(r"(?:\.(?P<root>[0-9]+))?(?P<up>(?:\^[0-9]*)*|(?:~[0-9]*)*)")
_STEP_MAX: Final = 2**32 - 1  # the protocol counts steps in 32 bits
_STEP_DIGITS: Final = len(str(_STEP_MAX))


@dataclass(frozen=True, slots=True, order=True)
class Repo:
    """A repo by its name; ordered by project, then name."""

    project: str
    name: str
    type: str = USER

    def __str__(self) -> str:
        tail = "" if self.type == USER else f".{self.type}"
        return f"{self.project}/{self.name}{tail}"


@dataclass(frozen=True, slots=True, order=True)
class Branch:
    """A branch of a repo by its name."""

    repo: Repo
    name: str

    def __str__(self) -> str:
        return f"{self.repo}@{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Commit:
    """The one commit of a repo in the commit set `id`."""

    repo: Repo
    id: str

    def __str__(self) -> str:
        return f"{self.repo}@{self.id}"


@dataclass(frozen=True, slots=True, order=True)
class Ancestry:
    """Steps through a repo's history: to the N-th commit from the root (1 is the first), then up to parents."""

    parents: int = 0
    from_root: int | None = None

    def __str__(self) -> str:
        root = "" if self.from_root is None else f".{self.from_root}"
        return root + (f"^{self.parents}" if self.parents else "")


HEAD: Final = Ancestry()  # no step at all


@dataclass(frozen=True, slots=True, order=True)
class CommitRef:
    """A commit as somebody wrote it, not yet looked up: a branch's head or an id, then steps.

    Where both a branch and an id are given, the id says which commit is meant; the branch is kept to be shown.
    """

    repo: Repo
    branch: str = ""
    id: str = ""
    ancestry: Ancestry = HEAD

    def __str__(self) -> str:
        start = f"{self.branch}={self.id}" if self.branch and self.id else self.branch or self.id
        return f"{self.repo}@{start}{self.ancestry}"


Commitish = Commit | CommitRef


@dataclass(frozen=True, slots=True)
class File:
    """A path (or a pattern, where a call takes one) in a commit; it starts with `/` and is otherwise as written."""

    commit: Commitish
    path: str

    def __str__(self) -> str:
        return f"{self.commit}:{self.path}"


@dataclass(frozen=True, slots=True, order=True)
class Pipeline:
    """A pipeline by its name."""

    project: str
    name: str

    def __str__(self) -> str:
        return f"{self.project}/{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """The job of a pipeline for the commit set `id`."""

    pipeline: Pipeline
    id: str

    def __str__(self) -> str:
        return f"{self.pipeline}@{self.id}"


def parse_ancestry(text: str) -> tuple[str, Ancestry]:
    """Cut the steps off a branch's name or an id: `master^2` is `("master", 2 parents)`.

    `^` and `~` mean the same: `^`, `^^`, `^3`, `~3` go up to parents. `.N` is the N-th commit from the root,
    and `.N^M` the M-th before it. What stands before the steps is not checked, and may be empty.

    Raises:
        BadRequest: BAD_REFERENCE: other steps, `^` mixed with `~`, steps before the root, or more than 32 bits.
    """
    start = re.search(r"[.^~]", text)
    if start is None:
        return text, HEAD
    name, steps = text[: start.start()], text[start.start() :]
    if (found := _STEPS.fullmatch(steps)) is None:
        if "^" in steps and "~" in steps:
            raise _bad(text, "^ and ~ cannot be mixed; use one of them")
        raise _bad(text, "the steps after its name are not understood; use ^, ^3, ~3, .3 or .3^1")
    up = sum(_count(text, n) for n in re.findall(r"[\^~]([0-9]*)", found["up"]))
    if up > _STEP_MAX:
        raise _bad(text, f"it counts too far; a step is at most {_STEP_MAX}")
    if found["root"] is None:
        return name, Ancestry(up)
    root = _count(text, found["root"])
    if root == 0:
        raise _bad(text, "commits are counted from 1; the first is .1")
    if up >= root:
        raise _bad(text, f"it asks for a commit before the first; from .{root} go up at most {root - 1}")
    return name, Ancestry(up, root)


def commit_ref(repo: Repo, *, branch: str = "", commit: str = "") -> CommitRef:
    """The reference that a branch's name and the text of an id mean together, in every spelling of clients.

    A branch alone is its head. `commit` may be a real id, or a branch's name, each with steps, or steps
    alone to be taken from `branch`. A real id wins over a branch's name.

    Raises:
        BadRequest: BAD_REFERENCE or BAD_NAME.
    """
    start, ancestry = parse_ancestry(commit)
    if not start and branch:
        name, own = parse_ancestry(branch)
        if own != HEAD and ancestry != HEAD:
            raise _bad(branch + commit, "steps are given twice; give them once")
        start, branch, ancestry = name, "", own if ancestry == HEAD else ancestry
    if not start:
        raise BadRequest(ErrorKind.BAD_REFERENCE, f"no commit of repo {repo} is named; give a branch or a commit id")
    if is_commit_id(start):
        return CommitRef(repo, branch_name(branch) if branch and branch != start else "", start, ancestry)
    return CommitRef(repo, branch_name(start), "", ancestry)


def parse_repo(text: str, project: str = DEFAULT_PROJECT) -> Repo:
    """Read `[project/]repo[.type]`.

    Raises:
        BadRequest: BAD_REFERENCE, or BAD_NAME for one of its names.
    """
    if not text:
        raise BadRequest(ErrorKind.BAD_REFERENCE, "no repo is named; write [project/]repo")
    head, slash, rest = text.partition("/")
    name, dot, kind = (rest if slash else head).partition(".")
    if dot and not kind:
        raise _bad(text, "a type must follow the dot; leave the dot out for a user's repo")
    return Repo(project_name(head if slash else project), repo_name(name), repo_type(kind))


def parse_branch(text: str, project: str = DEFAULT_PROJECT) -> Branch:
    """Read `[project/]repo[.type]@branch`.

    Raises:
        BadRequest: BAD_REFERENCE, or BAD_NAME for one of its names.
    """
    repo, name = _cut(text, "branch", project)
    return Branch(repo, branch_name(name))


def parse_commit(text: str, project: str = DEFAULT_PROJECT) -> CommitRef:
    """Read `[project/]repo[.type]@` and then `branch`, `id` or `branch=id`, with steps (see `parse_ancestry`).

    Raises:
        BadRequest: BAD_REFERENCE, or BAD_NAME for one of its names.
    """
    repo, rest = _cut(text, "branch or commit id", project)
    branch, pinned, commit = rest.partition("=")
    if not pinned:
        return commit_ref(repo, commit=rest)
    start, _ = parse_ancestry(commit)
    return commit_ref(repo, branch=branch_name(branch), commit=commit_id(start) + commit[len(start) :])


def parse_file(text: str, project: str = DEFAULT_PROJECT) -> File:
    """Read a commit and, after the first `:`, a path; without one, the root. The path is not checked.

    Raises:
        BadRequest: BAD_REFERENCE, or BAD_NAME for one of its names.
    """
    commit, _, path = text.partition(":")
    return File(parse_commit(commit, project), path if path.startswith("/") else "/" + path)


def parse_pipeline(text: str, project: str = DEFAULT_PROJECT) -> Pipeline:
    """Read `[project/]pipeline`.

    Raises:
        BadRequest: BAD_REFERENCE, or BAD_NAME for one of its names.
    """
    if not text:
        raise BadRequest(ErrorKind.BAD_REFERENCE, "no pipeline is named; write [project/]pipeline")
    head, slash, rest = text.partition("/")
    of = project_name(head if slash else project)
    return Pipeline(of, pipeline_name(rest if slash else head, of))


def parse_job(text: str, project: str = DEFAULT_PROJECT) -> Job:
    """Read `[project/]pipeline@id`.

    Raises:
        BadRequest: BAD_REFERENCE, or BAD_NAME for one of its names.
    """
    pipeline, at, job = text.partition("@")
    if not at:
        raise _bad(text, "it names no job; write [project/]pipeline@id")
    return Job(parse_pipeline(pipeline, project), commit_id(job))


def _cut(text: str, wanted: str, project: str) -> tuple[Repo, str]:
    repo, at, rest = text.partition("@")
    if not at or not rest:
        example = f"{repo or 'repo'}@master"
        raise _bad(text, f"it names no {wanted}; write [project/]repo@…, for example {one_line(example)}")
    if ":" in rest:
        raise _bad(text, f"a path is not wanted here; leave out {one_line(rest[rest.index(':') :])}")
    return parse_repo(repo, project), rest


def _count(text: str, digits: str) -> int:
    if len(digits) > _STEP_DIGITS or (digits and int(digits) > _STEP_MAX):
        raise _bad(text, f"it counts too far; a step is at most {_STEP_MAX}")
    return int(digits) if digits else 1


def _bad(text: str, why: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_REFERENCE, f"reference ({one_line(text)}) invalid: {why}")
