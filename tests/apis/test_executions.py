# SPDX-License-Identifier: Apache-2.0
"""Images through a server with a real engine and a real registry, by the protocols of clients and workers."""

import threading

import grpc
import pytest

from howdah.client import Client
from howdah.errors import BadRequest, ErrorKind
from howdah.model.states import JobState, PipelineState
from howdah.server.executions import EXECUTION_VARIABLES, ExecutionSettings, engine_of, execution_settings, told_of
from howdah.server.workers import ContainerWords, worker_command
from howdah.testing.server import running_server
from howdah.wire.stubs import howdah_v1_pb2 as wire
from howdah.worker.main import _options
from tests.apis.scripted_worker import CALL_SECONDS, ScriptedWorker
from tools import engines
from tools.image_registry import PASSWORD, USER


@pytest.fixture
def server(host, tmp_path):
    """A server without workers of its own, whose pipelines run by an engine."""
    with running_server(tmp_path / "lake", execution=ExecutionSettings(engine=host.address, pull="always")) as running:
        yield running


@pytest.fixture
def client(server):
    with Client(server.grpc_address) as made:
        yield made


@pytest.fixture
def worker(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        yield ScriptedWorker(channel, server.pfs.storage)


def upper(files):
    return {path: data.upper() for path, data in files.items()}


@pytest.mark.slow
def test_a_pipeline_runs_in_exactly_one_image(host, registry, server, client, worker, request):
    """From a private registry, by its password; deleted under it, it is fetched again; a moved tag is an update."""
    name = f"s{abs(hash(request.node.nodeid))}"
    tag = f"{registry.address}/{name}:1"
    exact = registry.push(name, "1", [{"a": b"1" * 10_000}], {})
    client.create_repo("in")
    client.put_file("in@master", "/a.txt", b"a")
    client.create_secret("reg", {"username": USER.encode(), "password": PASSWORD.encode()})
    transform = {"image": tag, "cmd": ["up"], "imagePullSecrets": ["reg"]}
    spec = {"pipeline": {"name": "up"}, "transform": transform, "input": {"pfs": {"repo": "in", "glob": "/*"}}}

    client.create_pipeline(spec)
    first = claimed(worker)
    engines.forget(host.address, exact)
    worker.stub.GiveBackClaim(
        wire.GiveBackClaimRequest(set_id=first.set_id, fence=first.fence, reason=f"image {exact} is gone"),
        timeout=CALL_SECONDS,
    )
    second = claimed(worker)
    worker.hand_in(second, upper)
    job = client.wait_job(next(iter(client.list_jobs("up"))).job, timeout=CALL_SECONDS)
    seen = client.inspect_job(job.job)
    [datum] = client.list_datums(job.job)
    made = client.inspect_provenance("up@master:/a.txt")
    registry.push(name, "1", [{"a": b"2" * 10_000}], {})
    told = []
    client.create_pipeline(spec, update=True, warn=told.append)
    after = client.inspect_pipeline("up")

    assert [exact, exact] == [first.image, second.image]
    assert second.fence > first.fence
    assert (JobState.SUCCESS, "") == (job.state, job.reason)
    assert ("container", tag, exact) == (seen.execution.execution, seen.execution.image, seen.execution.digest)
    assert [exact, exact] == [datum.image, made.image]
    assert [f"image {tag} moved from {digest(exact)} to {digest(after.execution.digest)}"] == told
    assert (2, told[0]) == (after.version, after.execution.note)


@pytest.mark.slow
def test_what_cannot_be_pulled_is_said_by_job_and_pipeline(registry, server, client):
    """Without a password in any text; it goes on when the credentials are there."""
    registry.push("private", "1", [{"a": b"3"}], {})
    client.create_repo("in")
    client.put_file("in@master", "/a.txt", b"a")
    client.create_secret("reg", {"username": b"ana", "password": b"wrong-password"})
    transform = {"image": f"{registry.address}/private:1", "cmd": ["up"], "imagePullSecrets": ["reg"]}
    spec = {"pipeline": {"name": "up"}, "transform": transform, "input": {"pfs": {"repo": "in", "glob": "/*"}}}

    client.create_pipeline(spec)
    job = following(server, lambda: next(iter(client.list_jobs("up"))), lambda found: found.reason)
    info = following(server, lambda: client.inspect_pipeline("up"), lambda found: found.reason)

    for reason in (job.reason, info.reason):
        assert "cannot be pulled" in reason
        assert "transform.imagePullSecrets" in reason
        assert "wrong-password" not in reason
    assert (JobState.RUNNING, PipelineState.CRASHING) == (job.state, info.state)


def test_settings_come_from_options_and_the_environment():
    """The option first; what is neither has a default."""
    environ = dict(zip(EXECUTION_VARIABLES.values(), WORDS.values(), strict=True))

    assert ExecutionSettings() == execution_settings({}, {})
    assert ExecutionSettings(*WORDS.values()) == execution_settings({}, environ)
    assert ExecutionSettings(*{**WORDS, "pull": "never"}.values()) == execution_settings({"pull": "never"}, environ)


@pytest.mark.parametrize(
    "given",
    [{"execution": "docker"}, {"missing_engine": "auto"}, {"engine": "ssh://host"}, {"container_root": "false"}],
)
def test_a_setting_that_is_none_is_refused(given):
    """The text says what may be."""
    with pytest.raises(BadRequest) as error:
        execution_settings(given, {})

    assert ErrorKind.BAD_ARGUMENT == error.value.kind
    assert "; use " in error.value.message or "; write " in error.value.message


def test_a_server_says_how_pipelines_run(tmp_path):
    """In a line of its log."""
    nowhere = ExecutionSettings(engine=f"unix://{tmp_path}/none")

    said = [told_of(each, engine_of(each)) for each in (ExecutionSettings("process"), nowhere)]

    assert "processes" == said[0]
    assert said[1].startswith("processes; pipelines that name an image are refused: no container engine answers at")


def test_workers_are_told_what_the_server_was_told(tmp_path):
    """By the words of their command line; what was not said has a default there."""
    told = [ContainerWords("u", "none", "lake/run", "/opt/busybox", read_only=True), ContainerWords("u", "none", "o")]

    commands = [worker_command(tmp_path, "here:1", containers=each)("w1") for each in told]
    found = [_options(words[3:]) for words in commands]

    assert [("u", "none", "lake/run"), ("u", "none", "o")] == [(e.engine, e.network, e.owner) for e in found]
    assert [("/opt/busybox", True), ("", False)] == [(each.shell, each.read_only) for each in found]


WORDS = {
    "execution": "container",
    "engine": "unix:///x",
    "missing_engine": "process",
    "pull": "always",
    "container_network": "none",
    "container_root": "read-only",
    "container_shell": "/opt/busybox",
}


def claimed(worker):
    """A claim of work that comes; a call that waits ends after some seconds."""
    for _ in range(10):
        if (claim := worker.claim()).set_id:
            return claim
    raise AssertionError("there was no work")


def following(server, look, is_right):
    """What is seen once it is right."""
    news = threading.Event()
    forget = server.pfs.db.on_commit(lambda _events: news.set())
    try:
        while not is_right(found := look()):
            assert news.wait(CALL_SECONDS), found
            news.clear()  # before the next look, so that nothing is missed
    finally:
        forget()
    return found


def digest(exact):
    return exact.partition("@")[2]
