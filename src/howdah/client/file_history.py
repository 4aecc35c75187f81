# SPDX-License-Identifier: Apache-2.0
"""How one path came to be what it is: the commits that changed it."""

from collections.abc import Iterator
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


def versions(files: "Files", start: CommitInfo, path: str) -> Iterator[FileVersion]:
    """The commits that changed `path`, the newest first. See `Client.file_history`."""
    found = False
    for version in _versions(files, start, path):
        found = True
        yield version
    if not found:
        text = f"file {paths.clean(path)} not found in repo {start.commit.repo} at commit {start.commit.id}"
        raise NotFound(
            ErrorKind.FILE_NOT_FOUND, f"{text} or any before it; see what there is: howdah list file {start.commit}"
        )


def _versions(files: "Files", start: CommitInfo, path: str) -> Iterator[FileVersion]:
    if start.finished_at is None:
        yield from _open_version(files, start, path)
        if start.parent is not None:
            yield from _versions(files, files.inspect_commit(start.parent), path)
        return
    for sighting in files.find_commits(start.commit, path):
        if sighting.found:
            info = files.inspect_commit(sighting.commit)
            yield FileVersion(info.commit, info.finished_at, _at(files, info.commit, path))


def _open_version(files: "Files", start: CommitInfo, path: str) -> Iterator[FileVersion]:
    """What an open commit has changed so far: no search looks into one."""
    here = _at(files, start.commit, path)
    before = None if start.parent is None else _at(files, start.parent, path)
    if (here and here.hash) != (before and before.hash):
        yield FileVersion(start.commit, None, here)


def _at(files: "Files", commit: Commit, path: str) -> FileInfo | None:
    try:
        return files.inspect_file(commit, path)
    except NotFound as error:
        if error.kind is not ErrorKind.FILE_NOT_FOUND:
            raise
        return None
