# SPDX-License-Identifier: Apache-2.0
"""What `pachctl` sends about pipelines, jobs and datums, command by command, against a server with a worker."""

import json

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from howdah.testing.server import running_server
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pb
from howdah.wire.stubs import transaction_v2_pb2 as tx
from tests.other_clients.pachctl import Pachctl, commit, file, put_file, repo

PPS = "pps_v2.API"
DEFAULT = pfs.Project(name="default")
UPPER = 'for file in /pfs/words/*; do echo "reading $file"; tr a-z A-Z < $file > /pfs/out/$(basename $file); done'


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake"), workers=1) as running:
        yield running


@pytest.fixture
def pachctl(server):
    """A user of a lake in which there is a repo of words, and nothing of an earlier test."""
    user = Pachctl(server.grpc_address)
    user.run("delete all", f"{PPS}/DeleteAll", Empty())
    user.run("delete all", "pfs_v2.API/DeleteAll", Empty())
    user.run("create repo words", "pfs_v2.API/CreateRepo", pfs.CreateRepoRequest(repo=repo("words")))
    put(user, {"/a": b"alpha", "/b": b"beta"})
    return user


def put(pachctl, files):
    with pachctl.command("put file words@master") as begun:
        put_file(begun, commit("words", name="master"), files)


def pipeline(name="upper"):
    return pb.Pipeline(name=name, project=DEFAULT)


def spec(name="upper", script=UPPER, glob="/*"):
    """A document as users write them: names with underscores, the project filled in by `pachctl`."""
    return {
        "pipeline": {"name": name, "project": {"name": "default"}},
        "description": "capitals",
        "transform": {"cmd": ["sh"], "stdin": [script]},
        "input": {"pfs": {"repo": "words", "glob": glob}},
        "datum_tries": "1",
    }


def create(pachctl, text=None, **options):
    request = pb.CreatePipelineV2Request(create_pipeline_request_json=text or json.dumps(spec()), **options)
    return pachctl.run("create pipeline -f upper.json", f"{PPS}/CreatePipelineV2", request, transacted=True)


def jobs(pachctl, **options):
    request = pb.ListJobRequest(pipeline=pipeline(), details=True, **options)
    return pachctl.run("list job -p upper", f"{PPS}/ListJob", request)


def ended(pachctl, job):
    request = pb.InspectJobRequest(job=job, wait=True)
    return pachctl.run("wait job upper@ID", f"{PPS}/InspectJob", request)


def newest(pachctl):
    return ended(pachctl, jobs(pachctl)[0].job)


def test_a_pipeline_is_made_and_its_output_is_got(pachctl):
    """The answer to a spec is the spec as it holds."""
    answer = create(pachctl)
    job = newest(pachctl)

    with pachctl.command("get file upper@master:/a") as begun:
        got = begun.call("pfs_v2.API/GetFile", pfs.GetFileRequest(file=file("upper", "/a")))

    assert "upper" == json.loads(answer.effective_create_pipeline_request_json)["pipeline"]["name"]
    assert (pb.JOB_SUCCESS, 2) == (job.state, job.data_processed)
    assert b"ALPHA" == b"".join(message.value for message in got)


def test_pipelines_are_listed_and_inspected(pachctl):
    """`list pipeline` sends a commit set without an id, and reads details that it did not ask for."""
    create(pachctl)

    request = pb.ListPipelineRequest(commit_set={}, projects=[DEFAULT])
    listed = pachctl.run("list pipeline", f"{PPS}/ListPipeline", request)
    request = pb.InspectPipelineRequest(pipeline=pipeline(), details=True)
    one = pachctl.run("inspect pipeline upper", f"{PPS}/InspectPipeline", request)

    assert ["upper"] == [info.pipeline.name for info in listed]
    assert ("capitals", "words", ["sh"]) == (
        one.details.description,
        one.details.input.pfs.repo,
        list(one.details.transform.cmd),
    )


def test_a_pipeline_is_edited(pachctl):
    """`edit pipeline`: the spec that the user wrote comes back, and goes in changed; both versions are listed."""
    create(pachctl)
    request = pb.InspectPipelineRequest(pipeline=pipeline(), details=True)
    with pachctl.command("edit pipeline upper") as begun:
        written = json.loads(begun.call(f"{PPS}/InspectPipeline", request).user_spec_json)
        written["description"] = "big letters"
        update = pb.CreatePipelineV2Request(create_pipeline_request_json=json.dumps(written), update=True)
        begun.call(f"{PPS}/CreatePipelineV2", update, transacted=True)

    request = pb.ListPipelineRequest(pipeline=pipeline(), history=-1, commit_set={})
    versions = pachctl.run("list pipeline upper --history all", f"{PPS}/ListPipeline", request)

    assert {(2, "big letters"), (1, "capitals")} == {(info.version, info.details.description) for info in versions}


def test_a_spec_with_a_word_that_is_no_field_is_refused(pachctl):
    """By the code for what the user must mend."""
    with pytest.raises(grpc.RpcError) as caught:
        create(pachctl, json.dumps({**spec(), "datum_trys": 3}))

    assert grpc.StatusCode.INVALID_ARGUMENT == caught.value.code()
    assert "datum_trys" in caught.value.details()


def test_jobs_are_listed_inspected_and_waited_for(pachctl):
    """By pipeline, by input commit, by set, and all sets."""
    create(pachctl)
    put(pachctl, {"/c": b"gamma"})
    job = newest(pachctl)
    request = pb.InspectJobSetRequest(job_set=pb.JobSet(id=job.job.id), wait=True)
    of_set = pachctl.run(f"wait job {job.job.id}", f"{PPS}/InspectJobSet", request)
    request = pb.ListJobSetRequest(projects=[DEFAULT])
    sets = pachctl.run("list job", f"{PPS}/ListJobSet", request)
    request = pb.InspectJobRequest(job=job.job, details=True)
    one = pachctl.run("inspect job upper@ID", f"{PPS}/InspectJob", request)

    assert [job.job.id] == [each.job.id for each in of_set]
    assert job.job.id in [each.job_set.id for each in sets]
    assert [job.job.id] == [each.job.id for each in jobs(pachctl, input_commit=[commit("words", name="master")])]
    assert one.HasField("details")
    assert (1, 2) == (one.data_processed, one.data_skipped)


def test_datums_are_listed_and_inspected(pachctl):
    """Those of a job, and those that a spec would give."""
    create(pachctl)
    job = newest(pachctl)

    listed = pachctl.run("list datum upper@ID", f"{PPS}/ListDatum", pb.ListDatumRequest(job=job.job))
    request = pb.InspectDatumRequest(datum=listed[0].datum)
    one = pachctl.run("inspect datum upper@ID datum", f"{PPS}/InspectDatum", request)
    tried = pb.ListDatumRequest(input=pb.Input(pfs=pb.PFSInput(repo="words", glob="/*", project="default")))
    would = pachctl.run("list datum -f upper.json", f"{PPS}/ListDatum", tried)

    assert {"/a", "/b"} == {info.data[0].file.path for info in listed}
    assert listed[0].datum.id == one.datum.id
    assert len(listed) == len(would)


def test_logs_are_printed(pachctl):
    """Of the pipeline and of one job; each line says where it is from."""
    create(pachctl)
    job = newest(pachctl)

    for request in (pb.GetLogsRequest(pipeline=pipeline()), pb.GetLogsRequest(job=job.job)):
        lines = pachctl.run("logs -p upper", f"{PPS}/GetLogs", request)
        said = [line for line in lines if line.user]

        assert {"reading /pfs/words/a", "reading /pfs/words/b"} == {line.message.split("\n")[0] for line in said}
        assert {("default", "upper", job.job.id)} == {(i.project_name, i.pipeline_name, i.job_id) for i in said}


def test_a_pipeline_is_stopped_and_started(pachctl):
    """`stop pipeline` insists that there is one."""
    create(pachctl)
    newest(pachctl)
    request = pb.StopPipelineRequest(pipeline=pipeline(), must_exist=True)
    pachctl.run("stop pipeline upper", f"{PPS}/StopPipeline", request)
    request = pb.InspectPipelineRequest(pipeline=pipeline(), details=True)
    stopped = pachctl.run("inspect pipeline upper", f"{PPS}/InspectPipeline", request)
    pachctl.run("start pipeline upper", f"{PPS}/StartPipeline", pb.StartPipelineRequest(pipeline=pipeline()))
    started = pachctl.run("inspect pipeline upper", f"{PPS}/InspectPipeline", request)

    assert (True, pb.PIPELINE_PAUSED) == (stopped.stopped, stopped.state)
    assert not started.stopped
    request = pb.StopPipelineRequest(pipeline=pipeline("absent"), must_exist=True)
    with pytest.raises(grpc.RpcError, match="not found"):
        pachctl.run("stop pipeline absent", f"{PPS}/StopPipeline", request)


def test_a_job_is_stopped_in_both_ways_and_deleted(pachctl):
    """By its pipeline and id; and all jobs of a set in one batch."""
    create(pachctl, json.dumps(spec(script="sleep 3600")))
    job = jobs(pachctl)[0].job
    with pachctl.command(f"stop job {job.id}") as begun:
        found = begun.call(f"{PPS}/InspectJobSet", pb.InspectJobSetRequest(job_set=pb.JobSet(id=job.id)))
        stops = [tx.TransactionRequest(stop_job=pb.StopJobRequest(job=info.job, reason="enough")) for info in found]
        begun.call("transaction_v2.API/BatchTransaction", tx.BatchTransactionRequest(requests=stops))
    killed = ended(pachctl, job)
    request = pb.StopJobRequest(job=job, reason="again")
    pachctl.run("stop job upper@ID", f"{PPS}/StopJob", request, transacted=True)
    pachctl.run("delete job upper@ID", f"{PPS}/DeleteJob", pb.DeleteJobRequest(job=job))

    assert pb.JOB_KILLED == killed.state
    assert "enough" in killed.reason
    assert [] == jobs(pachctl)


def test_pipelines_are_deleted(pachctl):
    """One by its name, the others with `--all`."""
    create(pachctl)
    create(pachctl, json.dumps(spec("other")))
    pachctl.run("delete pipeline upper", f"{PPS}/DeletePipeline", pb.DeletePipelineRequest(pipeline=pipeline()))
    request = pb.DeletePipelinesRequest(projects=[DEFAULT])
    answer = pachctl.run("delete pipeline --all", f"{PPS}/DeletePipelines", request)

    left = pachctl.run("list pipeline", f"{PPS}/ListPipeline", pb.ListPipelineRequest(commit_set={}))
    assert ["other"] == [each.name for each in answer.pipelines]
    assert [] == left


def test_defaults_are_tried_then_set(pachctl):
    """`update defaults --cluster --regenerate` asks first what it would change."""
    create(pachctl)
    text = '{"createPipelineRequest": {"datumTimeout": "90s"}}'
    answers = []
    with pachctl.command("update defaults --cluster --regenerate") as begun:
        for dry_run in (True, False):
            request = pb.SetClusterDefaultsRequest(cluster_defaults_json=text, regenerate=True, dry_run=dry_run)
            answers.append(begun.call(f"{PPS}/SetClusterDefaults", request).affected_pipelines)
    shown = pachctl.run("inspect defaults --cluster", f"{PPS}/GetClusterDefaults", pb.GetClusterDefaultsRequest())
    request = pb.InspectPipelineRequest(pipeline=pipeline(), details=True)
    one = pachctl.run("inspect pipeline upper", f"{PPS}/InspectPipeline", request)
    removal = pb.SetClusterDefaultsRequest(cluster_defaults_json="{}")
    pachctl.run("delete defaults --cluster", f"{PPS}/SetClusterDefaults", removal)

    assert [["upper"], ["upper"]] == [[each.name for each in affected] for affected in answers]
    assert (text, 2, 90) == (shown.cluster_defaults_json, one.version, one.details.datum_timeout.seconds)


def test_a_pipeline_is_made_of_a_template(pachctl):
    """`create pipeline --jsonnet` has the server render it, and sends each spec."""
    template = json.dumps(spec()).replace('"upper"', "name")
    with pachctl.command("create pipeline --jsonnet upper.jsonnet --arg name=big") as begun:
        asked = pb.RenderTemplateRequest(template=f"function(name) {template}", args={"name": "big"})
        rendered = begun.call(f"{PPS}/RenderTemplate", asked)
        request = pb.CreatePipelineV2Request(create_pipeline_request_json=rendered.json)
        begun.call(f"{PPS}/CreatePipelineV2", request, transacted=True)

    request = pb.ListPipelineRequest(commit_set={}, projects=[DEFAULT])
    assert ["big"] == [info.pipeline.name for info in pachctl.run("list pipeline", f"{PPS}/ListPipeline", request)]


def test_cron_runs_and_pipelines_run_again(pachctl):
    """`run cron`, `rerun pipeline`, `restart datum`, `check status`, and lists by state."""
    create(pachctl)
    job = newest(pachctl)
    rerun = pb.RerunPipelineRequest(pipeline=pipeline(), reprocess=True)
    pachctl.run("rerun pipeline upper --reprocess", f"{PPS}/RerunPipeline", rerun)
    again = newest(pachctl)
    document = {**spec("clock"), "input": {"cron": {"name": "tick", "spec": "@never"}}}
    create(pachctl, json.dumps(document))
    pachctl.run("run cron clock", f"{PPS}/RunCron", pb.RunCronRequest(pipeline=pipeline("clock")))
    states = '.state == "JOB_SUCCESS" or .state == "JOB_RUNNING"'
    alerts = pachctl.run("check status", f"{PPS}/CheckStatus", pb.CheckStatusRequest(project=DEFAULT))
    request = pb.ListPipelineRequest(commit_set=pfs.CommitSet(id=job.job.id), projects=[DEFAULT])
    then = pachctl.run(f"list pipeline -c {job.job.id}", f"{PPS}/ListPipeline", request)

    assert (2, 0) == (again.data_processed, again.data_skipped)
    assert [again.job.id, job.job.id] == [each.job.id for each in jobs(pachctl, jqFilter=states, history=-1)]
    assert 2 == len(pachctl.run("list job -p clock", f"{PPS}/ListJob", pb.ListJobRequest(pipeline=pipeline("clock"))))
    assert [] == alerts
    assert [("upper", 1)] == [(info.pipeline.name, info.version) for info in then]
    request = pb.RestartDatumRequest(job=job.job, data_filters=["/a"])
    with pytest.raises(grpc.RpcError, match=r"datum matching filter \[/a\] could not be found for job ID"):
        pachctl.run("restart datum upper@ID /a", f"{PPS}/RestartDatum", request)
