# SPDX-License-Identifier: Apache-2.0
"""Calls that search histories and walk through provenance: which commits changed a path, what depends on what."""

from collections.abc import Iterator, Sequence

from howdah.client import pickers, read_pfs
from howdah.client.caller import Caller
from howdah.client.coerce import BranchLike, CommitLike, a_branch, a_commit
from howdah.client.values import Sighting
from howdah.model.infos import BranchInfo, CommitInfo
from howdah.wire.convert import commit_message
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["Searches"]


class Searches(Caller):
    """Searches of histories, and walks through the graphs of commits and branches."""

    def find_commits(
        self, start: CommitLike, path: str, *, limit: int = 0, timeout: float | None = None
    ) -> Iterator[Sighting]:
        """The commits from `start` up through its parents that changed a file or directory, newest first.

        At most `limit` of them, 0 for all. The last answer is the last commit that was looked at, with `found` off;
        a search that ended early, by `limit` or within `timeout` seconds, goes on with its parent.

        Raises:
            NotFound: there is no such commit.
            Unavailable: COMMIT_OPEN: it is not finished.
        """
        request = pb.FindCommitsRequest(
            start=commit_message(a_commit(start, self.project)), file_path=path, limit=limit
        )
        for each in self._wire.stream(self._wire.pfs.FindCommits, request, timeout=timeout):
            found = each.HasField("found_commit")
            commit = read_pfs.commit(each.found_commit if found else each.last_searched_commit)
            yield Sighting(commit, each.commits_searched, found)

    def walk_commits(
        self, *starts: CommitLike, above: bool = True, limit: int = 0, depth: int = 0
    ) -> Iterator[CommitInfo]:
        """All commits that each start depends on, or with `above` off those that depend on it; the nearest first.

        For each start at most `limit` commits (0 is 10,000), at most `depth` steps away (0 is 1,000). Raises NotFound.
        """
        picked = [pickers.commit(a_commit(start, self.project)) for start in starts]
        if above:
            up = pb.WalkCommitProvenanceRequest(start=picked, max_commits=limit, max_depth=depth)
            return map(read_pfs.commit_info, self._wire.stream(self._wire.pfs.WalkCommitProvenance, up))
        down = pb.WalkCommitSubvenanceRequest(start=picked, max_commits=limit, max_depth=depth)
        return map(read_pfs.commit_info, self._wire.stream(self._wire.pfs.WalkCommitSubvenance, down))

    def walk_branches(
        self, *starts: BranchLike, above: bool = True, limit: int = 0, depth: int = 0
    ) -> Iterator[BranchInfo]:
        """All branches that each start depends on, or with `above` off those that depend on it; as `walk_commits`."""
        picked: Sequence[pb.BranchPicker] = [pickers.branch(a_branch(start, self.project)) for start in starts]
        if above:
            up = pb.WalkBranchProvenanceRequest(start=picked, max_branches=limit, max_depth=depth)
            return map(read_pfs.branch_info, self._wire.stream(self._wire.pfs.WalkBranchProvenance, up))
        down = pb.WalkBranchSubvenanceRequest(start=picked, max_branches=limit, max_depth=depth)
        return map(read_pfs.branch_info, self._wire.stream(self._wire.pfs.WalkBranchSubvenance, down))
