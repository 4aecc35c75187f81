# SPDX-License-Identifier: Apache-2.0
"""Labels: the user's own keys and values on projects, repos, branches, commits and the lake. Those of pipelines: `pps`.

Each function is a step of a `Work`, so that many edits happen together or not at all. The protocol calls them
metadata. The lake's own are in the table `lake_label`, which is owned here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select

from howdah.db import tables
from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind, Refused
from howdah.model.refs import Branch, Commitish, Repo
from howdah.pfs import branch_rows, commit_rows, project_rows, repo_rows
from howdah.pfs.resolve import resolve
from howdah.pfs.subjects import LAKE, commit_subject, project_subject, repo_subject
from howdah.pfs.work import Work

__all__ = [
    "LABELS_BYTES_MAX",
    "Add",
    "Edit",
    "Remove",
    "Replace",
    "Set",
    "edit_branch",
    "edit_commit",
    "edit_lake",
    "edit_project",
    "edit_repo",
    "edited",
    "lake_labels",
]


@dataclass(frozen=True, slots=True)
class Replace:
    """All labels become these."""

    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Add:
    """A new key; refused if it is there."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Set:
    """A key gets a value, whether it is there or not."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Remove:
    """A key goes; one that is not there is no error."""

    key: str


Edit = Replace | Add | Set | Remove

LABELS_BYTES_MAX: Final = 64 << 10  # of one thing: whoever lists many gets all of them in one message each

_T: Final = tables.lake_label.c


def edited(labels: Mapping[str, str], edit: Edit, of: str) -> dict[str, str]:
    """The labels after an edit; `of` is what they belong to.

    Raises:
        Refused: LABEL_EXISTS.
        BadRequest: BAD_ARGUMENT: an empty key, or more than 64 KiB of labels.
    """
    keys = edit.labels if isinstance(edit, Replace) else (edit.key,)
    if "" in keys:
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"validate request: a metadata key of {of} is empty; give it a name")
    if isinstance(edit, Replace):
        return _bounded(edit.labels, of)
    if isinstance(edit, Remove):
        return {key: value for key, value in labels.items() if key != edit.key}
    if isinstance(edit, Add) and edit.key in labels:
        text = f"metadata key {edit.key} of {of} already exists; edit the key instead of adding it"
        raise Refused(ErrorKind.LABEL_EXISTS, text)
    return _bounded({**labels, edit.key: edit.value}, of)


def _bounded(labels: Mapping[str, str], of: str) -> dict[str, str]:
    size = sum(len(key.encode()) + len(value.encode()) for key, value in labels.items())
    if size > LABELS_BYTES_MAX:
        text = f"metadata of {of} would have {size} bytes; keep at most {LABELS_BYTES_MAX}, and put more into a file"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
    return dict(labels)


def edit_project(work: Work, name: str, edit: Edit) -> None:
    """Edit the labels of a project. Raises NotFound, or as `edited`."""
    key = project_rows.get_id(work.tx, name)
    labels = edited(project_rows.info(work.tx, key).metadata, edit, f"project {name}")
    project_rows.set_labels(work.tx, key, labels)
    work.tx.emit(project_subject(name), "updated")


def edit_repo(work: Work, repo: Repo, edit: Edit) -> None:
    """Edit the labels of a repo. Raises NotFound, or as `edited`."""
    row = repo_rows.get(work.tx, repo)
    repo_rows.set_labels(work.tx, row.id, edited(row.metadata, edit, f"repo {repo}"))
    work.tx.emit(repo_subject(repo), "updated")


def edit_branch(work: Work, branch: Branch, edit: Edit) -> None:
    """Edit the labels of a branch. Raises NotFound, or as `edited`."""
    row = branch_rows.get(work.tx, branch)
    branch_rows.set_labels(work.tx, row, edited(row.metadata, edit, f"branch {branch}"))


def edit_commit(work: Work, ref: Commitish, edit: Edit) -> None:
    """Edit the labels of a commit, open or finished: they are not part of its data.

    Raises:
        NotFound: as `pfs.resolve.resolve`.
        Refused, BadRequest: as `edited`.
    """
    row = resolve(work.tx, ref)
    commit_rows.set_labels(work.tx, row, edited(row.metadata, edit, f"commit {row.commit}"))
    work.tx.emit(commit_subject(row.commit), "updated", {"branch": row.branch_name})


def edit_lake(work: Work, edit: Edit) -> None:
    """Edit the labels of the lake as a whole. Raises as `edited`."""
    labels = edited(lake_labels(work.tx), edit, "the lake")
    work.tx.execute(delete(tables.lake_label))
    if labels:
        work.tx.execute(insert(tables.lake_label), [{"key": key, "value": value} for key, value in labels.items()])
    work.tx.emit(LAKE, "updated")


def lake_labels(tx: Transaction) -> dict[str, str]:
    """The labels of the lake as a whole."""
    return {row.key: row.value for row in tx.execute(select(_T.key, _T.value).order_by(_T.key))}
