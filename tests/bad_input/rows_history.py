# SPDX-License-Identifier: Apache-2.0
"""Wrong calls that would change history: what must not be squashed, dropped, cleared, forgotten or described."""

from howdah.errors import ErrorKind
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from tests.bad_input.row import Row, commit, repo
from tests.bad_input.world import NO_ID


def _picked(name: str, branch: str) -> pfs.CommitPicker:
    of = pfs.RepoPicker(name=pfs.RepoPicker.RepoName(name=name))
    return pfs.CommitPicker(branch_head=pfs.BranchPicker(name=pfs.BranchPicker.BranchName(repo=of, name=branch)))


HISTORY = {
    "squash of a head": Row(
        ErrorKind.HAS_NO_CHILDREN,
        ("cannot squash a commit that has no children", "default/images@", "; use the drop operation instead"),
        cli=lambda w: ("squash", "commit", "images@master", "-r"),
        client=lambda w: w.client.squash_commit("images@master", recursive=True),
        grpc=lambda w: w.pfs.SquashCommit(pfs.SquashCommitRequest(commit=commit("images", "master"), recursive=True)),
    ),
    "dry run of a squash that is refused": Row(
        ErrorKind.HAS_NO_CHILDREN,
        ("cannot squash a commit that has no children",),
        cli=lambda w: ("squash", "commit", "images@draft", "--dry-run"),
        client=lambda w: w.client.squash_commit("images@draft", dry_run=True),
        grpc=lambda w: w.lake.RemoveCommits(
            hd.RemoveCommitsRequest(mode=hd.REMOVAL_MODE_SQUASH, commit=commit("images", "draft"), dry_run=True)
        ),
    ),
    "drop of a commit that a pipeline has read": Row(
        ErrorKind.HAS_DEPENDANTS,
        ("commit default/images@", "cannot be dropped because it has subvenant commits: default/edges", "recursive"),
        cli=lambda w: ("drop", "commit", "images@master"),
        client=lambda w: w.client.drop_commit("images@master"),
        grpc=lambda w: w.pfs.DropCommit(pfs.DropCommitRequest(commit=commit("images", "master"))),
    ),
    "drop of a spec commit": Row(
        ErrorKind.HAS_DEPENDANTS,
        ("commit default/edges.spec@", "it updated pipeline default/edges", "; "),
        cli=lambda w: ("delete", "commit", "edges.spec@master", "-r"),
        client=lambda w: w.client.delete_commit("edges.spec@master", recursive=True),
    ),
    "squash of an unknown set": Row(
        ErrorKind.COMMIT_SET_NOT_FOUND,
        (f"no commits found for commitset {NO_ID}",),
        cli=lambda w: ("squash", "commit", NO_ID),
        client=lambda w: w.client.squash_commit_set(NO_ID),
        grpc=lambda w: w.pfs.SquashCommitSet(pfs.SquashCommitSetRequest(commit_set=pfs.CommitSet(id=NO_ID))),
    ),
    "drop of an unknown set": Row(
        ErrorKind.COMMIT_SET_NOT_FOUND,
        (f"no commits found for commitset {NO_ID}",),
        cli=lambda w: ("drop", "commit", NO_ID),
        client=lambda w: w.client.drop_commit_set(NO_ID),
        grpc=lambda w: w.pfs.DropCommitSet(pfs.DropCommitSetRequest(commit_set=pfs.CommitSet(id=NO_ID))),
    ),
    "drop of no set": Row(
        ErrorKind.BAD_ARGUMENT,
        ("validate request: invalid pfs_v2.DropCommitSetRequest.commit_set", "; "),
        grpc=lambda w: w.pfs.DropCommitSet(pfs.DropCommitSetRequest()),
    ),
    "squash of no set": Row(
        ErrorKind.BAD_REFERENCE,
        ("commit",),
        grpc=lambda w: w.pfs.SquashCommitSet(pfs.SquashCommitSetRequest()),
    ),
    "drop of an unknown commit": Row(
        ErrorKind.COMMIT_NOT_FOUND,
        (f"commit default/images@{NO_ID} not found",),
        cli=lambda w: ("drop", "commit", f"images@{NO_ID}"),
        client=lambda w: w.client.drop_commit(f"images@{NO_ID}"),
        grpc=lambda w: w.pfs.DropCommit(pfs.DropCommitRequest(commit=pfs.Commit(repo=repo("images"), id=NO_ID))),
    ),
    "drop without a repo": Row(
        ErrorKind.BAD_ARGUMENT,
        ("commit must have a repo", "; "),
        grpc=lambda w: w.pfs.DropCommit(pfs.DropCommitRequest()),
    ),
    "removal of nothing": Row(
        ErrorKind.BAD_ARGUMENT,
        ("no commit is named", "; "),
        grpc=lambda w: w.lake.RemoveCommits(hd.RemoveCommitsRequest(mode=hd.REMOVAL_MODE_DROP)),
    ),
    "removal in no way": Row(
        ErrorKind.BAD_ARGUMENT,
        ("removal mode 7 is unknown", "; "),
        grpc=lambda w: w.lake.RemoveCommits(hd.RemoveCommitsRequest(mode=7, commit=commit("images", "master"))),
    ),
    "recursive removal of a set": Row(
        ErrorKind.BAD_ARGUMENT,
        ("a commit set is never removed recursively", "; "),
        grpc=lambda w: w.lake.RemoveCommits(
            hd.RemoveCommitsRequest(mode=hd.REMOVAL_MODE_DROP, commit_set=pfs.CommitSet(id=w.finished), recursive=True)
        ),
    ),
    "clear of a finished commit": Row(
        ErrorKind.COMMIT_FINISHED,
        ("commit default/images@", "has already finished", "; "),
        cli=lambda w: ("clear", "commit", "images@master"),
        client=lambda w: w.client.clear_commit("images@master"),
        grpc=lambda w: w.pfs.ClearCommit(pfs.ClearCommitRequest(commit=commit("images", "master"))),
    ),
    "description of an unknown commit": Row(
        ErrorKind.COMMIT_NOT_FOUND,
        (f"commit default/images@{NO_ID} not found",),
        cli=lambda w: ("update", "commit", f"images@{NO_ID}", "-d", "x"),
        client=lambda w: w.client.update_commit(f"images@{NO_ID}", description="x"),
        grpc=lambda w: w.lake.UpdateCommit(
            hd.UpdateCommitRequest(commit=pfs.Commit(repo=repo("images"), id=NO_ID), description="x")
        ),
    ),
    "forgetting a head": Row(
        ErrorKind.HAS_DEPENDANTS,
        ("commit default/images@", "cannot be forgotten", "; "),
        grpc=lambda w: w.pfs.ForgetCommit(pfs.ForgetCommitRequest(commit=_picked("images", "master"))),
    ),
    "forgetting an open commit": Row(
        ErrorKind.COMMIT_OPEN,
        ("commit default/images@", "is not finished and cannot be forgotten; "),
        grpc=lambda w: w.pfs.ForgetCommit(pfs.ForgetCommitRequest(commit=_picked("images", "draft"))),
    ),
    "forgetting what is not picked": Row(
        ErrorKind.BAD_ARGUMENT,
        ("the commit picker picks nothing", "; "),
        grpc=lambda w: w.pfs.ForgetCommit(pfs.ForgetCommitRequest()),
    ),
}
