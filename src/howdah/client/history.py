# SPDX-License-Identifier: Apache-2.0
"""Calls that change what history says: commits are described, forgotten, squashed, dropped. Making them: `commits`."""

from howdah.client import read_pfs
from howdah.client.caller import Caller
from howdah.client.coerce import CommitLike, a_commit
from howdah.client.read_pps import job
from howdah.model.infos import Removed
from howdah.model.refs import Commit
from howdah.wire.convert import commit_message
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["History"]


class History(Caller):
    """Taking commits back. With `dry_run` a removal changes nothing; it says what would go, or raises as it would."""

    def update_commit(self, commit: CommitLike, *, description: str) -> Commit:
        """Replace the description of a commit, open or finished; its name.

        Raises:
            NotFound: there is no such commit.
        """
        message = commit_message(a_commit(commit, self.project))
        request = hd.UpdateCommitRequest(commit=message, description=description)
        return read_pfs.commit(self._wire.call(self._wire.lake.UpdateCommit, request).commit)

    def clear_commit(self, commit: CommitLike) -> None:
        """Let an open commit lose what was written to it.

        Raises:
            NotFound: there is no such commit.
            Refused: COMMIT_FINISHED.
        """
        request = pb.ClearCommitRequest(commit=commit_message(a_commit(commit, self.project)))
        self._wire.call(self._wire.pfs.ClearCommit, request)

    def forget_commit(self, commit: CommitLike, *, dry_run: bool = False) -> Commit:
        """Give up the files of a finished commit and keep the rest of it; its name. A repetition does nothing.

        Raises:
            NotFound: there is no such commit.
            Refused: COMMIT_OPEN, or HAS_DEPENDANTS: its files are shown by a branch or needed by an open commit.
        """
        message = commit_message(a_commit(commit, self.project))
        request = hd.ForgetFilesRequest(commit=message, dry_run=dry_run)
        return read_pfs.commit(self._wire.call(self._wire.lake.ForgetFiles, request).commit)

    def squash_commit(self, commit: CommitLike, *, recursive: bool = False, dry_run: bool = False) -> Removed:
        """Remove a commit from history; its children keep its data. With `recursive`, what depends on it too.

        The output of a pipeline goes with its job. What went is answered.

        Raises:
            NotFound: there is no such commit.
            Refused: HAS_NO_CHILDREN, HAS_DEPENDANTS or COMMIT_OPEN; nothing has changed.
        """
        return self._remove_one(hd.REMOVAL_MODE_SQUASH, commit, recursive, dry_run)

    def squash_commit_set(self, id: str, *, dry_run: bool = False) -> Removed:
        """As `squash_commit`, of all commits of a set."""
        return self._remove_set(hd.REMOVAL_MODE_SQUASH, id, dry_run)

    def drop_commit(self, commit: CommitLike, *, recursive: bool = False, dry_run: bool = False) -> Removed:
        """Remove a commit from history with its data. With `recursive`, what depends on it too.

        Its branch moves back to the parent; jobs that run are ended. What went is answered.

        Raises:
            NotFound: there is no such commit.
            Refused: HAS_DEPENDANTS: it has children, or others depend on it; nothing has changed.
        """
        return self._remove_one(hd.REMOVAL_MODE_DROP, commit, recursive, dry_run)

    def drop_commit_set(self, id: str, *, dry_run: bool = False) -> Removed:
        """As `drop_commit`, of all commits of a set."""
        return self._remove_set(hd.REMOVAL_MODE_DROP, id, dry_run)

    def delete_commit(self, commit: CommitLike, *, recursive: bool = False, dry_run: bool = False) -> Removed:
        """As `drop_commit`."""
        return self.drop_commit(commit, recursive=recursive, dry_run=dry_run)

    def _remove_one(self, mode: hd.RemovalMode, commit: CommitLike, recursive: bool, dry_run: bool) -> Removed:
        message = commit_message(a_commit(commit, self.project))
        return self._remove(hd.RemoveCommitsRequest(mode=mode, commit=message, recursive=recursive, dry_run=dry_run))

    def _remove_set(self, mode: hd.RemovalMode, id: str, dry_run: bool) -> Removed:
        return self._remove(hd.RemoveCommitsRequest(mode=mode, commit_set=pb.CommitSet(id=id), dry_run=dry_run))

    def _remove(self, request: hd.RemoveCommitsRequest) -> Removed:
        answer = self._wire.call(self._wire.lake.RemoveCommits, request)
        return Removed(tuple(map(read_pfs.commit, answer.commits)), tuple(map(job, answer.jobs)))
