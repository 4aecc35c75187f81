# SPDX-License-Identifier: Apache-2.0
"""Pipelines in images, through a whole server: from a spec to files, logs and provenance, by real workers."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from howdah.client import Client
from howdah.model.states import DatumState, JobState
from howdah.server.executions import ExecutionSettings
from howdah.testing.server import running_server
from tools import engines

PATIENCE_SECONDS = 60
INTERPRETERS = (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")
ORDINARY = 54_321  # a number without a name: nothing is added to the machine's list of users
STATIC = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
    char path[256];
    snprintf(path, sizeof path, "/pfs/out%s", strrchr(getenv("in"), '/'));
    FILE *out = fopen(path, "w");
    fprintf(out, "%s of %s\\n", getenv("GREETING"), getenv("in"));
    return fclose(out);
}
"""


@pytest.fixture(scope="module", params=["docker", pytest.param("podman", marks=pytest.mark.full)])
def engine(request, hosts):
    return hosts(request.param)


@pytest.fixture(scope="module")
def client(engine, tmp_path_factory):
    """A client of a server with one worker, and an engine."""
    settings = ExecutionSettings(engine=engine.address, network="none")
    root = tmp_path_factory.mktemp("lake")
    with running_server(root, workers=1, execution=settings) as server, Client(server.grpc_address) as made:
        made.create_repo("in")
        made.put_file("in@master", "/a", b"one")
        made.put_file("in@master", "/b", b"two")
        yield made


def ran(client, name, image, *words, expect=JobState.SUCCESS, **fields):
    """A pipeline of that name over both files of `in`; its job, when it has ended."""
    transform = {"image": image, "cmd": list(words), **fields.pop("transform", {})}
    source = fields.pop("input", {"pfs": {"repo": "in", "glob": "/*"}})
    client.create_pipeline(
        {"pipeline": {"name": name}, "transform": transform, "input": source, "datumTries": 1, **fields}
    )
    job = client.wait_job(next(iter(client.list_jobs(name))).job, timeout=PATIENCE_SECONDS)
    assert expect == job.state, job.reason
    return job


def output(client, name):
    """Path to content of the newest output."""
    commit = f"{name}@master"
    return {each.path: client.get_file(commit, each.path) for each in client.list_files(commit) if not each.is_dir}


def test_every_result_knows_its_image(client, engine):
    """The pipeline, the job, the datum and the file; files, logs of both streams and what it cost are there too."""
    script = (
        'cat "$in" "$in" > /pfs/out/${in##*/}; seq 200000 > /dev/null; echo "on $PPS_PIPELINE_NAME"; echo aside >&2'
    )

    job = ran(client, "doubled", engine.image, "sh", "-c", script)
    info = client.inspect_pipeline("doubled")
    datums = list(client.list_datums(job.job))
    made = client.inspect_provenance("doubled@master:/a")
    logs = [line.message for line in client.logs(job=job.job) if line.user]

    assert {"/a": b"oneone", "/b": b"twotwo"} == output(client, "doubled")
    exact = info.execution.digest
    assert exact.rpartition("sha256:")[1] == "sha256:"
    assert {exact} == {client.inspect_job(job.job).execution.digest, made.image, *(each.image for each in datums)}
    assert "container" == client.inspect_job(job.job).execution.execution
    assert sorted(["on doubled", "aside"] * 2) == sorted(logs)
    assert all(each.stats.cpu_time > timedelta() and each.stats.memory_max_bytes > 0 for each in datums)


def test_the_words_of_an_image_are_its_own(client, engine):
    """Its ENV and WORKDIR hold unless the spec says otherwise; an ENTRYPOINT does not come between."""
    changes = ["ENV GREETING=hello", "ENV KIND=image", "WORKDIR /srv", 'ENTRYPOINT ["/bin/false"]']
    image = engine.build("words", engines.with_shell(srv=""), *changes)
    words = ["sh", "-c", 'echo "$GREETING $KIND $(pwd)" > /pfs/out/${in##*/}']

    ran(client, "words", image, *words)
    ran(client, "others", image, *words, transform={"env": {"KIND": "spec"}, "workingDir": "/tmp"})

    assert b"hello image /srv\n" == output(client, "words")["/a"]
    assert b"hello spec /tmp\n" == output(client, "others")["/a"]


def test_an_image_may_hold_one_static_program_and_nothing_else(client, engine, tmp_path):
    """No shell, no folder, no user database."""
    (tmp_path / "main.c").write_text(STATIC)
    subprocess.run(["cc", "-static", "-o", tmp_path / "main", tmp_path / "main.c"], check=True)
    image = engine.build("scratch", {"main": (tmp_path / "main").read_bytes()}, "ENV GREETING=hello")

    ran(client, "scratch", image, "/main")

    assert {f"/{name}": f"hello of /pfs/in/{name}\n".encode() for name in "ab"} == output(client, "scratch")


@pytest.mark.parametrize("user", ["worker", "4321:4321"])
def test_user_code_may_be_anybody(client, engine, user):
    """By name or number, of the image or of the spec; what it left in any mode is read and removed."""
    name = f"by-{user.partition(':')[0]}"
    image = engine.build("anybody", engines.with_shell(), "USER worker")
    script = "id -u > /pfs/out/${in##*/}; chmod 0 /pfs/out/*; mkdir /pfs/out/d.${in##*/}; chmod 0 /pfs/out/d*"

    ran(client, name, image, "sh", "-c", script, transform={} if user == "worker" else {"user": user})

    uid = b"1234\n" if user == "worker" else b"4321\n"
    assert {uid} == {data for path, data in output(client, name).items() if path in ("/a", "/b")}


def test_stdin_codes_and_recovery_are_those_of_processes(client, engine):
    """Lines for the command, codes that count as success, a command for datums that fail."""
    ran(
        client,
        "stdin",
        engine.image,
        "sh",
        transform={"stdin": ["cp $in /pfs/out/", "exit 7"], "acceptReturnCode": [7]},
    )
    job = ran(client, "mended", engine.image, "false", transform={"errCmd": ["true"]})

    assert {"/a": b"one", "/b": b"two"} == output(client, "stdin")
    assert [DatumState.RECOVERED] * 2 == [each.state for each in client.list_datums(job.job)]


def test_a_secret_is_a_file_or_a_variable_and_never_in_a_log(client, engine):
    """Of the same image without the secret nothing is seen."""
    client.create_secret("key", {"token": b"a very secret value"})
    secrets = [{"name": "key", "mountPath": "/run/key"}, {"name": "key", "envVar": "TOKEN", "key": "token"}]
    script = 'cat /run/key/token; [ "$TOKEN" = "$(cat /run/key/token)" ] && echo same > /pfs/out/${in##*/}'

    job = ran(client, "secret", engine.image, "sh", "-c", script, transform={"secrets": secrets})
    ran(client, "curious", engine.image, "sh", "-c", '[ ! -e /run/key ] && [ -z "$TOKEN" ]')

    assert {b"same\n"} == {output(client, "secret")["/a"]}
    assert "a very secret value" not in str([line.message for line in client.logs(job=job.job)])


@pytest.mark.parametrize(
    ("fields", "words", "reason"),
    [
        ({"resourceLimits": {"memory": "16Mi"}}, ["tail", "/dev/zero"], "memory"),
        (
            {"resourceLimits": {"memory": "16Mi"}, "transform": {"memoryVolume": True}},
            ["dd", "if=/dev/zero", "of=/pfs/out/big", "bs=1M", "count=64"],
            "memory",
        ),
        ({"datumTimeout": "0.2s"}, ["sleep", "1000"], "exceeded its time limit of 0.2 s (datum_timeout)"),
        ({}, ["no-such-program"], "no-such-program"),
        ({}, ["sh", "-c", "kill -9 $$"], "killed by signal 9"),
    ],
    ids=["memory", "volume", "time", "program", "signal"],
)
def test_what_went_wrong_is_told(client, engine, request, fields, words, reason):
    """In the datum's reason and in the job's."""
    name = f"wrong-{request.node.callspec.id.rpartition('-')[2]}"

    job = ran(client, name, engine.image, *words, expect=JobState.FAILURE, **fields)

    assert reason in job.reason
    assert reason in next(iter(client.list_datums(job.job))).reason


def test_lazy_and_empty_files_are_what_they_are_for_processes(client, engine):
    """A pipe is fed when it is read, and a link to it is the whole file; empty files are names alone."""
    lazy = {"pfs": {"repo": "in", "glob": "/*", "lazy": True}}
    script = 'cat "$in" > /pfs/out/${in##*/}; ln -s "$in" /pfs/out/linked-${in##*/}'

    ran(client, "lazy", engine.image, "sh", "-c", script, input=lazy)

    assert {"/a": b"one", "/b": b"two", "/linked-a": b"one", "/linked-b": b"two"} == output(client, "lazy")


@pytest.mark.full
def test_a_server_need_not_be_root(hosts):
    """Whoever ran in the container, and whatever modes were left: it is read, and nothing stays behind."""
    host = hosts("docker")
    home = Path(tempfile.mkdtemp(prefix="ordinary-"))
    os.chown(home, ORDINARY, ORDINARY)
    socket = Path(host.address.removeprefix("unix://"))
    os.chmod(socket.parent, 0o711)
    os.chmod(socket, 0o666)
    script = "mkdir /pfs/out/d; echo mine > /pfs/out/d/${in##*/}; chmod 0 /pfs/out/d/* /pfs/out/d"

    with ordinary_server(home, host.address) as address, Client(address) as client:
        client.create_repo("in")
        client.put_file("in@master", "/a", b"one")
        client.put_file("in@master", "/b", b"two")
        for user in ("0", "4321"):
            ran(client, f"by-{user}", host.image, "sh", "-c", script, transform={"user": user})
        found = [client.get_file(f"by-{user}@master", "/d/a") for user in ("0", "4321")]
    left = [path for path in (home / "lake/workers").rglob("*") if path.name in ("a", "b")]
    shutil.rmtree(home)

    assert [b"mine\n", b"mine\n"] == found
    assert [] == left


@contextmanager
def ordinary_server(home, engine):
    """The address of a server that an ordinary user runs, inside the block."""
    env = {**os.environ, "HOME": str(home), "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    become = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups", "--bounding-set=-all"]
    words = ["-m", "howdah.cli", "server", "--root", home / "lake", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    words += ["--engine", engine, "--container-network", "none"]
    python = next((each for each in INTERPRETERS if can_be_run([*become, each], env)), None)
    if python is None:
        pytest.skip("no Python here that others than root may run has howdah's libraries")
    with subprocess.Popen([*become, python, *words], stdout=subprocess.PIPE, env=env) as server:
        try:
            yield server.stdout.readline().decode().partition(" grpc ")[2].partition(",")[0]
        finally:
            server.terminate()


def can_be_run(words, env):
    """Whether an interpreter finds howdah, and starts itself again as a server does for workers."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import howdah.server.app'], check=True)"
    return subprocess.run([*words, "-c", code], env=env, capture_output=True).returncode == 0
