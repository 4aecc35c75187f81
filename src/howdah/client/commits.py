# SPDX-License-Identifier: Apache-2.0
"""Calls on commits and commit sets. Writing files into them is in `howdah.client.files`."""

from collections.abc import Generator, Iterator
from datetime import datetime

from howdah.client import read_pfs
from howdah.client.caller import Caller
from howdah.client.coerce import BranchLike, CommitLike, RepoLike, a_branch, a_commit, a_repo
from howdah.client.values import CommitSetInfo
from howdah.model.infos import CommitInfo
from howdah.model.refs import Commit
from howdah.model.states import CommitState, OriginKind
from howdah.wire.convert import branch_message, commit_message, project_message, repo_message, timestamp
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["Commits"]


class Commits(Caller):
    """Versions of repos."""

    def start_commit(self, branch: BranchLike, *, parent: CommitLike | None = None, description: str = "") -> Commit:
        """Open a commit as the branch's new head; the branch is made if there is none.

        Raises:
            NotFound: the repo or the parent.
            Refused: OUTPUT_BRANCH, or COMMIT_OPEN: the parent is not closed.
        """
        request = pb.StartCommitRequest(
            branch=branch_message(a_branch(branch, self.project)),
            parent=None if parent is None else commit_message(a_commit(parent, self.project)),
            description=description,
        )
        return read_pfs.commit(self._wire.call(self._wire.pfs.StartCommit, request))

    def finish_commit(self, commit: CommitLike, *, description: str = "", error: str = "", force: bool = False) -> None:
        """Close a commit: from now on its files never change, and what depends on it begins.

        A commit closed with `error` is a bad one: readers and children see its nearest good ancestor.

        Raises:
            NotFound: there is no such commit.
            Refused: COMMIT_FINISHED: it is closed already.
        """
        message = commit_message(a_commit(commit, self.project))
        request = pb.FinishCommitRequest(commit=message, description=description, error=error, force=force)
        self._wire.call(self._wire.pfs.FinishCommit, request)

    def inspect_commit(self, commit: CommitLike) -> CommitInfo:
        """A commit as it is now. Raises NotFound."""
        return self._inspect(commit, CommitState.STARTED, None)

    def wait_commit(
        self, commit: CommitLike, *, state: CommitState = CommitState.FINISHED, timeout: float | None = None
    ) -> CommitInfo:
        """A commit when it has come to `state`; `timeout` in seconds, None to wait for ever.

        Raises:
            NotFound: there is no such commit.
            Conflict: DELETED_MEANWHILE.
            Unavailable: TIMED_OUT.
        """
        return self._inspect(commit, state, timeout)

    def list_commits(
        self,
        repo: RepoLike,
        *,
        to: CommitLike | None = None,
        from_: CommitLike | None = None,
        number: int = 0,
        reverse: bool = False,
        origin: OriginKind | None = None,
        started: datetime | None = None,
    ) -> Iterator[CommitInfo]:
        """A repo's commits, the newest first; with `to` only that one and its ancestors, until `from_` (excluded).

        `number` is the most that are given, 0 for all. With `started` those that were started before that moment,
        or, with `reverse`, after it.
        """
        request = pb.ListCommitRequest(
            repo=repo_message(a_repo(repo, self.project)),
            to=None if to is None else commit_message(a_commit(to, self.project)),
            number=number,
            reverse=reverse,
            all=True,
            origin_kind=origin.wire_name if origin is not None else None,
            started_time=timestamp(started),
        )
        if from_ is not None:
            getattr(request, "from").CopyFrom(commit_message(a_commit(from_, self.project)))
        return map(read_pfs.commit_info, self._wire.stream(self._wire.pfs.ListCommit, request))

    def inspect_commit_set(self, id: str) -> list[CommitInfo]:
        """All commits of a commit set, what depends after what it depends on. Raises NotFound."""
        return list(self._commit_set(id, wait=False, timeout=None))

    def list_commit_sets(self, project: str | None = None) -> Iterator[CommitSetInfo]:
        """The commit sets that made a commit in a project, newest first: in this client's own for None."""
        request = pb.ListCommitSetRequest(project=project_message(project or self.project))
        for each in self._wire.stream(self._wire.pfs.ListCommitSet, request):
            yield CommitSetInfo(each.commit_set.id, tuple(map(read_pfs.commit_info, each.commits)))

    def wait_commit_set(self, id: str, *, timeout: float | None = None) -> Iterator[CommitInfo]:
        """The commits of a set, each when it is finished. Raises as `wait_commit`."""
        return self._commit_set(id, wait=True, timeout=timeout)

    def subscribe_commits(
        self,
        repo: RepoLike,
        *,
        branch: str = "",
        from_: CommitLike | None = None,
        state: CommitState = CommitState.STARTED,
        origin: OriginKind | None = None,
    ) -> Generator[CommitInfo, None, None]:
        """The commits of a repo, or those made on a branch, oldest first, and then each new one; it has no end.

        Each comes when it is in `state`; those up to `from_` are left out. Close the iterator when it is enough.

        Raises:
            NotFound: the repo or `from_`.
        """
        request = pb.SubscribeCommitRequest(
            repo=repo_message(a_repo(repo, self.project)),
            branch=branch,
            state=state.wire_name,
            origin_kind=origin.wire_name if origin is not None else None,
        )
        if from_ is not None:
            getattr(request, "from").CopyFrom(commit_message(a_commit(from_, self.project)))
        for each in self._wire.stream(self._wire.pfs.SubscribeCommit, request):
            yield read_pfs.commit_info(each)

    def _inspect(self, commit: CommitLike, state: CommitState, timeout: float | None) -> CommitInfo:
        message = commit_message(a_commit(commit, self.project))
        request = pb.InspectCommitRequest(commit=message, wait=state.wire_name)
        return read_pfs.commit_info(self._wire.call(self._wire.pfs.InspectCommit, request, timeout=timeout))

    def _commit_set(self, id: str, *, wait: bool, timeout: float | None) -> Iterator[CommitInfo]:
        request = pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=id), wait=wait)
        answers = self._wire.stream(self._wire.pfs.InspectCommitSet, request, timeout=timeout)
        return map(read_pfs.commit_info, answers)
