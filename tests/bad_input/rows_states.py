# SPDX-License-Identifier: Apache-2.0
"""Calls that would be right in another state of the lake, and calls of a protocol that are not done here."""

from howdah.errors import ErrorKind
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from tests.bad_input.row import Row, branch, commit, pipeline, repo
from tests.bad_input.world import NO_ID

STATES = {
    "write into a finished commit": Row(
        ErrorKind.COMMIT_FINISHED,
        ("commit default/images@", "has already finished", "; "),
        cli=lambda w: ("put", "file", f"images@{w.finished}:/x", "-f", w.file("x", "x")),
        client=lambda w: w.client.put_file(f"images@{w.finished}", "/x", b"x"),
        grpc=lambda w: w.pfs.ModifyFile(
            iter([pfs.ModifyFileRequest(set_commit=pfs.Commit(repo=repo("images"), id=w.finished))])
        ),
    ),
    "finish twice": Row(
        ErrorKind.COMMIT_FINISHED,
        ("commit default/images@", "has already finished", "; "),
        cli=lambda w: ("finish", "commit", f"images@{w.finished}"),
        client=lambda w: w.client.finish_commit(f"images@{w.finished}"),
        grpc=lambda w: w.pfs.FinishCommit(
            pfs.FinishCommitRequest(commit=pfs.Commit(repo=repo("images"), id=w.finished))
        ),
    ),
    "start on an open commit": Row(
        ErrorKind.COMMIT_OPEN,
        ("parent commit default/images@", "has not been finished; finish it first: howdah finish commit"),
        cli=lambda w: ("start", "commit", "images@draft"),
        client=lambda w: w.client.start_commit("images@draft"),
        grpc=lambda w: w.pfs.StartCommit(pfs.StartCommitRequest(branch=branch("images", "draft"))),
    ),
    "start on an output branch": Row(
        ErrorKind.OUTPUT_BRANCH,
        ("cannot start a commit on an output branch: default/edges@master", "; "),
        cli=lambda w: ("start", "commit", "edges@master"),
        client=lambda w: w.client.start_commit("edges@master"),
        grpc=lambda w: w.pfs.StartCommit(pfs.StartCommitRequest(branch=branch("edges", "master"))),
    ),
    "write to an output branch": Row(
        ErrorKind.OUTPUT_BRANCH,
        ("cannot start a commit on an output branch: default/edges@master", "; "),
        cli=lambda w: ("put", "file", "edges@master:/x", "-f", w.file("x", "x")),
        client=lambda w: w.client.put_file("edges@master", "/x", b"x"),
        grpc=lambda w: w.pfs.ModifyFile(iter([pfs.ModifyFileRequest(set_commit=commit("edges", "master"))])),
    ),
    "finish of an output commit": Row(
        ErrorKind.OUTPUT_BRANCH,
        ("cannot finish a pipeline output or meta commit, use 'stop job' instead",),
        cli=lambda w: ("finish", "commit", "edges@master"),
        client=lambda w: w.client.finish_commit("edges@master"),
        grpc=lambda w: w.pfs.FinishCommit(pfs.FinishCommitRequest(commit=commit("edges", "master"))),
    ),
    "delete of a repo that a pipeline reads": Row(
        ErrorKind.HAS_DEPENDANTS,
        ("images", "edges"),
        cli=lambda w: ("delete", "repo", "images"),
        client=lambda w: w.client.delete_repo("images"),
        grpc=lambda w: w.pfs.DeleteRepo(pfs.DeleteRepoRequest(repo=repo("images"))),
    ),
    "delete of a pipeline's repo": Row(
        ErrorKind.HAS_DEPENDANTS,
        ("edges", "howdah delete pipeline"),
        cli=lambda w: ("delete", "repo", "edges"),
        client=lambda w: w.client.delete_repo("edges"),
        grpc=lambda w: w.pfs.DeleteRepo(pfs.DeleteRepoRequest(repo=repo("edges"))),
    ),
    "delete of a branch that a pipeline reads": Row(
        ErrorKind.HAS_DEPENDANTS,
        ("images@master", "edges"),
        cli=lambda w: ("delete", "branch", "images@master"),
        client=lambda w: w.client.delete_branch("images@master"),
        grpc=lambda w: w.pfs.DeleteBranch(pfs.DeleteBranchRequest(branch=branch("images", "master"))),
    ),
    "delete of a project with repos": Row(
        ErrorKind.HAS_DEPENDANTS,
        ("project default cannot be deleted: repo default/", "still exists; "),
        cli=lambda w: ("delete", "project", "default"),
        client=lambda w: w.client.delete_project("default"),
        grpc=lambda w: w.pfs.DeleteProject(pfs.DeleteProjectRequest(project=pfs.Project(name="default"))),
    ),
    "branch that follows itself": Row(
        ErrorKind.DAG_INVALID,
        ("images@draft",),
        cli=lambda w: ("create", "branch", "images@draft", "-p", "images@draft"),
        client=lambda w: w.client.create_branch("images@draft", provenance=["images@draft"]),
        grpc=lambda w: w.pfs.CreateBranch(
            pfs.CreateBranchRequest(branch=branch("images", "draft"), provenance=[branch("images", "draft")])
        ),
    ),
    "change that is none": Row(
        ErrorKind.BAD_ARGUMENT,
        ("change",),
        grpc=lambda w: w.lake.HandIn(hd.HandInRequest(commit=commit("images", "draft"), change=b"junk", lease_id="x")),
    ),
    "renewal of an unknown lease": Row(
        ErrorKind.LEASE_EXPIRED,
        ("lease", "; "),
        grpc=lambda w: w.lake.RenewWrite(hd.RenewWriteRequest(lease_id=NO_ID)),
    ),
    "renewal of an unknown claim": Row(
        ErrorKind.CLAIM_LOST,
        ("the claim of datum set 12345 is lost", "; drop the work"),
        grpc=lambda w: w.work.RenewClaim(hd.RenewClaimRequest(set_id=12345, fence=1)),
    ),
    "call that nothing stands behind": Row(
        ErrorKind.UNSUPPORTED,
        ("unimplemented", "; run it again: howdah rerun pipeline edges"),
        grpc=lambda w: w.pps.RunPipeline(pps.RunPipelineRequest(pipeline=pipeline("edges"))),
    ),
    "tick without cron input": Row(
        ErrorKind.BAD_ARGUMENT,
        ("pipeline doesn't have a cron input", "; run it again: howdah rerun pipeline default/edges"),
        cli=lambda _: ("run", "cron", "edges"),
        client=lambda w: w.client.run_cron("edges"),
        grpc=lambda w: w.pps.RunCron(pps.RunCronRequest(pipeline=pipeline("edges"))),
    ),
    "filter that cannot be read": Row(
        ErrorKind.BAD_ARGUMENT,
        ("jq filter (.state ==) invalid", "; write one like"),
        cli=lambda _: ("list", "job", "--jq", ".state =="),
        client=lambda w: list(w.client.list_jobs(jq=".state ==")),
        grpc=lambda w: list(w.pps.ListJob(pps.ListJobRequest(jqFilter=".state =="))),
    ),
}
