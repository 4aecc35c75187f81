# SPDX-License-Identifier: Apache-2.0
"""Calls on branches."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from howdah.client import read_pfs
from howdah.client.caller import Caller
from howdah.client.coerce import BranchLike, CommitLike, RepoLike, a_branch, a_commit, a_repo
from howdah.model.infos import BranchInfo, Trigger
from howdah.wire.convert import branch_message, commit_message, repo_message
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["Branches"]


class Branches(Caller):
    """Movable names of commits, and what follows what."""

    def create_branch(
        self,
        branch: BranchLike,
        *,
        head: CommitLike | None = None,
        provenance: Sequence[BranchLike] = (),
        trigger: Trigger | None = None,
        never: Sequence[BranchLike] = (),
    ) -> None:
        """Make a branch, or change one: give it another head, other provenance, a trigger.

        A new branch without `head` begins with an empty, finished commit. Branches of `provenance` that do not
        exist are made; those of them that are also in `never` may move without this one. An existing branch gets
        exactly this provenance, none if none is given, and keeps its trigger. What depends on it gets new commits.

        Raises:
            NotFound: its repo, the commit `head`, or the branch that the trigger watches.
            BadRequest: DAG_INVALID; `head` is a commit of another repo; a trigger that cannot be read, or one
                beside provenance.
        """
        propagation = pb.PropagationSpec(never=True)
        request = pb.CreateBranchRequest(
            branch=branch_message(a_branch(branch, self.project)),
            head=None if head is None else commit_message(a_commit(head, self.project)),
            provenance=[branch_message(a_branch(each, self.project)) for each in provenance],
            trigger=None if trigger is None else pb.Trigger(**asdict(trigger)),
            branch_propagation_specs=[
                pb.BranchPropagationSpec(
                    branch=branch_message(a_branch(each, self.project)), propagation_spec=propagation
                )
                for each in never
            ],
        )
        self._wire.call(self._wire.pfs.CreateBranch, request)

    def inspect_branch(self, branch: BranchLike) -> BranchInfo:
        """A branch. Raises NotFound."""
        request = pb.InspectBranchRequest(branch=branch_message(a_branch(branch, self.project)))
        return read_pfs.branch_info(self._wire.call(self._wire.pfs.InspectBranch, request))

    def list_branches(self, repo: RepoLike | None = None, *, reverse: bool = False) -> Iterator[BranchInfo]:
        """The branches of a repo, or of all repos of all projects, the newest first."""
        of = None if repo is None else repo_message(a_repo(repo, self.project))
        request = pb.ListBranchRequest(repo=of, reverse=reverse)
        return map(read_pfs.branch_info, self._wire.stream(self._wire.pfs.ListBranch, request))

    def delete_branch(self, branch: BranchLike, *, force: bool = False) -> None:
        """Remove a branch; its commits stay.

        Raises:
            NotFound: there is none.
            Refused: HAS_DEPENDANTS: other branches follow it, and `force` is off.
        """
        request = pb.DeleteBranchRequest(branch=branch_message(a_branch(branch, self.project)), force=force)
        self._wire.call(self._wire.pfs.DeleteBranch, request)
