# SPDX-License-Identifier: Apache-2.0
"""Pipelines, jobs, datums and logs on the command line, with a real worker."""

import os
import signal
import subprocess
import sys

import pytest

from howdah.testing.server import running_server

SPEC = """
pipeline: {name: count}
description: counts lines
input: {pfs: {repo: texts, glob: "/*"}}
transform:
  cmd: [sh]
  stdin:
    - 'cd /pfs/texts; for f in *; do wc -l < $f | tr -d " " > ${PFS:-/pfs}/out/$f; echo "counted $f"; done'
    - 'test ! -e bad'
datumTries: 1
"""

CLOCK = """
pipeline: {name: clock}
input: {cron: {name: tick, spec: "@never"}}
transform: {cmd: ["true"]}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake"), workers=1) as running:
        yield running


@pytest.fixture
def pipeline(howdah, tmp_path):
    """A pipeline that has worked on one file; another one for each test."""
    for name in ("count", "texts"):
        howdah("delete", "pipeline", name)
    howdah("delete", "repo", "texts", "--force")
    howdah("create", "repo", "texts")
    put(howdah, tmp_path, "ten", 10)
    spec = tmp_path / "count.yaml"
    spec.write_text(SPEC)
    made = howdah("create", "pipeline", "-f", str(spec))
    assert (0, "", "") == (made.code, made.out, made.err)
    assert 0 == howdah("wait", "commit", "count@master", "--timeout", "60").code
    return spec


def put(howdah, folder, name, lines):
    """Commit a file of so many lines; the id of its commit set."""
    (folder / name).write_text("x\n" * lines)
    assert 0 == howdah("put", "file", "texts@master", "-f", str(folder / name)).code
    return howdah("inspect", "commit", "texts@master", "-o", "json").json["commit"].partition("@")[2]


@pytest.mark.slow
def test_a_commit_is_followed_to_its_output(howdah, pipeline, tmp_path):
    """Only what is new runs, and the output says where it comes from."""
    set_id = put(howdah, tmp_path, "twenty", 20)

    waited = howdah("wait", "job", set_id, "--timeout", "60", "-o", "json")

    assert (0, "SUCCESS") == (waited.code, waited.json["state"])
    assert (1, 1, 2) == tuple(waited.json[key] for key in ("processed", "carried_over", "datums"))
    assert "20\n" == howdah("get", "file", "count@master:/twenty").out
    job = waited.json["job"]
    states = {each["state"] for each in howdah("list", "datum", job, "-o", "json").json}
    assert {"SUCCESS", "SKIPPED"} == states
    found = howdah("inspect", "file", "count@master:/ten", "--provenance", "-o", "json").json
    assert (["sh"], 1, ["/ten"]) == (
        found["cmd"],
        found["pipeline_version"],
        [each["file"].partition(":")[2] for each in found["inputs"]],
    )
    assert {"counted ten", "counted twenty"} == set(howdah("logs", "-p", "count").out.splitlines())
    assert "counted twenty\n" == howdah("logs", "-p", "count", "--tail", "1").out
    assert "counted ten\n" == howdah("logs", "-p", "count", "--inputs", "/ten", "--grep", "^counted").out
    assert "" == howdah("logs", "-j", set_id, "-v", "--grep", "twenty|ten", "-o", "raw").out
    assert "[planner] planned 2 datums: 1 to run, 1 done before" in howdah("logs", "-j", job, "--master").out
    started = howdah("logs", "-j", job, "--worker", "-t", "--since", "1h", "--until", "2999-01-01").out
    assert "datum started: /pfs/" in started
    assert started.startswith("20")


@pytest.mark.slow
def test_a_failure_has_its_exit_code_and_its_log(howdah, pipeline, tmp_path):
    """`wait` ends with 10; the failed datum is found by its state; mended code runs it alone."""
    set_id = put(howdah, tmp_path, "bad", 3)
    job = f"count@{set_id}"

    assert 10 == howdah("wait", "job", job, "--timeout", "60").code
    assert 10 == howdah("wait", "commit", f"count@{set_id}").code
    failed = howdah("list", "datum", job, "--state", "failed", "-o", "json").json
    assert ["FAILED"] == [each["state"] for each in failed]
    datum = failed[0]["id"]
    found = howdah("inspect", "datum", job, datum, "-o", "json").json
    assert ("FAILED", 1, True) == (found["state"], found["tries"], "exited with code" in found["reason"])
    costs = [each["stats"] for each in (found, howdah("inspect", "job", job, "-o", "json").json)]
    assert all(each["cpu_time"] > 0 and each["memory_max_bytes"] > 1 << 20 for each in costs)
    shown = howdah("inspect", "datum", job, datum).out
    assert all(title in shown for title in ("reason: ", "tries: ", "CPU time: ", "peak memory: "))
    assert "counted bad\n" == howdah("logs", "-j", job, "--datum", datum).out

    pipeline.write_text(SPEC.replace("test ! -e bad", "true"))
    assert 0 == howdah("update", "pipeline", "-f", str(pipeline)).code
    assert 0 == howdah("wait", "commit", "count@master", "--timeout", "60").code
    latest = howdah("list", "job", "-p", "count", "-n", "1", "-o", "json").json[0]
    assert (2, "SUCCESS", 1, 1) == tuple(
        latest[key] for key in ("pipeline_version", "state", "processed", "carried_over")
    )


@pytest.mark.slow
def test_pipelines_are_shown_stopped_started_and_removed(howdah, pipeline):
    """Their life on the command line."""
    assert 4 == howdah("create", "pipeline", "-f", str(pipeline)).code
    assert '"count"' in howdah("create", "pipeline", "-f", str(pipeline), "--dry-run", "--update").out
    shown = howdah("list", "pipeline", "-o", "json").json
    assert [("default/count", "RUNNING", "SUCCESS")] == [
        (each["pipeline"], each["state"], each["last_job_state"]) for each in shown
    ]
    assert 0 == howdah("stop", "pipeline", "count").code
    assert "PAUSED" == howdah("inspect", "pipeline", "count", "-o", "json").json["state"]
    assert 0 == howdah("start", "pipeline", "count").code
    job = howdah("list", "job", "-o", "json").json[-1]["job"]
    assert 0 == howdah("stop", "job", job).code
    assert 0 == howdah("delete", "job", job).code
    assert 3 == howdah("inspect", "job", job).code
    assert 0 == howdah("delete", "pipeline", "count").code
    assert 3 == howdah("inspect", "repo", "count").code


@pytest.mark.slow
def test_ctrl_c_ends_following_with_130(server, pipeline):
    """Lines come as they are written, and the end is quiet."""
    script = "from howdah.cli.main import main; main()"
    ran = subprocess.Popen(
        [sys.executable, "-c", script, "logs", "-p", "count", "--follow"],
        env={**os.environ, "HOWDAH_ADDRESS": server.grpc_address, "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = ran.stdout.readline()
    ran.send_signal(signal.SIGINT)
    _, errors = ran.communicate(timeout=20)

    assert ("counted ten\n", 130, "") == (first, ran.returncode, errors.strip())


@pytest.mark.slow
def test_what_runs_by_a_clock_or_again(howdah, pipeline, tmp_path):
    """Cron by hand, reruns and restarts; what is shown of them by state, filter and page."""
    assert 2 == howdah("run", "cron", "count").code
    clock = tmp_path / "clock.yaml"
    clock.write_text(CLOCK)
    assert 0 == howdah("create", "pipeline", "-f", str(clock)).code
    assert 0 == howdah("run", "cron", "clock").code
    assert 0 == howdah("wait", "commit", "clock@master", "--timeout", "60").code
    newest = howdah("list", "job", "-p", "clock", "-n", "1", "-o", "json").json[0]
    older = howdah("list", "job", "-p", "clock", "--after", newest["created_at"], "-o", "json").json
    assert [1, 0] == [newest["processed"], older[0]["datums"]]

    assert 0 == howdah("rerun", "pipeline", "count", "--reprocess").code
    assert 0 == howdah("wait", "commit", "count@master", "--timeout", "60").code
    again = howdah("list", "job", "-p", "count", "--state", "success", "--history", "0", "-o", "json").json
    assert [(2, 1)] == [(each["pipeline_version"], each["processed"]) for each in again]
    assert [] == howdah("list", "job", "--state", "failure", "--jq", "true", "-o", "json").json
    oldest = howdah("list", "job", "-p", "count", "--jq", '.data_total == "1"', "--reverse", "-n", "1", "-o", "json")
    assert 1 == oldest.json[0]["pipeline_version"]
    assert 2 == howdah("list", "job", "--jq", ".state ==").code
    assert 3 == howdah("restart", "datum", again[0]["job"], "/ten").code

    assert 0 == howdah("stop", "pipeline", "clock").code
    paused = howdah("list", "pipeline", "--state", "paused", "-o", "json").json
    assert ["default/clock"] == [each["pipeline"] for each in paused]
    assert [] == howdah("check", "status", "--all", "-o", "json").json
    assert 0 == howdah("delete", "pipeline", "clock").code


@pytest.mark.slow
def test_jobs_are_told_as_they_go_on(howdah, pipeline, tmp_path):
    """From the first open one on; a line each time that one moves."""
    spec = tmp_path / "slow.yaml"
    spec.write_text(SPEC.replace("name: count", "name: slow").replace("'test ! -e bad'", "sleep 600"))
    assert 0 == howdah("create", "pipeline", "-f", str(spec)).code

    told = howdah("subscribe", "job", "slow", "-n", "1")

    assert (0, "default/slow@") == (told.code, told.out[:13])
    assert 0 == howdah("delete", "pipeline", "slow").code


@pytest.mark.slow
def test_a_job_is_named_by_its_id_its_commit_or_its_pipeline(howdah, pipeline, tmp_path):
    """The newest one is named by the pipeline alone; what names none says what would."""
    first = howdah("inspect", "job", "count", "-o", "json").json["job"]
    newest = f"default/count@{put(howdah, tmp_path, 'twenty', 20)}"

    assert 0 == howdah("wait", "job", "count", "--timeout", "60").code
    for name, job in {"count": newest, "count@master": newest, "count@master^": first, first: first}.items():
        assert job == howdah("inspect", "job", name, "-o", "json").json["job"]
    assert [1, 2] == [len(howdah("list", "datum", name, "-o", "json").json) for name in ("count@master^", "count")]
    assert howdah("logs", "-j", newest).out == howdah("logs", "-j", "count").out
    assert 0 == howdah("stop", "job", "count").code
    for name, code, text in (
        ("count@nothing", 3, "count@nothing names no job"),
        ("nothing", 3, 'pipeline "default/nothing" not found'),
        (newest.partition("@")[2], 2, "write PIPELINE@"),
        ("texts@master", 3, "not found"),
    ):
        wrong = howdah("inspect", "job", name)
        assert (code, True) == (wrong.code, text in wrong.err)
