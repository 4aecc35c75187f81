# SPDX-License-Identifier: Apache-2.0
"""What the command line says of pipelines that name an image where no container engine answers."""

import json

import pytest

from howdah.server.executions import ExecutionSettings
from howdah.testing.server import running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lake")
    settings = ExecutionSettings(engine=f"unix://{folder}/none", missing_engine="process")
    with running_server(folder / "lake", workers=1, execution=settings) as running:
        yield running


@pytest.mark.slow
def test_a_process_instead_of_a_container_is_a_warning(howdah, repo, tmp_path):
    """Told at creation, and shown with the pipeline and its jobs."""
    name = f"{repo}-copy"
    spec = {
        "pipeline": {"name": name},
        "transform": {"image": "tool:1", "cmd": ["sh", "-c", f"cp /pfs/{repo}/* /pfs/out"]},
        "input": {"pfs": {"repo": repo, "glob": "/*"}},
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    (tmp_path / "a.txt").write_text("a")
    howdah("put", "file", f"{repo}@master", "-f", str(tmp_path / "a.txt"))

    made = howdah("create", "pipeline", "-f", str(tmp_path / "spec.json"))
    howdah("wait", "commit", f"{name}@master")
    pipeline = howdah("inspect", "pipeline", name)
    [job] = howdah("list", "job", "-p", name, "-o", "json").json
    inspected = howdah("inspect", "job", job["job"], "-o", "json").json

    text = "image tool:1 is not used: no container engine answers at unix://"
    assert (0, True) == (made.code, made.err.startswith(f"warning: {text}"))
    assert "runs:          as a process" in pipeline.out
    assert f"note:          {text}" in pipeline.out
    assert job["reason"].startswith(text)
    assert ("process", "tool:1", "") == tuple(inspected["execution"][key] for key in ("execution", "image", "digest"))


@pytest.mark.slow
def test_a_wait_says_what_a_job_waits_for(howdah, host, tmp_path):
    """Whoever waits for an image that is not to be had would wait for ever, and not know why."""
    spec = {
        "pipeline": {"name": "late"},
        "transform": {"image": "none.invalid/such:1", "cmd": ["true"]},
        "input": {"pfs": {"repo": "in", "glob": "/*"}},
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec))

    with running_server(tmp_path / "lake", execution=ExecutionSettings(engine=host.address, pull="never")) as server:
        here = ("--address", server.grpc_address)
        howdah("create", "repo", "in", *here)
        howdah("put", "file", "in@master:/spec.json", "-f", str(tmp_path / "spec.json"), *here)
        made = howdah("create", "pipeline", "-f", str(tmp_path / "spec.json"), *here)
        waits = [howdah("wait", what, "late@master", "--timeout", "1.5", *here) for what in ("job", "commit")]

    assert (0, "") == (made.code, made.err)
    for each in waits:
        assert 7 == each.code
        assert "image none.invalid/such:1 is not on the engine, and this server pulls none" in each.err
