# SPDX-License-Identifier: Apache-2.0
"""How one path came to be what it is: the commits that changed it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from howdah.client.values import FileVersion
from howdah.errors import ErrorKind, NotFound
from howdah.model import paths
from howdah.model.files import FileInfo
from howdah.model.infos import CommitInfo
from howdah.model.refs import Commit

if TYPE_CHECKING:
    from howdah.client.files import Files

__all__ = ["versions"]


def versions(files: "Files", commit: Commit, path: str) -> Iterator[FileVersion]:
    """The commits that changed `path`, the newest first. See `Client.file_history`."""
    found = False
    for (info, here), (_, before) in pairwise(_states(files, commit, path)):
        found = found or here is not None or before is not None
        if (here and here.hash) != (before and before.hash):
            yield FileVersion(info.commit, info.finished_at, here)
    if not found:
        text = f"file {paths.clean(path)} not found in repo {commit.repo} at commit {commit.id}"
        raise NotFound(
            ErrorKind.FILE_NOT_FOUND, f"{text} or any before it; see what there is: howdah list file {commit}"
        )


def _states(files: "Files", commit: Commit, path: str) -> Iterator[tuple[CommitInfo, FileInfo | None]]:
    """Each ancestor with what it has at the path, and at the end once more, with nothing."""
    info: CommitInfo | None = None
    for info in files.list_commits(commit.repo, to=commit):
        if not info.error:
            yield info, _at(files, info.commit, path)
    if info is not None:
        yield info, None


def _at(files: "Files", commit: Commit, path: str) -> FileInfo | None:
    try:
        return files.inspect_file(commit, path)
    except NotFound as error:
        if error.kind is not ErrorKind.FILE_NOT_FOUND:
            raise
        return None
