# SPDX-License-Identifier: Apache-2.0
"""A worker from claim to result, against a real gRPC server that a test scripts, with a real nest and store."""

import os
import threading
from contextlib import suppress

import pytest

from howdah.errors import Unavailable
from howdah.kit import fail
from howdah.kit.clock import SystemClock
from howdah.storage.lake import open_store
from howdah.storage.storage import Storage
from howdah.wire.stubs import pps_v2_pb2
from howdah.worker import results as results_module
from howdah.worker.containers import Containers, ContainerSettings
from howdah.worker.folders import Folders
from howdah.worker.link import Link
from howdah.worker.nest import Nest
from howdah.worker.runner import Runner
from howdah.worker.volumes import MEMORY, left_in_memory, volume
from howdah.worker.worker import Worker
from tests.worker.scripted import JOB_ID, Scripted, datum_id

ALL = pps_v2_pb2.DatumState.Name
SHOUT = {"cmd": ["sh", "-c", 'tr a-z A-Z < "$in" > "/pfs/out/${in##*/}"; echo "did ${in##*/}"']}
FILES = {f"/f{number}": b"word %d" % number for number in range(10)}
EACH = [[("in", path)] for path in FILES]
EXPECTED = {(path, datum_id(("in", path))): data.upper() for path, data in FILES.items()}


@pytest.fixture
def server(tmp_path):
    server = Scripted(tmp_path)
    yield server
    server.close()


class Running:
    """A worker in a thread of this process."""

    def __init__(self, server, folder, *, refuse_namespaces=False, engine=""):
        work = folder / "work"
        work.mkdir()
        containers = Containers.at(ContainerSettings(engine, "none"), work) if engine else None
        self.work = work

        def nest(in_memory):
            place = volume(work, in_memory=in_memory)
            return Nest.start(place, [folder / "lake"], refuse_namespaces=refuse_namespaces)

        self.runner = Runner(nest, containers)
        self.folders = Folders(work, reuse=self.runner.is_contained)
        self.link = Link(server.address, "w1")
        self.worker = Worker(self.link, self.runner, self.folders, self.open_storage, SystemClock())
        self.thread = threading.Thread(target=self.worker.run)
        self.thread.start()

    def open_storage(self):
        _, url = self.link.lake()
        return Storage(open_store(url))

    def stop(self):
        self.worker.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()

    def close(self):
        self.stop()
        self.runner.close()
        self.link.close()
        self.folders.close()


@pytest.fixture
def worker(server, tmp_path):
    worker = Running(server, tmp_path)
    yield worker
    worker.close()


@pytest.fixture(params=["process", "docker", pytest.param("podman", marks=pytest.mark.full)])
def any_worker(request, server, tmp_path, hosts):
    """A worker for each execution; in a container its claims name an image with a shell."""
    engine = ""
    if request.param != "process":
        host = hosts(request.param)
        engine, server.image = host.address, host.image
    worker = Running(server, tmp_path, engine=engine)
    worker.containment = "container" if engine else "namespaces"
    yield worker
    worker.close()


def states(results):
    return [ALL(result.state) for result in results]


def test_all_datums_of_a_claim_come_back_with_their_output(server, any_worker):
    """Each has its result, in order; each output file is tagged with its datum."""
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT))

    results = server.wait_done()

    assert sorted(datum_id(*each) for each in EACH) == [result.datum_id for result in results]
    assert {"SUCCESS"} == set(states(results))
    assert EXPECTED == server.output()
    assert {7} == {each.fence for each in server.hand_ins}
    assert {any_worker.containment} == {each.containment for each in server.hand_ins}
    assert all(result.stats.download_bytes == 6 == result.stats.upload_bytes for result in results)
    assert all(result.stats.process_time.ToTimedelta().total_seconds() > 0 for result in results)
    assert all(0 < result.cpu_time.ToTimedelta().total_seconds() < 5 for result in results)
    assert all(1 << 19 < result.memory_max_bytes < 1 << 30 for result in results)


def test_logs_are_there_before_the_results(server, any_worker):
    """Whoever sees a job end can read its logs; lines of user code are told from the worker's."""
    server.add(server.lake.claim({"in": {"/a": b"x"}}, [[("in", "/a")]], transform=SHOUT))

    server.wait_done()

    assert ["did a"] == server.log()
    assert ["datum started: /pfs/in/a", "datum finished in"] == [
        line[: len("datum finished in")] if "finished" in line else line for line in server.log(user=False)
    ]
    assert {datum_id(("in", "/a"))} == {line.datum_id for line in server.lines}


def test_a_failed_datum_has_no_output_and_does_not_stop_the_others(server, any_worker):
    """The rest of the set runs; the reason says what the command did."""
    script = '[ "$in" != /pfs/in/f3 ] || { echo bad > /pfs/out/f3; exit 9; }; cp "$in" /pfs/out/'
    spec = {"transform": {"cmd": ["sh", "-c", script]}, "datumTries": 1}
    server.add(server.lake.claim({"in": FILES}, EACH, **spec))

    results = {result.datum_id: result for result in server.wait_done()}

    bad = results.pop(datum_id(("in", "/f3")))
    assert "exited with code 9 on attempt 1 of 1; logs: howdah logs -j default/edges@" in bad.reason
    assert "FAILED" == ALL(bad.state)
    assert {"SUCCESS"} == set(states(results.values()))
    assert set(FILES) - {"/f3"} == {path for path, _ in server.output()}


def test_output_that_no_repo_can_hold_fails_its_datum(server, any_worker):
    """The datum is named, and what it left; others are not touched by it."""
    script = 'cp "$in" /pfs/out/; [ "$in" != /pfs/in/f3 ] || ln -s /etc/hostname /pfs/out/link'
    server.add(server.lake.claim({"in": FILES}, EACH, transform={"cmd": ["sh", "-c", script]}))

    results = {result.datum_id: result for result in server.wait_done()}

    bad = results[datum_id(("in", "/f3"))]
    assert "left something that is no output: link /pfs/out/link leads to /etc/hostname" in bad.reason
    assert set(FILES) - {"/f3"} == {path for path, _ in server.output()}


def test_a_time_limit_ends_the_command_and_all_it_started(server, any_worker):
    """The whole try is killed, daemons too, and counts as failed."""
    spec = {"transform": {"cmd": ["sh", "-c", "setsid sleep 1000 & sleep 1000"]}, "datumTimeout": "0.1s"}
    server.add(server.lake.claim({"in": {"/a": b""}}, [[("in", "/a")]], datumTries=1, **spec))

    [result] = server.wait_done()

    assert "exceeded its time limit of 0.1 s (datum_timeout) on attempt 1 of 1" in result.reason


def test_the_next_claim_follows_the_last(server, any_worker):
    """A worker goes on until it is stopped; inputs of another shape are another folder."""
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT), 1)
    listing = {"cmd": ["sh", "-c", "ls /pfs > /pfs/out/list"]}
    both = [[("left", "/a"), ("right", "/")]]
    server.add(server.lake.claim({"left": {"/a": b""}, "right": {"/b": b""}}, both, transform=listing), 2)

    server.wait_done(1)
    server.wait_done(2)

    assert b"left\nout\nright\n" == server.output()["/list", datum_id(*both[0])]
    assert ["w1", "w1"] == server.claimed_by


def test_a_pipeline_may_have_its_files_in_memory(server, any_worker):
    """Then `/pfs` and all below it are in no file system of a disk; the claim after it has its own on disk again."""
    where = {"cmd": ["sh", "-c", 'stat -c %d /pfs "$in" /pfs/out > /pfs/out/devices; cp "$in" /pfs/out/copy']}
    server.add(server.lake.claim({"in": {"/a": b"x"}}, [[("in", "/a")]], transform={**where, "memoryVolume": True}), 1)
    server.add(server.lake.claim({"in": {"/b": b"y"}}, [[("in", "/b")]], transform=where), 2)

    results = [*server.wait_done(1), *server.wait_done(2)]

    found = server.output()
    devices = [found["/devices", datum_id(("in", path))].split() for path in ("/a", "/b")]
    assert ["SUCCESS", "SUCCESS"] == states(results)
    assert [b"%d" % os.stat(MEMORY).st_dev] * 3 == devices[0]
    assert [b"%d" % os.stat(any_worker.work).st_dev] * 3 == devices[1]
    assert [b"x", b"y"] == [found["/copy", datum_id(("in", path))] for path in ("/a", "/b")]
    any_worker.stop()
    any_worker.runner.close()
    any_worker.folders.close()
    assert [] == left_in_memory(any_worker.work)


def test_a_lost_claim_kills_its_command(server, any_worker):
    """The command ends, nothing is handed in, and the next claim is done."""
    server.lost.add(1)
    sleep = {"cmd": ["sh", "-c", "echo up; sleep 1000"]}
    server.add(server.lake.claim({"in": {"/a": b""}}, [[("in", "/a")]], lifetime=0.3, transform=sleep), 1)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT), 2)

    server.wait_done(2)

    assert [2] == sorted({each.set_id for each in server.hand_ins})


def test_a_command_does_not_go_on_until_the_next_renewal(server, any_worker):
    """That is a quarter of an hour away when the claim is lost; the worker hears of it at once."""
    sleep = {"cmd": ["sh", "-c", "echo asleep; exec sleep 600"]}
    server.add(server.lake.claim({"in": {"/a": b""}}, [[("in", "/a")]], lifetime=2_700, transform=sleep), 1)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT), 2)

    server.wait(lambda: "asleep" in server.log())
    server.lose(1)
    server.wait_done(2)

    assert ([2], 0) == (sorted({each.set_id for each in server.hand_ins}), server.renewals)


def test_a_long_command_keeps_its_claim(server, worker):
    """It is renewed while the command runs, however long."""
    fifo = str(server.folder / "go")
    os.mkfifo(fifo)
    wait = {"cmd": ["sh", "-c", f"cat {fifo}"]}
    server.add(server.lake.claim({"in": {"/a": b""}}, [[("in", "/a")]], lifetime=0.3, transform=wait))

    server.wait(lambda: server.renewals >= 4)
    with open(fifo, "w") as go:
        go.write("go\n")

    assert ["SUCCESS"] == states(server.wait_done())


def test_results_outlive_a_server_that_is_away(server, worker):
    """They are handed in again until they are taken."""
    server.away = 2
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT))

    server.wait_done()

    assert 0 == server.away
    assert EXPECTED == server.output()


def test_a_worker_finds_its_server_again(server, worker):
    """After a restart at the same address it goes on claiming."""
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT), 1)
    server.wait_done(1)

    server.restart()
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT), 2)

    assert 10 == len(server.wait_done(2))


def test_results_come_while_the_set_still_runs(server, worker):
    """What is done is handed in after a second at most: a dead worker costs no more than that."""
    fifo = str(server.folder / "go")
    os.mkfifo(fifo)
    last = max(FILES, key=lambda path: datum_id(("in", path)))
    script = f'[ "$in" != /pfs/in{last} ] || cat {fifo}'
    server.add(server.lake.claim({"in": FILES}, EACH, transform={"cmd": ["sh", "-c", script]}))

    server.wait(lambda: server.hand_ins)
    early = [(len(each.results), each.last) for each in server.hand_ins]
    with open(fifo, "w"):
        pass
    results = server.wait_done()

    assert [(9, False)] == early
    assert 10 == len(results)


def test_stopping_hands_in_what_is_done(server, any_worker):
    """The command that runs is killed; finished datums are not done again by others."""
    last = max(FILES, key=lambda path: datum_id(("in", path)))
    script = f'[ "$in" != /pfs/in{last} ] || {{ echo up; sleep 1000; }}; cp "$in" /pfs/out/'
    server.add(server.lake.claim({"in": FILES}, EACH, transform={"cmd": ["sh", "-c", script]}))
    server.wait(lambda: "up" in server.log())

    any_worker.stop()

    assert 9 == sum(len(each.results) for each in server.hand_ins)
    assert not any(each.last for each in server.hand_ins)


def test_a_killed_nest_is_replaced(server, worker):
    """Whatever killed it, the datum has failed one try, and the next runs in another nest."""
    script = "echo up; sleep 1000"
    server.add(
        server.lake.claim({"in": {"/a": b""}}, [[("in", "/a")]], datumTries=1, transform={"cmd": ["sh", "-c", script]}),
        1,
    )
    server.wait(lambda: "up" in server.log())

    os.kill(worker.runner._nests[False].pid, 9)
    [result] = server.wait_done(1)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT), 2)

    assert "killed together with the process that runs commands" in result.reason
    assert {"SUCCESS"} == set(states(server.wait_done(2)))


def test_every_step_can_be_held_by_a_crash_test(server, worker):
    """The failpoints come in the order of the work."""
    reached = []

    def note(name):
        return fail.during(name, lambda: reached.append(name))

    with note("worker.claimed"), note("worker.ran"), note("worker.collected"), note("worker.handed_in"):
        server.add(server.lake.claim({"in": {"/a": b""}}, [[("in", "/a")]], transform=SHOUT))
        server.wait_done()
        worker.stop()

    assert ["worker.claimed", "worker.ran", "worker.collected", "worker.handed_in"] == reached


def test_user_code_does_not_see_the_lake(server, worker, tmp_path):
    """Where there are namespaces, the store's folder is empty for it."""
    if not worker.runner.is_contained:
        pytest.skip("no namespaces here")
    script = f"ls -A {tmp_path}/lake {tmp_path}/work 2>&1 | grep -v : > /pfs/out/seen; true"
    server.add(server.lake.claim({"in": {"/a": b""}}, [[("in", "/a")]], transform={"cmd": ["sh", "-c", script]}))

    server.wait_done()

    [seen] = server.output().values()
    assert b"" == seen.strip()


def test_errors_of_the_server_are_errors_of_ours(server):
    """A server that is not there is Unavailable, and the text names its address."""
    address = server.address
    server.restart()
    server._server.stop(0).wait()
    link = Link(address, "w1")

    with pytest.raises(Unavailable) as error:
        link.lake()
    link.close()

    assert f"server {address}: " in error.value.message
    with suppress(RuntimeError):
        server._server = server._start(server.port)


def test_the_job_of_a_claim_is_read_whole(server):
    """Project, pipeline and id; the spec is parsed."""
    claim = server.lake.value({"in": FILES}, EACH, datumTimeout="5s")

    assert f"default/edges@{JOB_ID}" == str(claim.job)
    assert 5 == claim.spec.datum_timeout.total_seconds()
    assert ("in", 10) == (claim.inputs["in"].name, claim.count)


def test_much_output_is_handed_in_early(server, worker, monkeypatch):
    """What lies stored and not handed in is lost with the worker, so it is bounded by bytes as well as by time."""
    monkeypatch.setattr(results_module, "BATCH_BYTES", 12)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT))

    server.wait_done()

    assert [2, 2, 2, 2, 2] == [len(each.results) for each in server.hand_ins if each.results]
    assert EXPECTED == server.output()


def test_an_error_of_ours_ends_the_worker(server, tmp_path, monkeypatch):
    """No thread dies in silence: what handing in raises comes out of `run`, and the process is started anew."""

    def broken(*arguments, **options):
        raise RuntimeError("a bug")

    monkeypatch.setattr(results_module, "collect", broken)
    raised = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: raised.append(str(hook.exc_value)))
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT))

    worker = Running(server, tmp_path)
    worker.thread.join(20)
    worker.close()

    assert ["a bug"] == raised
    assert [] == server.hand_ins


def test_pipelines_run_where_there_are_no_namespaces(server, tmp_path):
    """Paths that begin with /pfs are pointed to the datum's folder; who looks at the job sees why."""
    worker = Running(server, tmp_path, refuse_namespaces=True)
    server.add(server.lake.claim({"in": FILES}, EACH, transform=SHOUT))

    results = server.wait_done()
    worker.close()

    assert {"SUCCESS"} == set(states(results))
    assert EXPECTED == server.output()
    assert "folder: namespaces were refused by the caller" == server.hand_ins[0].containment
