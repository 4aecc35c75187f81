# SPDX-License-Identifier: Apache-2.0
"""Datum batching: one process that asks for datum after datum, in a real nest, over a real port."""

import os
import sys
import threading
from pathlib import Path

import pytest

from howdah.worker.batching import Batching
from howdah.worker.commands import Commands
from howdah.worker.folders import Folders
from howdah.worker.materialise import Materialiser
from howdah.worker.meter import Meter
from howdah.worker.stage import Stage, env_lines
from howdah.worker.values import Held
from tests.crash.processes import marked
from tests.worker.scripted import Lake, Scripted, datum_id
from tests.worker.test_work import EACH, EXPECTED, FILES, Running, states

ASK = """
import os, sys, time
import grpc
from howdah.wire.stubs import pachyderm_worker_pb2 as pb, pachyderm_worker_pb2_grpc as services
worker = services.WorkerStub(grpc.insecure_channel("localhost:" + os.environ["PPS_WORKER_GRPC_PORT"]))
print("process starts", flush=True)

def next_datum(error=""):
    answer = worker.NextDatum(pb.NextDatumRequest(error=error))
    os.environ.update(each.partition("=")[::2] for each in answer.env)
    return os.environ["in"]
"""
SHOUT = """
while True:
    path = next_datum()
    open("/pfs/out/" + os.path.basename(path), "wb").write(open(path, "rb").read().upper())
    print("did", os.path.basename(path), flush=True)
"""
LAST = max(FILES, key=lambda path: datum_id(("in", path)))
FIRST = min(FILES, key=lambda path: datum_id(("in", path)))


@pytest.fixture
def server(tmp_path):
    server = Scripted(tmp_path)
    yield server
    server.close()


@pytest.fixture
def worker(server, tmp_path):
    worker = Running(server, tmp_path)
    yield worker
    worker.close()


def batching(script, **more):
    """A transform whose command is Python that asks for datums."""
    return {"cmd": [sys.executable, "-c", ASK + script], "datumBatching": True, **more}


@pytest.mark.parametrize("memory", [False, True], ids=["on disk", "in memory"])
def test_one_process_does_all_datums(server, worker, memory):
    """It starts once for two sets of its job; each datum has its own files, variables and lines."""
    transform = batching(SHOUT, memoryVolume=memory)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=transform, count=5), 1)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=transform, first=5, count=5), 2)

    results = server.wait_done(1) + server.wait_done(2)

    assert sorted(datum_id(*each) for each in EACH) == [result.datum_id for result in results]
    assert {"SUCCESS"} == set(states(results))
    assert EXPECTED == server.output()
    worker.stop()
    assert ["process starts", *(f"did {path[1:]}" for path in FILES)] == sorted(
        server.log(), key=lambda line: (line.startswith("did"), line)
    )
    assert {(datum_id(("in", path)), f"did {path[1:]}") for path in FILES} == {
        (line.datum_id, line.message) for line in server.lines if line.message.startswith("did ")
    }


def test_it_works_without_namespaces_too(server, tmp_path):
    """Then `/pfs` in variables is the folder that stands for it."""
    script = SHOUT.replace('"/pfs/out/"', 'os.environ["PFS"] + "/out/"')
    worker = Running(server, tmp_path, refuse_namespaces=True)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=batching(script)))

    server.wait_done()
    worker.close()

    assert EXPECTED == server.output()


def test_the_variables_are_in_a_file_as_well(server, worker):
    """`/pfs/.env` says what the answer says, to whoever reads it as the official client does."""
    script = """
from dotenv import dotenv_values
while True:
    next_datum()
    names = ["in", "in_COMMIT", "PACH_DATUM_ID"]
    assert {name: os.environ[name] for name in names} == dict(dotenv_values("/pfs/.env"))
    print("same", flush=True)
"""
    server.add(server.lake.claim({"in": FILES}, EACH, transform=batching(script)))

    results = server.wait_done()

    assert ({"SUCCESS"}, 10) == (set(states(results)), server.log().count("same"))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ('next_datum("no good")', "failed: its command reported: no good on attempt 1 of 1"),
        ("sys.exit(9)", "failed: its command exited with code 9"),
        ("sys.exit(0)", "failed: its command ended by itself; with datum_batching it must ask"),
        ("time.sleep(1000)", "exceeded its time limit of 1 s (datum_timeout)"),
    ],
    ids=["reported", "failed", "ended", "too long"],
)
def test_a_datum_that_goes_wrong_costs_the_process_and_no_other_datum(server, worker, code, reason):
    """The next datum has a new process."""
    script = SHOUT.replace("    open(", f"    if path == '/pfs/in{FIRST}':\n        {code}\n    open(", 1)
    spec = {"transform": batching(script), "datumTries": 1, "datumTimeout": "1s"}
    server.add(server.lake.claim({"in": FILES}, EACH, count=3, **spec))

    bad, *good = server.wait_done()

    assert ("FAILED", {"SUCCESS"}) == (states([bad])[0], set(states(good)))
    assert reason in bad.reason
    assert 2 == server.log().count("process starts")


def test_a_failed_datum_is_tried_again_by_a_new_process(server, worker):
    """As often as the pipeline says."""
    script = "next_datum()\nprint('no', flush=True)\nnext_datum('still no')\n"
    server.add(server.lake.claim({"in": {"/a": b""}}, [[("in", "/a")]], transform=batching(script), datumTries=2))

    [result] = server.wait_done()

    assert "its command reported: still no on attempt 2 of 2" in result.reason
    assert (2, 2) == (result.tries, server.log().count("no"))


def test_a_failed_datum_may_be_recovered(server, worker):
    """The recovery command sees what the process left in `/pfs`; the datum has no output."""
    script = "next_datum()\nopen('/pfs/out/half', 'w').write('half')\nnext_datum('no')\n"
    recovery = {"errCmd": ["sh", "-c", 'cat /pfs/out/half "$in"']}
    claim = server.lake.claim({"in": {"/a": b"!\n"}}, [[("in", "/a")]], transform=batching(script, **recovery))
    server.add(claim)

    [result] = server.wait_done()

    assert ("RECOVERED", {}) == (states([result])[0], server.output())
    assert "half!" in server.log()


def test_a_process_that_never_asks_has_failed_its_datum(server, worker):
    """A command that knows nothing of batching is told what is missing."""
    spec = {"transform": {"cmd": ["true"], "datumBatching": True}, "datumTries": 1}
    server.add(server.lake.claim({"in": {"/a": b""}}, [[("in", "/a")]], **spec))

    [result] = server.wait_done()

    assert "it must ask for datums (NextDatum) until it is killed" in result.reason


def test_another_pipeline_ends_the_process(server, worker, tmp_path):
    """And so does the end of the worker: nothing that user code started is alive then."""
    mark = f"HOWDAH_TEST_BATCHING={tmp_path.name}-{os.getpid()}"
    env = dict([mark.split("=")])
    plain = {"cmd": ["true"]}
    server.add(server.lake.claim({"in": FILES}, EACH, transform=batching(SHOUT, env=env), count=2), 1)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=plain), 2)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=batching(SHOUT, env=env), count=2), 3)

    for set_id in (1, 2, 3):
        server.wait_done(set_id)
    starts = server.log().count("process starts")
    worker.stop()

    assert (2, []) == (starts, list(marked(mark)))


def test_a_lost_claim_kills_the_process(server, worker):
    """The next claim has another one."""
    script = "print(next_datum(), flush=True)\ntime.sleep(1000)\n"
    server.add(server.lake.claim({"in": FILES}, EACH, transform=batching(script)), 1)
    server.wait(lambda: f"/pfs/in{FIRST}" in server.log())

    server.add(server.lake.claim({"in": FILES}, EACH, transform=batching(SHOUT)), 2)
    server.lose(1)

    assert {"SUCCESS"} == set(states(server.wait_done(2)))


def test_links_to_inputs_move_no_bytes(server, worker):
    """Inputs were put on the stage and taken away again, and still are what they were."""
    script = """
while True:
    path = next_datum()
    time.sleep(0.05)
    os.symlink(path, "/pfs/out/" + os.path.basename(path))
"""
    claim = server.lake.claim({"in": FILES}, EACH, transform=batching(script))
    before = {entry.path: entry.extents for entry in server.lake.entries(claim.inputs[0].root)}
    server.add(claim)

    server.wait_done()

    assert before == {entry.path: entry.extents for entry in server.lake.entries(server.output_root())}


def test_user_code_may_leave_anything_in_the_way(tmp_path):
    """Folders and links under the names of inputs are removed, not followed; what was replaced is noticed."""
    folders = Folders(tmp_path / "work", reuse=True)
    other = tmp_path / "other"
    other.write_text("mine")
    first, second = folders.new(["in"]), folders.new(["in", "more"])
    stage = Stage(folders)
    stage.put(first, {"a": "1"})
    os.unlink(f"{stage.folder}/.env")
    os.symlink(other, f"{stage.folder}/.env")
    os.rename(f"{stage.folder}/in", f"{stage.folder}/more")
    os.mkdir(f"{stage.folder}/in")

    same = stage.take(first)
    stage.put(second, {"a": "2"})

    assert not same
    assert [".env", "in", "more", "out"] == sorted(os.listdir(stage.folder))
    assert ("mine", "a='2'\n") == (other.read_text(), Path(f"{stage.folder}/.env").read_text())
    assert stage.take(second)
    stage.close()
    folders.close()


VALUES = ["", "a b", "it's", 'a"b', "a\\b", "a\\'b", "#no", "a=b", "ü", "${HOME}", "$HOME", "a#b "]


@pytest.mark.parametrize("value", VALUES)
def test_values_come_back_as_they_are(tmp_path, value):
    """Whatever is in them, as `python-dotenv` reads them."""
    dotenv = pytest.importorskip("dotenv")
    path = tmp_path / ".env"
    path.write_bytes(env_lines({"first": value, "a name": "x", "last": value}))

    assert {"first": value, "a name": "x", "last": value} == dict(dotenv.dotenv_values(path))


class Blocking:
    """A runner whose command runs until it is killed."""

    is_contained = True

    def __init__(self):
        self.killed = threading.Event()

    def run(self, held, command):
        self.killed.wait(20)

    def cancel(self):
        self.killed.set()

    def drain(self):
        pass

    def meter(self, claim):
        return Meter(0)

    def stage(self, claim):
        return None


def test_a_process_that_has_no_datum_is_not_kept_for_ever(tmp_path):
    """Without another claim of its job it ends after a moment."""
    lake = Lake(tmp_path)
    claim = lake.value({"in": {"/a": b""}}, [], transform={"cmd": ["x"], "datumBatching": True})
    held, folders, runner = Held(claim), Folders(tmp_path / "work", reuse=True), Blocking()
    batching = Batching(runner, folders, idle_seconds=0.0)
    batching.way(held, Materialiser(lake.storage, claim), print)
    process = batching.process(held, Commands(claim), print)

    before = runner.killed.is_set()
    batching.rest()

    assert runner.killed.wait(20)
    batching.close()
    folders.close()
    lake.storage.close()
    assert (False, True) == (before, process.ended)


def test_each_datum_is_told_what_it_took(server, worker):
    """CPU time since the datum before, for the first one since the start; of memory the most until then."""
    script = f"""
while True:
    until = time.process_time() + 0.3 * (os.path.basename(next_datum()) == {LAST[1:]!r})
    while time.process_time() < until:
        pass
"""
    server.add(server.lake.claim({"in": FILES}, EACH, transform=batching(script)))

    first, *between, last = server.wait_done()

    assert datum_id(("in", LAST)) == last.datum_id
    assert all(each.cpu_time.ToTimedelta().total_seconds() < 0.3 for each in between)
    assert all(each.cpu_time.ToTimedelta().total_seconds() > 0 for each in (first, *between))
    assert 0.3 <= last.cpu_time.ToTimedelta().total_seconds() < 3
    assert 1 << 20 < first.memory_max_bytes <= last.memory_max_bytes < 1 << 30
