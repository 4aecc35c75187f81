# SPDX-License-Identifier: Apache-2.0
"""The texts of errors that clients match, each by a call that gives it: regular expression and code stay for ever.

Texts about datums, jobs and pipelines are in `test_pps_service`; those of authentication wait for it.
"""

import re

import grpc
import pytest

from howdah.wire.stubs import admin_v2_pb2, auth_v2_pb2, auth_v2_pb2_grpc
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2 as pps
from tests.apis.wired import NO_ID, WAIT, add, failure, head_of

CODE = grpc.StatusCode
COMMIT = r"default/repo-\d+@[0-9a-f]{32}"
NOWHERE = pb.Repo(name="nowhere")


def who_am_i(wire):
    return auth_v2_pb2_grpc.APIStub(wire.channel).WhoAmI(auth_v2_pb2.WhoAmIRequest())


def activate_auth(wire):
    return wire.pfs.ActivateAuth(pb.ActivateAuthRequest())


def restart(wire):
    return wire.admin.RestartPachyderm(admin_v2_pb2.RestartPachydermRequest(reason="x"))


def inspect_repo(wire):
    return wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=NOWHERE))


def inspect_meta_repo(wire):
    return wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=pb.Repo(name="nowhere", type="meta")))


def start_nowhere(wire):
    return wire.start(wire.branch(NOWHERE))


def start_on_an_open_head(wire):
    branch = wire.branch()
    wire.start(branch)
    return wire.start(branch)


def start_on_an_output(wire):
    return wire.start(wire.output(wire.branch()))


def put_to_an_output(wire):
    return wire.modify(head_of(wire.output(wire.branch())), add("/a", b"1"))


def inspect_unknown_set(wire):
    return wire.pfs.InspectCommitSet(pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=NO_ID)))


def inspect_file(wire):
    return wire.file(wire.put(wire.branch(), {"/a": b"1"}), "/none")


def inspect_root_of_nothing(wire):
    return wire.file(wire.put(wire.branch()), "/")


def get_file(wire):
    return wire.pieces(wire.put(wire.branch(), {"/a": b"1"}), "/none")


def get_pattern(wire):
    return wire.pieces(wire.put(wire.branch(), {"/a": b"1"}), "/none*")


def inspect_file_of_branch(wire):
    return wire.file(head_of(wire.branch(name="none")), "/a")


def inspect_branch(wire):
    return wire.pfs.InspectBranch(pb.InspectBranchRequest(branch=wire.branch(name="none")))


def get_directory(wire):
    return wire.pieces(wire.put(wire.branch(), {"/d/a": b"1"}), "/d")


def get_several(wire):
    return wire.pieces(wire.put(wire.branch(), {"/a": b"1", "/b": b"2"}), "/*")


def create_repo_again(wire):
    return wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=wire.repo()))


def create_project_again(wire):
    return wire.pfs.CreateProject(pb.CreateProjectRequest(project=wire.project()))


def create_pipeline_again(wire):
    return wire.pps.CreatePipeline(
        pps.CreatePipelineRequest(
            pipeline=wire.pipeline(repo := wire.repo()),
            transform=pps.Transform(image="x", cmd=["true"]),
            input=pps.Input(pfs=pps.PFSInput(repo=repo.name, glob="/*")),
        )
    )


def inspect_commit(wire):
    return wire.commit(pb.Commit(repo=wire.repo(), id=NO_ID))


def inspect_ancestor(wire):
    return wire.commit(pb.Commit(repo=wire.put(wire.branch()).repo, id="master^5"))


def wait_for_deleted(wire):
    source = wire.branch()
    output = wire.output(source)
    commit = wire.put(source)
    request = pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=commit.id), wait=True)
    following = wire.pfs.InspectCommitSet(request, timeout=WAIT)
    next(following)  # the source's; from here on it waits for the output's
    wire.pfs.DropCommit(pb.DropCommitRequest(commit=pb.Commit(repo=output.repo, id=commit.id)))
    return following


def finish_again(wire):
    return wire.finish(wire.put(wire.branch()))


def put_to_finished(wire):
    return wire.modify(wire.put(wire.branch()), add("/a", b"1"))


def clear_finished(wire):
    return wire.pfs.ClearCommit(pb.ClearCommitRequest(commit=wire.put(wire.branch())))


def finish_an_output(wire):
    branch = wire.branch()
    output = wire.output(branch)
    return wire.finish(pb.Commit(repo=output.repo, id=wire.start(branch).id))


def inspect_pipeline(wire):
    return wire.pps.InspectPipeline(pps.InspectPipelineRequest(pipeline=pps.Pipeline(name="nowhere")))


def squash_a_leaf(wire):
    return wire.pfs.SquashCommit(pb.SquashCommitRequest(commit=wire.put(wire.branch())))


def squash_a_leaf_set(wire):
    set_id = wire.put(wire.branch()).id
    return wire.pfs.SquashCommitSet(pb.SquashCommitSetRequest(commit_set=pb.CommitSet(id=set_id)))


def drop_a_parent(wire):
    branch = wire.branch()
    first = wire.put(branch)
    wire.put(branch)
    return wire.pfs.DropCommit(pb.DropCommitRequest(commit=first))


def drop_a_set_that_others_need(wire):
    source, other = wire.branch(), wire.branch()
    first = wire.put(source)
    wire.put(other)
    wire.output(source, other)
    return wire.pfs.DropCommitSet(pb.DropCommitSetRequest(commit_set=pb.CommitSet(id=first.id)))


def read_below_an_open_base(wire):
    source, other = wire.branch(), wire.branch()
    output = wire.output(source)
    wire.start(source)
    wire.pfs.CreateBranch(pb.CreateBranchRequest(branch=output, provenance=[source, other]))
    return wire.paths(wire.head(output))


def delete_project_with_repos(wire):
    project = wire.project()
    wire.repo(project.name)
    return wire.pfs.DeleteProject(pb.DeleteProjectRequest(project=project))


def delete_without_name(wire):
    return wire.pfs.DeleteBranch(pb.DeleteBranchRequest())


def no_commit_first(wire):
    return wire.pfs.ModifyFile(iter([add("/a", b"1")]), timeout=WAIT)


def bad_name(wire):
    return wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=pb.Repo(name="a b")))


TEXTS = [
    (who_am_i, CODE.UNIMPLEMENTED, r"the auth service is not activated"),
    (activate_auth, CODE.UNIMPLEMENTED, r"the auth service is not activated"),
    (restart, CODE.UNIMPLEMENTED, r"cannot restart itself; .+howdah server"),
    (inspect_repo, CODE.NOT_FOUND, r"^repo default/nowhere not found"),
    (inspect_meta_repo, CODE.NOT_FOUND, r"^repo default/nowhere\.meta not found"),
    (start_nowhere, CODE.NOT_FOUND, r"repo .* not found"),
    (start_on_an_open_head, CODE.FAILED_PRECONDITION, rf"parent commit {COMMIT} has not been finished"),
    (start_on_an_output, CODE.FAILED_PRECONDITION, r"cannot start a commit on an output branch"),
    (put_to_an_output, CODE.FAILED_PRECONDITION, r"cannot start a commit on an output branch"),
    (inspect_unknown_set, CODE.NOT_FOUND, rf"no commits found for commitset {NO_ID}"),
    (inspect_file, CODE.NOT_FOUND, r"^file .+ not found in repo .+ at commit .+$"),
    (inspect_root_of_nothing, CODE.NOT_FOUND, r"^file .+ not found in repo .+ at commit .+$"),
    (get_file, CODE.NOT_FOUND, r"^file .+ not found in repo .+ at commit .+$"),
    (get_pattern, CODE.NOT_FOUND, r"^file .+ not found in repo .+ at commit .+$"),
    (inspect_file_of_branch, CODE.NOT_FOUND, r"^branch .+ not found in repo .+$"),
    (inspect_branch, CODE.NOT_FOUND, r"^branch .+ not found in repo .+$"),
    (get_directory, CODE.FAILED_PRECONDITION, r"cannot get directory or non-regular file\. Use GetFileTAR instead"),
    (get_several, CODE.FAILED_PRECONDITION, r"matched multiple files\. Use GetFileTAR instead"),
    (create_repo_again, CODE.ALREADY_EXISTS, r"already exists"),
    (create_project_again, CODE.ALREADY_EXISTS, r"already exists"),
    (create_pipeline_again, CODE.ALREADY_EXISTS, r'pipeline "default/pipeline-\d+" already exists'),
    (inspect_commit, CODE.NOT_FOUND, r"commit [^ ]+ not found"),
    (inspect_ancestor, CODE.NOT_FOUND, r"commit [^ ]+ not found"),
    (wait_for_deleted, CODE.ABORTED, r"commit [^ ]+ was deleted"),
    (finish_again, CODE.FAILED_PRECONDITION, r"commit [^ ]+ has already finished"),
    (put_to_finished, CODE.FAILED_PRECONDITION, r"commit [^ ]+ has already finished"),
    (clear_finished, CODE.FAILED_PRECONDITION, r"commit [^ ]+ has already finished"),
    (finish_an_output, CODE.FAILED_PRECONDITION, r"cannot finish a pipeline output or meta commit, use 'stop job'"),
    (inspect_pipeline, CODE.NOT_FOUND, r"pipeline [^ ]+ not found"),
    (squash_a_leaf, CODE.FAILED_PRECONDITION, r"cannot squash a commit that has no children"),
    (squash_a_leaf_set, CODE.FAILED_PRECONDITION, r"cannot squash a commit that has no children"),
    (drop_a_parent, CODE.FAILED_PRECONDITION, r"cannot drop a commit that has children"),
    (
        drop_a_set_that_others_need,
        CODE.FAILED_PRECONDITION,
        r"commit set .+ cannot be dropped because it has subvenant commit sets: .+",
    ),
    (read_below_an_open_base, CODE.UNAVAILABLE, rf"base commit {COMMIT} for commit {COMMIT} unfinished"),
    (delete_project_with_repos, CODE.FAILED_PRECONDITION, r"project .+ cannot be deleted: repo .+ still exists"),
    (delete_without_name, CODE.INVALID_ARGUMENT, r"^validate request: "),
    (no_commit_first, CODE.INVALID_ARGUMENT, r"^first message must be a commit"),
    (
        bad_name,
        CODE.INVALID_ARGUMENT,
        r"name \(a b\) invalid: only alphanumeric characters, underscores, and dashes are allowed",
    ),
]


@pytest.mark.parametrize(("call", "code", "expression"), TEXTS, ids=[call.__name__ for call, *_ in TEXTS])
def test_a_call_fails_in_the_words_that_clients_match(wire, call, code, expression):
    """In one line, or the two expressions that want a whole text would fail."""
    found, text = failure(lambda: call(wire))

    assert code is found
    assert re.search(expression, text), text
    assert "\n" not in text
