# SPDX-License-Identifier: Apache-2.0
"""Messages of `pps_v2`: what requests mean, and what answers must always say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf import json_format

from howdah.apis.grpc import log_answers, pps_answers, pps_requests
from howdah.apis.grpc.convert_pps_spec import input_tree, job_details, request_text
from howdah.errors import BadRequest
from howdah.model.files import FileInfo
from howdah.model.refs import Commit, Job, Pipeline, Repo
from howdah.model.spec import PfsInput, parse_input, parse_spec
from howdah.model.states import DatumState, JobState, PipelineState
from howdah.pps.infos import DatumInfo, DatumInput, JobInfo, LogLine, PipelineInfo, ProcessStats
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps

NOW = datetime(2025, 1, 31, 8, 0, 0, 250_000, UTC)
ID = "0123456789ab4123456789abcdef0123"
EDGES = Pipeline("default", "edges")
SPEC = parse_spec(
    {
        "pipeline": {"name": "edges"},
        "transform": {"cmd": ["python3", "/edges.py"], "env": {"A": "b"}},
        "input": {"pfs": {"repo": "images", "glob": "/*"}},
        "datumTimeout": "90s",
        "egress": {"URL": "s3://bucket"},
        "tolerations": [{"key": "k", "effect": "NO_EXECUTE"}],
    }
)


def pipeline(**changes) -> PipelineInfo:
    """A pipeline as the domain knows it."""
    given = {
        "pipeline": EDGES,
        "version": 3,
        "spec": SPEC,
        "user_spec": "{}",
        "effective_spec": SPEC.to_json(),
        "spec_commit": Commit(Repo("default", "edges", "spec"), ID),
        "state": PipelineState.RUNNING,
        "reason": "",
        "stopped": False,
        "last_job_state": JobState.SUCCESS,
        "salt": "s",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return PipelineInfo(**given | changes)


def job(**changes) -> JobInfo:
    """A job that has just been created."""
    given = {
        "job": Job(EDGES, ID),
        "version": 3,
        "output_commit": Commit(Repo("default", "edges"), ID),
        "output_branch": "master",
        "meta_commit": None,
        "state": JobState.CREATED,
        "reason": "",
        "created_at": NOW,
        "started_at": None,
        "finished_at": None,
        "restart": 0,
        "datums_total": 5,
        "datums_processed": 1,
        "datums_skipped": 2,
        "datums_failed": 1,
        "datums_recovered": 1,
        "stats": ProcessStats(),
    }
    return JobInfo(**given | changes)


def datum(**changes) -> DatumInfo:
    """A datum of one file."""
    part = DatumInput("images", Commit(Repo("default", "images"), ID), FileInfo("/a.png", False, 3, b"hash"))
    given = {"id": "d" * 32, "job": Job(EDGES, ID), "state": DatumState.SUCCESS, "inputs": (part,)}
    return DatumInfo(**given | changes)


def test_details_of_a_pipeline_have_every_field_that_its_spec_has():
    """Compared with what protobuf itself reads from the same JSON."""
    message = pps_answers.pipeline_info(pipeline(), details=True)
    request = json_format.Parse(SPEC.to_json(), pps.CreatePipelineRequest())

    shared = [
        field.name for field, _ in request.ListFields() if field.name in message.details.DESCRIPTOR.fields_by_name
    ]

    assert {"transform", "input", "egress", "datum_timeout", "tolerations", "parallelism_spec"} <= set(shared)
    assert [] == [name for name in shared if getattr(request, name) != getattr(message.details, name)]


def test_what_pachctl_reads_unasked_is_there():
    """An absent message among these would end it with a panic."""
    info = pps_answers.pipeline_info(
        pipeline(
            spec=parse_spec(
                {
                    "pipeline": {"name": "edges"},
                    "transform": {"cmd": ["a"]},
                    "input": {"pfs": {"repo": "r", "glob": "/"}},
                }
            )
        ),
        details=True,
    )
    made = pps_answers.job_info(job(), SPEC.to_json())
    shown = pps_answers.datum_info(datum())

    assert info.pipeline.HasField("project")
    assert all(info.details.HasField(field) for field in ("transform", "input"))
    assert made.job.pipeline.HasField("project")
    assert made.HasField("stats")
    assert made.details.HasField("transform")
    assert shown.datum.HasField("job")
    assert shown.HasField("stats")
    assert shown.pfs_state.HasField("commit")
    assert all(part.file.commit.repo.name and part.file.commit.id for part in shown.data)


def test_details_are_sent_only_when_asked_for():
    """Clients test for their presence."""
    assert not pps_answers.pipeline_info(pipeline(), details=False).HasField("details")
    assert not pps_answers.job_info(job()).HasField("details")


def test_what_has_not_happened_is_absent():
    """An unset time is unset, not 1970."""
    message = pps_answers.job_info(job())

    assert (True, False, False) == tuple(message.HasField(name) for name in ("created", "started", "finished"))


def test_states_keep_their_numbers():
    """All states of jobs and pipelines cross with the protocol's numbers."""
    jobs = {state: pps_answers.job_info(job(state=state)).state for state in JobState}
    pipelines = {s: pps_answers.pipeline_info(pipeline(state=s), details=False).state for s in PipelineState}
    datums = {state: pps_answers.datum_info(datum(state=state)).state for state in DatumState}

    assert all(state == number for found in (jobs, pipelines, datums) for state, number in found.items())


def test_details_are_the_callers_own():
    """What one answer does to its details is not seen in the next."""
    job_details(SPEC.to_json()).transform.cmd.append("-v")

    assert list(SPEC.transform.cmd) == list(job_details(SPEC.to_json()).transform.cmd)


def test_a_line_of_a_log_has_no_line_end_and_says_who_spoke():
    """User code, a worker, or the scheduler ("master")."""
    lines = [
        LogLine(NOW, "Traceback\r\n", user=True, datum_id="d", worker_id="w", job_id=ID),
        LogLine(NOW, "datum d started", datum_id="d", worker_id="w", job_id=ID),
        LogLine(NOW, "planned 3 datums", job_id=ID),
    ]

    messages = [log_answers.in_pps(replace(line, pipeline=EDGES)) for line in lines]

    assert [(True, False), (False, False), (False, True)] == [(one.user, one.master) for one in messages]
    assert "Traceback" == messages[0].message
    assert ("default", "edges", ID) == (messages[0].project_name, messages[0].pipeline_name, messages[0].job_id)


def test_a_request_becomes_the_same_spec_as_its_json():
    """The old and the new way to create a pipeline mean the same."""
    request = pps.CreatePipelineRequest(
        pipeline=pps.Pipeline(name="edges"),
        transform=pps.Transform(cmd=["python3", "/edges.py"]),
        input=pps.Input(pfs=pps.PFSInput(repo="images", glob="/*")),
        datum_tries=4,
    )
    text = """{"pipeline": {"name": "edges"}, "transform": {"cmd": ["python3", "/edges.py"]}, "datum_tries": "4",
               "input": {"pfs": {"repo": "images", "glob": "/*"}}}"""

    assert parse_spec(text) == parse_spec(request_text(request))


def test_an_input_is_read_from_its_message():
    """As previews of datums send it."""
    message = pps.Input(
        cross=[pps.Input(pfs=pps.PFSInput(repo="a", glob="/*")), pps.Input(pfs=pps.PFSInput(repo="b", glob="/"))]
    )

    found = parse_input(input_tree(message))

    assert [("a", "/*"), ("b", "/")] == [(one.name, one.glob) for one in found.inputs if isinstance(one, PfsInput)]


def test_an_absent_project_is_the_default_one():
    """Of a pipeline, and of a job's pipeline."""
    bare = pps.InspectJobRequest(job=pps.Job(pipeline=pps.Pipeline(name="edges"), id=ID))
    full = pps.InspectPipelineRequest(pipeline=pps.Pipeline(name="edges", project=pfs.Project(name="p")))

    assert Job(EDGES, ID) == pps_requests.job(bare)
    assert Pipeline("p", "edges") == pps_requests.pipeline(full)
    assert None is pps_requests.pipeline_or_none(pps.ListJobRequest())


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda: pps_requests.pipeline(pps.InspectPipelineRequest()), "validate request"),
        (lambda: pps_requests.pipeline_or_none(pps.ListJobRequest(pipeline=pps.Pipeline())), "validate request"),
        (lambda: pps_requests.job(pps.InspectJobRequest()), "must specify a job"),
        (lambda: pps_requests.job(pps.InspectJobRequest(job=pps.Job(id=ID))), "must name its pipeline"),
        (
            lambda: pps_requests.job(pps.InspectJobRequest(job=pps.Job(pipeline=pps.Pipeline(name="e"), id="1"))),
            "id (1)",
        ),
        (lambda: pps_requests.job_set(pps.InspectJobSetRequest()), "validate request"),
        (lambda: pps_requests.page("number", -1), "number is -1"),
        (lambda: pps_requests.datum_states([17]), "datum state"),
    ],
)
def test_a_request_that_lacks_something_says_what(read, text):
    """The beginning of the text names the field; the kind is one of bad requests."""
    with pytest.raises(BadRequest) as error:
        read()

    assert error.value.message.startswith(text) or text in error.value.message


def test_a_duration_is_absent_or_not_negative():
    """As `since` of logs has it."""
    request = pps.GetLogsRequest()

    absent = pps_requests.duration(request, "since")
    request.since.FromSeconds(90)
    given = pps_requests.duration(request, "since")
    request.since.FromSeconds(-1)

    assert (None, timedelta(seconds=90)) == (absent, given)
    with pytest.raises(BadRequest):
        pps_requests.duration(request, "since")
