# SPDX-License-Identifier: Apache-2.0
"""`transaction_v2.API` by raw messages, and the calls that carry the id of a transaction."""

import itertools
import json

import grpc
import pytest

from howdah.apis.grpc.operations import reader
from howdah.apis.grpc.transacted import KEPT
from howdah.client.transaction_messages import request_message
from howdah.model.infos import Trigger
from howdah.model.operations import (
    CreateBranch,
    CreatePipeline,
    CreateRepo,
    DeleteBranch,
    DeleteRepo,
    FinishCommit,
    SquashCommitSet,
    StartCommit,
    StopJob,
    UpdateJobState,
)
from howdah.model.refs import Branch, Commit, CommitRef, Job, Pipeline, Repo
from howdah.model.spec import parse_spec
from howdah.model.states import JobState
from howdah.testing.server import running_server
from howdah.wire.convert import branch_message, repo_message
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import (
    pfs_v2_pb2_grpc,
    pps_v2_pb2_grpc,
    transaction_v2_pb2_grpc,
)
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs import transaction_v2_pb2 as pb

NO_ID = "0123456789ab4def8123456789abcdef"
SPEC = {
    "pipeline": {"name": "p"},
    "transform": {"cmd": ["run"], "image": "an-image"},
    "input": {"pfs": {"repo": "words", "glob": "/*"}},
}

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    with (
        running_server(tmp_path_factory.mktemp("lake")) as running,
        grpc.insecure_channel(running.grpc_address) as opened,
    ):
        yield opened


@pytest.fixture
def api(channel):
    return transaction_v2_pb2_grpc.APIStub(channel)


@pytest.fixture
def files(channel):
    return pfs_v2_pb2_grpc.APIStub(channel)


@pytest.fixture
def pipelines(channel):
    return pps_v2_pb2_grpc.APIStub(channel)


@pytest.fixture
def id(api):
    return api.StartTransaction(pb.StartTransactionRequest()).id


@pytest.fixture
def repo():
    return Repo("default", f"repo-{next(_numbers)}")


def within(id):
    return (("pach-transaction", id),)


def create(repo):
    return pfs.CreateRepoRequest(repo=repo_message(repo))


def exists(files, repo):
    return repo.name in [info.repo.name for info in files.ListRepo(pfs.ListRepoRequest())]


def finish(api, id):
    return api.FinishTransaction(pb.FinishTransactionRequest(transaction=pb.Transaction(id=id)))


def inspect(api, id):
    return api.InspectTransaction(pb.InspectTransactionRequest(transaction=pb.Transaction(id=id)))


def code_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def test_calls_with_the_id_are_kept_until_the_end(api, files, id, repo):
    """Requests as they were sent, and beside each its answer; other calls happen at once."""
    branch = branch_message(Branch(repo, "master"))
    files.CreateRepo(create(repo), metadata=within(id))
    commit = files.StartCommit(pfs.StartCommitRequest(branch=branch), metadata=within(id))

    before = inspect(api, id)
    assert not exists(files, repo)
    info = finish(api, id)

    assert (id, "") == (commit.id, commit.branch.name)
    assert info == before
    assert ([create(repo)], 2) == ([info.requests[0].create_repo], info.version)
    assert [False, True] == [each.HasField("commit") for each in info.responses]
    assert commit == info.responses[1].commit
    assert info.HasField("started")
    assert exists(files, repo)


def test_an_empty_id_is_none(files, repo):
    """The Python client sends it when its transaction is over."""
    files.CreateRepo(create(repo), metadata=within(""))

    assert exists(files, repo)


def test_other_calls_pass_the_id_over(api, files, id):
    """Reading, and what cannot be part of a transaction, even if there is no such transaction any more."""
    finish(api, id)

    list(files.ListRepo(pfs.ListRepoRequest(), metadata=within(id)))
    files.CreateProject(pfs.CreateProjectRequest(project=pfs.Project(name=f"p{id[:8]}")), metadata=within(id))
    assert 32 == len(api.StartTransaction(pb.StartTransactionRequest(), metadata=within(id)).id)


def test_a_repo_is_said_to_be_deleted(files, id, repo):
    """Although nothing has happened yet."""
    request = pfs.DeleteRepoRequest(repo=repo_message(repo))

    assert files.DeleteRepo(request, metadata=within(id)).deleted


def test_pipelines_are_kept_by_both_calls(api, files, pipelines, id):
    """The answer is the effective spec, and what the user wrote is kept; a dry run is none of the transaction."""
    files.CreateRepo(pfs.CreateRepoRequest(repo=pfs.Repo(name="words")))
    text = json.dumps(SPEC)
    dry = pps.CreatePipelineV2Request(create_pipeline_request_json=text, dry_run=True)
    other = pps.CreatePipelineRequest(pipeline=pps.Pipeline(name="q"))
    other.transform.cmd.append("run")
    other.input.pfs.repo, other.input.pfs.glob = "p", "/"

    pipelines.CreatePipelineV2(dry, metadata=within(id))
    dry.dry_run = False
    answer = pipelines.CreatePipelineV2(dry, metadata=within(id)).effective_create_pipeline_request_json
    pipelines.CreatePipeline(other, metadata=within(id))
    info = finish(api, id)

    assert "master" == json.loads(answer)["outputBranch"]
    assert [text, answer] == [
        info.requests[0].create_pipeline_v2.user_json,
        info.requests[0].create_pipeline_v2.effective_json,
    ]
    details = {each.pipeline.name: each for each in pipelines.ListPipeline(pps.ListPipelineRequest())}
    assert {"p", "q"} == set(details)
    assert text == details["p"].user_spec_json


def test_a_batch_answers_each_request(api, files, repo):
    """All at once; what a pipeline's request needs is its message alone."""
    start = pfs.StartCommitRequest(branch=branch_message(Branch(repo, "master")))
    spec = pps.CreatePipelineRequest(pipeline=pps.Pipeline(name=f"of-{repo.name}"))
    spec.input.pfs.repo, spec.input.pfs.glob = repo.name, "/"
    spec.transform.cmd.append("run")
    asked = [
        pb.TransactionRequest(create_repo=create(repo)),
        pb.TransactionRequest(start_commit=start),
        pb.TransactionRequest(create_pipeline_v2=pps.CreatePipelineTransaction(create_pipeline_request=spec)),
    ]

    info = api.BatchTransaction(pb.BatchTransactionRequest(requests=asked))

    assert asked == list(info.requests)
    assert [False, True, False] == [each.HasField("commit") for each in info.responses]
    assert info.transaction.id == info.responses[1].commit.id


@pytest.mark.parametrize(
    ("requests", "text"),
    [
        pytest.param([pb.TransactionRequest()], "asks for 0 changes", id="none"),
        pytest.param(
            [pb.TransactionRequest(create_repo=create(Repo("default", "x")), stop_job=pps.StopJobRequest())],
            "asks for 2 changes",
            id="two at once",
        ),
        pytest.param([pb.TransactionRequest(start_commit=pfs.StartCommitRequest())], "branch must be", id="no branch"),
    ],
)
def test_a_request_asks_for_one_change(api, requests, text):
    """Nothing of the batch is made."""
    code, details = code_of(lambda: api.BatchTransaction(pb.BatchTransactionRequest(requests=requests)))

    assert grpc.StatusCode.INVALID_ARGUMENT == code
    assert text in details


def test_an_unknown_id_is_not_found(api, files, repo):
    """By every call; clients ask for this code."""
    missing = pb.Transaction(id=NO_ID)
    calls = (
        lambda: inspect(api, NO_ID),
        lambda: finish(api, NO_ID),
        lambda: api.DeleteTransaction(pb.DeleteTransactionRequest(transaction=missing)),
        lambda: files.CreateRepo(create(repo), metadata=within(NO_ID)),
        lambda: files.CreateRepo(create(repo), metadata=within("no id at all")),
    )

    for call in calls:
        code, details = code_of(call)
        assert grpc.StatusCode.NOT_FOUND == code
        assert "not found" in details


def test_a_transaction_must_be_named(api):
    """Checked before anything is done."""
    calls = (
        lambda: api.InspectTransaction(pb.InspectTransactionRequest()),
        lambda: api.FinishTransaction(pb.FinishTransactionRequest()),
        lambda: api.DeleteTransaction(pb.DeleteTransactionRequest()),
    )

    assert [grpc.StatusCode.INVALID_ARGUMENT] * 3 == [code_of(call)[0] for call in calls]


def test_transactions_are_listed_and_deleted(api, id):
    """One by its id, then all that are left."""
    api.StartTransaction(pb.StartTransactionRequest())
    ids = [info.transaction.id for info in api.ListTransaction(pb.ListTransactionRequest()).transaction_info]
    assert id in ids

    api.DeleteTransaction(pb.DeleteTransactionRequest(transaction=pb.Transaction(id=id)))
    assert grpc.StatusCode.NOT_FOUND == code_of(lambda: inspect(api, id))[0]
    api.DeleteAll(pb.DeleteAllRequest())

    assert [] == list(api.ListTransaction(pb.ListTransactionRequest()).transaction_info)


def test_a_job_is_brought_to_an_end(files, pipelines, repo):
    """By itself too, outside of any transaction. Its input is open, so it does not end by itself."""
    files.CreateRepo(create(repo))
    files.StartCommit(pfs.StartCommitRequest(branch=branch_message(Branch(repo, "master"))))
    spec = {**SPEC, "pipeline": {"name": f"end-{repo.name}"}, "input": {"pfs": {"repo": repo.name, "glob": "/"}}}
    pipelines.CreatePipelineV2(pps.CreatePipelineV2Request(create_pipeline_request_json=json.dumps(spec)))
    [info] = pipelines.ListJob(pps.ListJobRequest(pipeline=pps.Pipeline(name=f"end-{repo.name}")))
    state = pps.UpdateJobStateRequest(job=info.job, state=pps.JOB_KILLED, reason="enough")

    pipelines.UpdateJobState(state)
    unknown = code_of(lambda: pipelines.UpdateJobState(pps.UpdateJobStateRequest(job=info.job)))

    assert "enough" == pipelines.InspectJob(pps.InspectJobRequest(job=info.job)).reason
    assert grpc.StatusCode.INVALID_ARGUMENT == unknown[0]


def test_a_spec_with_an_impossible_duration_is_a_bad_one(pipelines, id):
    """Within a transaction and outside; protobuf has no text for it."""
    request = pps.CreatePipelineRequest(pipeline=pps.Pipeline(name="p"))
    request.datum_timeout.nanos = 2**31 - 1

    codes = [
        code_of(lambda each=each: pipelines.CreatePipeline(request, metadata=within(each)))[0] for each in (id, "")
    ]

    assert [grpc.StatusCode.INVALID_ARGUMENT] * 2 == codes


IMAGES = Repo("default", "images")
MASTER = Branch(IMAGES, "master")
JOB = Job(Pipeline("default", "p"), NO_ID)


@pytest.mark.parametrize(
    "operation",
    [
        CreateRepo(IMAGES, "photographs", update=True),
        DeleteRepo(IMAGES, force=True),
        StartCommit(MASTER, CommitRef(IMAGES, "dev"), "first"),
        FinishCommit(Commit(IMAGES, NO_ID), "done", "no good", force=True),
        SquashCommitSet(NO_ID),
        CreateBranch(
            MASTER,
            Commit(IMAGES, NO_ID),
            (Branch(Repo("default", "b"), "x"),),
            None,
            (Branch(Repo("default", "b"), "x"),),
        ),
        CreateBranch(MASTER, trigger=Trigger("dev", commits=3)),
        DeleteBranch(MASTER, force=True),
        UpdateJobState(JOB, JobState.FAILURE, "broken"),
        StopJob(JOB, "enough"),
        CreatePipeline(parse_spec(SPEC), json.dumps(SPEC), update=True, reprocess=True),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_an_operation_is_read_as_it_was_sent(operation):
    """By our client in a batch, and by the server."""
    assert operation == reader(parse_spec)(request_message(operation).SerializeToString())


def test_every_kept_method_is_one_of_the_protocol():
    """And every change of the protocol's list can be asked for by a call."""
    methods = {
        method.name for api in (pfs.DESCRIPTOR, pps.DESCRIPTOR) for method in api.services_by_name["API"].methods
    }
    fields = {field.name for field in pb.TransactionRequest.DESCRIPTOR.fields}

    assert set() == set(KEPT) - methods
    assert len(fields) == len(set(KEPT) - {"CreatePipeline"})
