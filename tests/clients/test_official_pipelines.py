# SPDX-License-Identifier: Apache-2.0
"""The official Python client, unmodified, against a real server with real workers: pipelines from end to end."""

from collections.abc import Iterator

import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import logs, pfs, pps

from howdah.testing.server import RunningServer, running_server

WORKERS = 2
# Upper case of each file; a file that holds "bad" fails, after a line of log.
UPPER = """
for file in /pfs/words/*; do
    echo "reading $(basename $file)"
    grep -q bad $file && { echo "cannot do $(basename $file)" >&2; exit 3; }
    tr a-z A-Z < $file > /pfs/out/$(basename $file)
done
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> Iterator[Client]:
    """One server for this module: starting workers costs more than most tests."""
    with running_server(tmp_path_factory.mktemp("lake"), workers=WORKERS) as server:
        yield connect(server)


def connect(server: RunningServer) -> Client:
    return Client(host=server.host, port=server.grpc_port)


@pytest.fixture
def words(client) -> pfs.Branch:
    """A repo with two files on master, emptied of all that an earlier test left."""
    client.pps.delete_all()
    repo = pfs.Repo(name="words", type="user")
    client.pfs.delete_repo(repo=repo, force=True)
    client.pfs.create_repo(repo=repo)
    branch = pfs.Branch(repo=repo, name="master")
    put(client, branch, {"/a": b"alpha\n", "/b": b"beta\n"})
    return branch


def put(client: Client, branch: pfs.Branch, files: dict[str, bytes]) -> pfs.Commit:
    with client.pfs.commit(branch=branch) as commit:
        for path, data in files.items():
            commit.put_file_from_bytes(path=path, data=data)
    return commit


def create(client: Client, name: str = "upper", reads: str = "words", script: str = UPPER, **options) -> pps.Pipeline:
    pipeline = pps.Pipeline(name=name)
    client.pps.create_pipeline(
        pipeline=pipeline,
        transform=pps.Transform(cmd=["sh"], stdin=script.splitlines()),
        input=pps.Input(pfs=pps.PfsInput(repo=reads, glob="/*")),
        **options,
    )
    return pipeline


def ended(client: Client, pipeline: pps.Pipeline, commit_id: str) -> pps.JobInfo:
    return client.pps.inspect_job(job=pps.Job(pipeline=pipeline, id=commit_id), wait=True, details=True)


def newest(client: Client, pipeline: pps.Pipeline) -> pps.JobInfo:
    return ended(client, pipeline, next(client.pps.list_job(pipeline=pipeline)).job.id)


def read(client: Client, uri: str) -> bytes:
    with client.pfs.pfs_file(pfs.File.from_uri(uri)) as file:
        return file.read()


def test_a_pipeline_runs_on_what_is_there_and_on_what_comes(client, words):
    """After one more file, one datum ran, and two were carried over."""
    pipeline = create(client)
    first = newest(client, pipeline)
    commit = put(client, words, {"/c": b"gamma\n"})
    output = client.pfs.inspect_commit(
        commit=pfs.Commit(repo=pfs.Repo(name="upper"), id=commit.id), wait=pfs.CommitState.FINISHED
    )
    second = ended(client, pipeline, commit.id)

    assert (pps.JobState.JOB_SUCCESS, 2) == (first.state, first.data_processed)
    assert (pps.JobState.JOB_SUCCESS, 1, 2, 3) == (
        second.state,
        second.data_processed,
        second.data_skipped,
        second.data_total,
    )
    assert "" == output.error
    assert [b"ALPHA\n", b"BETA\n", b"GAMMA\n"] == [read(client, f"upper@master:/{name}") for name in "abc"]


def test_a_failed_datum_fails_the_job_and_its_log_says_why(client, words):
    """The others have run; mended, only the failed one runs."""
    put(client, words, {"/x": b"bad\n"})
    pipeline = create(client, datum_tries=1)
    job = newest(client, pipeline)
    failed = list(client.pps.list_datum(job=job.job, filter=pps.ListDatumRequestFilter(state=[pps.DatumState.FAILED])))
    said = [m.message for m in client.pps.get_logs(job=job.job, datum=failed[0].datum) if m.user]
    create(client, script=UPPER.replace("exit 3", "true"), update=True)
    mended = newest(client, pipeline)

    assert (pps.JobState.JOB_FAILURE, 2, 1) == (job.state, job.data_processed, job.data_failed)
    assert failed[0].datum.id in job.reason
    assert ["/x"] == [info.file.path for info in failed[0].data]
    assert "cannot do x" in said
    assert (pps.JobState.JOB_SUCCESS, 1, 2) == (mended.state, mended.data_processed, mended.data_skipped)


def test_pipelines_jobs_and_datums_are_listed_and_inspected(client, words):
    """What a list tells and what an inspection tells agree."""
    pipeline = create(client)
    job = newest(client, pipeline)

    listed = list(client.pps.list_pipeline())
    info = client.pps.inspect_pipeline(pipeline=pipeline, details=True)
    jobs = list(client.pps.list_job(pipeline=pipeline, details=True))
    datums = list(client.pps.list_datum(job=job.job))
    one = client.pps.inspect_datum(datum=datums[0].datum)

    assert [info] == listed
    assert ("upper", 1, ["sh"]) == (info.pipeline.name, info.version, info.details.transform.cmd)
    assert "/*" == info.details.input.pfs.glob
    assert [job] == jobs
    assert ["SUCCESS", "SUCCESS"] == [pps.DatumState(d.state).name for d in datums]
    assert sorted(d.datum.id for d in datums) == [d.datum.id for d in datums]
    assert {"/a", "/b"} == {d.data[0].file.path for d in datums}
    assert (datums[0].datum, datums[0].data) == (one.datum, one.data)
    assert client.pps.pipeline_exists(pipeline)
    assert not client.pps.pipeline_exists(pps.Pipeline(name="absent"))
    assert client.pps.job_exists(job.job)


def test_a_chain_of_pipelines_shares_one_commit_set(client, words):
    """The set's jobs arrive in the order of the chain, each once it has ended."""
    first = create(client, "upper")
    create(client, "again", reads="upper", script="cp /pfs/upper/* /pfs/out/")
    newest(client, first)
    commit = put(client, words, {"/c": b"gamma\n"})

    jobs = list(client.pps.inspect_job_set(job_set=pps.JobSet(id=commit.id), wait=True))
    sets = {one.job_set.id: [job.job.pipeline.name for job in one.jobs] for one in client.pps.list_job_set()}

    assert [("upper", "JOB_SUCCESS"), ("again", "JOB_SUCCESS")] == [
        (job.job.pipeline.name, pps.JobState(job.state).name) for job in jobs
    ]
    assert {"upper", "again"} == set(sets[commit.id])
    assert b"GAMMA\n" == read(client, "again@master:/c")


def test_a_stopped_pipeline_makes_up_for_it_when_it_starts(client, words):
    """Commits while it is stopped start nothing; starting makes one job on what is there then."""
    pipeline = create(client)
    newest(client, pipeline)
    client.pps.stop_pipeline(pipeline=pipeline)
    stopped = client.pps.inspect_pipeline(pipeline=pipeline)
    put(client, words, {"/c": b"gamma\n"})
    before = len(list(client.pps.list_job(pipeline=pipeline)))
    client.pps.start_pipeline(pipeline=pipeline)
    job = newest(client, pipeline)

    assert (True, "PIPELINE_PAUSED") == (stopped.stopped, pps.PipelineState(stopped.state).name)
    assert before + 1 == len(list(client.pps.list_job(pipeline=pipeline)))
    assert (pps.JobState.JOB_SUCCESS, 1, 2) == (job.state, job.data_processed, job.data_skipped)


def test_a_stopped_job_is_killed(client, words):
    """User code that would run for ever ends, and so does the wait for its job."""
    pipeline = create(client, script="sleep 3600")
    job = next(client.pps.list_job(pipeline=pipeline)).job

    client.pps.stop_job(job=job, reason="enough")
    info = ended(client, pipeline, job.id)

    assert pps.JobState.JOB_KILLED == info.state
    assert "enough" in info.reason


def test_logs_are_followed_to_the_line_that_is_waited_for(client, words):
    """A followed log gives what was written before and what comes; leaving it is up to the client."""
    pipeline = create(client)
    newest(client, pipeline)
    stream = client.pps.get_logs(pipeline=pipeline, follow=True)
    put(client, words, {"/late": b"late\n"})

    lines = []
    for message in stream:
        lines.append(message.message)
        if message.user and message.message == "reading late":
            break

    assert "reading a" in lines


def test_logs_are_asked_for_by_all_that_the_client_knows(client, words):
    """By the files that a datum read, the scheduler's alone, the last ones; and by queries of the younger service."""
    pipeline = create(client)
    job = newest(client, pipeline).job
    query = logs.LogQuery(user=logs.UserLogQuery(pipeline_job=of_job(pipeline, job)))
    only = logs.LogFilter(limit=1, user_logs_only=True, regex=logs.RegexLogFilter(pattern="reading [ab]"))

    of_a = [m.message for m in client.pps.get_logs(job=job, data_filters=["/a"]) if m.user]
    masters = list(client.pps.get_logs(pipeline=pipeline, master=True))
    page = list(client.logs.get_logs(query=query, filter=only, want_paging_hint=True))
    newer = page[-1].paging_hint.newer
    following = list(client.logs.get_logs(query=newer.query, filter=newer.filter))

    assert ["reading a"] == of_a
    assert {True} == {m.master for m in masters}
    assert {"reading a", "reading b"} == {one.log.pps_log_message.message for one in (page[0], following[0])}
    assert 1 == len(list(client.pps.get_logs(job=job, tail=1)))


def of_job(pipeline, job):
    named = logs.PipelineLogQuery(project="default", pipeline=pipeline.name)
    return logs.PipelineJobLogQuery(pipeline=named, job=job.id)


def test_datums_of_an_input_are_shown_before_there_is_a_pipeline(client, words):
    """Each file of the glob is one."""
    tried = pps.Input(pfs=pps.PfsInput(repo="words", glob="/*"))

    datums = list(client.pps.list_datum(input=tried))

    assert {"/a", "/b"} == {datum.data[0].file.path for datum in datums}
    assert {pps.DatumState.UNKNOWN} == {datum.state for datum in datums}


def test_a_deleted_pipeline_is_gone_with_its_repos(client, words):
    """Its name is free again."""
    pipeline = create(client)
    newest(client, pipeline)

    client.pps.delete_pipeline(pipeline=pipeline)

    assert not client.pps.pipeline_exists(pipeline)
    assert ["words"] == [info.repo.name for info in client.pfs.list_repo()]
    create(client)


@pytest.mark.slow
def test_work_that_a_server_left_is_done_by_the_next(tmp_path):
    """A job that nobody had begun when the server stopped is there, and ends, when the lake is served again."""
    with running_server(tmp_path, workers=0) as server:
        client = connect(server)
        repo = pfs.Repo(name="words")
        client.pfs.create_repo(repo=repo)
        commit = put(client, pfs.Branch(repo=repo, name="master"), {"/a": b"alpha\n"})
        pipeline = create(client)
        job = next(client.pps.list_job(pipeline=pipeline)).job

    with running_server(tmp_path, workers=WORKERS) as server:
        client = connect(server)
        info = ended(client, pipeline, job.id)
        data = read(client, "upper@master:/a")

    assert commit.id != job.id
    assert pps.JobState.JOB_SUCCESS == info.state
    assert b"ALPHA\n" == data
