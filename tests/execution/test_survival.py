# SPDX-License-Identifier: Apache-2.0
"""Jobs in containers outlive what befalls them: a killed engine, worker or server, a removed container or image."""

import os
import signal
import subprocess
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from docker import APIClient

from howdah.client import Client
from howdah.engine import LABEL, Engine
from howdah.model.states import JobState, PipelineState
from howdah.testing.execution_contract import eventually
from howdah.worker.nest import Command
from tests.crash.pipelines import USER_VARIABLE
from tests.crash.processes import kill_groups, marked, working_on
from tests.crash.servers import SERVER, STOP, CrashServer
from tests.execution.survival import PATIENCE_SECONDS, Place, running_place
from tools import engines

PATH = {"PATH": "/bin"}


@pytest.fixture(scope="module")
def place(hosts, tmp_path_factory):
    host = hosts("docker")
    root = tmp_path_factory.mktemp("lake")
    with running_place(root, host.address, host.image) as running:
        running.engine = host.engine
        running.root = root
        yield running


def workers(root):
    return [each for each in working_on(root) if "howdah.worker" in each.command.split()]


@pytest.mark.full
def test_a_datum_whose_container_is_removed_is_run_again(place):
    """In another one; what was done before is not done again."""
    job = place.begin("removed")
    first = place.held()

    place.engine.remove(place.container(first))
    place.go(place.held(but=[first]))

    place.succeeded(job)
    assert "was ended together with its container" in str([line.message for line in place.client.logs(job=job)])


@pytest.mark.full
def test_a_killed_worker_leaves_no_container(place):
    """The next one removes it before it starts its own; the job goes on at once."""
    job = place.begin("orphan")
    first = place.held()
    orphan = place.container(first)

    kill_groups(workers(place.root))
    place.go(place.held(but=[first]))

    place.succeeded(job)
    assert orphan not in place.engine.owners()
    assert not first.exists()


@pytest.mark.slow
def test_a_job_that_is_stopped_has_no_process_and_its_container_is_used_again(place):
    """Not even one that left its group and its session; no more than one of a pipeline that is deleted."""
    mark = f"{USER_VARIABLE}=stopped"
    job = place.begin("stopped", before="setsid nohup sleep 100000 & (sleep 100000 &) ; ")
    first = place.held()
    used = place.container(first)
    ran = eventually(lambda: len(marked(mark)) > 2)

    place.client.stop_job(job)
    stopped = eventually(lambda: not marked(mark))
    place.put("stopped", b"!")
    again = place.held()
    same = place.container(again)
    place.client.delete_pipeline("stopped")
    deleted = eventually(lambda: not marked(mark))

    assert (True, True, True) == (ran, stopped, deleted)
    assert used == same


@pytest.mark.full
def test_a_datum_that_takes_too_long_leaves_no_process_and_its_container_is_used_again(place):
    """Not even a daemon of it, as soon as the job has ended; the datums after it are right."""
    mark = f"{USER_VARIABLE}=late"
    daemons = 'if [ "${in##*/}" = hold ]; then setsid nohup sleep 100000 & (sleep 100000 &) ; fi; '
    job = place.begin("late", before=daemons, datumTimeout="3s", datumTries=1)
    used = place.held()

    ended = place.client.wait_job(job, timeout=PATIENCE_SECONDS)

    assert [] == marked(mark)
    assert (JobState.FAILURE, 2, 1) == (ended.state, ended.processed, ended.failed)
    assert "exceeded its time limit of 3 s (datum_timeout)" in ended.reason
    assert used.exists()


@pytest.mark.slow
@pytest.mark.parametrize("ends", [True, False], ids=["goes on", "is too late"])
def test_a_paused_container_is_waited_for(host, tmp_path, monkeypatch, ends):
    """But not longer than a datum may take; then it goes with its container."""
    monkeypatch.setattr("howdah.worker.container.container._LOOK_SECONDS", 0.02)
    monkeypatch.setattr("howdah.worker.container.container._KILL_SECONDS", 0.2)
    looks = threading.Semaphore(0)
    state = Engine.state
    monkeypatch.setattr(Engine, "state", lambda engine, name: (looks.release(), state(engine, name))[1])
    (tmp_path / "datum").mkdir()
    command = Command(
        ("sh", "-c", "until [ -e /pfs/go ]; do sleep 0.01; done"),
        tmp_path / "datum",
        PATH,
        timeout=PATIENCE_SECONDS if ends else 0.5,
    )
    outcomes = []

    with host.start(tmp_path) as container, closing(APIClient(base_url=host.address, version="auto")) as api:
        running = threading.Thread(target=lambda: outcomes.append(container.run(command)))
        running.start()
        assert all(looks.acquire(timeout=PATIENCE_SECONDS) for _ in range(2))
        api.pause(container.id)
        if ends:
            assert all(looks.acquire(timeout=PATIENCE_SECONDS) for _ in range(5))
            api.unpause(container.id)
            (container.pfs / "go").touch()
        running.join(PATIENCE_SECONDS)
        closed = container.closed

    [outcome] = outcomes
    assert (not ends, not ends) == (outcome.timed_out, closed)
    assert (0 if ends else 137) == outcome.exit_code


@pytest.mark.full
@pytest.mark.parametrize("name", ["docker", "podman"])
def test_work_goes_on_when_its_killed_engine_is_back(name, hosts, tmp_path):
    """While it is away the job says so. A container that outlives its engine ends its datum without it."""
    hosts(name)  # or it is absent
    with engines.daemon(name, Path(tempfile.mkdtemp(prefix=f"{name}-"))) as daemon:
        image = engines.build(daemon.address, "shell", engines.with_shell())
        with running_place(tmp_path / "lake", daemon.address, image) as place, Engine(daemon.address) as engine:
            job = place.begin("away", datumTries=1)
            first = place.held()
            pid = engine.state(place.container(first))["Pid"]
            daemon.kill()
            os.kill(pid, signal.SIGKILL)
            said = place.reason(job, "no container engine answers")
            daemon.start()
            place.go(place.held(but=[first]))
            place.succeeded(job)

            place.put("away", b"!")
            later = next(iter(place.client.list_jobs("away"))).job
            second = place.held()
            daemon.kill()
            place.go(second)
            place.succeeded(later, b"!")
            daemon.start()
            gone = eventually(lambda: len(engine.owners()) <= 1)

    assert daemon.address in said
    assert gone


@pytest.mark.full
def test_a_killed_server_leaves_no_container(hosts, tmp_path, monkeypatch):
    """They end with their workers; its next run removes those of this lake, and of no other."""
    host = hosts("docker")
    monkeypatch.setenv("HOWDAH_ENGINE", host.address)
    monkeypatch.setenv("HOWDAH_CONTAINER_NETWORK", "none")
    root, mark = tmp_path / "lake", f"{USER_VARIABLE}=server"
    (tmp_path / "other").mkdir()
    with host.start(tmp_path / "other", labels={LABEL: "another/run/worker-1"}) as other:
        first = CrashServer(root, "first", mark)
        first.wait_ready()
        with Client(first.address) as client:
            place = Place(client, root, host.address, host.image)
            job = place.begin("server")
            pfs = place.held()
            orphan = place.container(pfs)
            first.kill(SERVER)
        ended = eventually(lambda: not host.engine.state(orphan).get("Running"))

        second = CrashServer(root, "second", mark)
        second.wait_ready()
        with Client(second.address) as client:
            place = Place(client, root, host.address, host.image)
            again = place.held(but=[pfs])
            later = place.container(again)
            place.go(again)
            place.succeeded(job)
        removed = eventually(lambda: orphan not in host.engine.owners())
        second.kill(STOP)

        assert (True, True) == (ended, removed)
        assert later not in host.engine.owners()
        assert other.id in host.engine.owners()
        assert other.run(Command(("true",), _folder(tmp_path / "other" / "datum"), PATH)).exit_code == 0


@pytest.mark.full
def test_a_deleted_image_is_missed_and_used_again_when_it_is_back(place):
    """Between two commits, and the idle container with it: the job of the second waits and says why.

    The pipeline is CRASHING meanwhile. No datum loses a try by that.
    """
    image = engines.build(place.address, "deleted", engines.with_shell())
    place.image, before = image, place.image
    with closing(APIClient(base_url=place.address, version="auto")) as api:
        saved = b"".join(api.get_image(image))
        job = place.begin("deleted", datumTries=1)
        first = place.held()
        place.go(first)
        place.succeeded(job)
        place.engine.remove(place.container(first))
        engines.forget(place.address, image)

        place.put("deleted", b"!")
        later = next(iter(place.client.list_jobs("deleted"))).job
        said = place.reason(later, "is not on the engine any more")
        state = place.client.inspect_pipeline("deleted").state
        api.load_image(saved)
    place.go(place.held(but=[first]))
    place.succeeded(later, b"!")
    place.image = before

    assert image in said
    assert PipelineState.CRASHING is state


@pytest.mark.full
def test_a_full_disk_is_told(hosts, tmp_path):
    """By the datum whose files fill it, and by the job whose container has no room; that goes on when there is some."""
    host = hosts("docker")
    work = tmp_path / "lake" / "workers"
    filling = 'if [ "${in##*/}" = hold ]; then exec dd if=/dev/zero of=/pfs/out/big bs=1M count=64; fi; cp $in /pfs/out'
    work.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", work], check=True)
    try:
        with running_place(tmp_path / "lake", host.address, host.image) as place:
            place.client.create_repo("full-in")
            place.put("full")
            place.create("full", filling, datumTries=1)
            ended = place.client.wait_job(next(iter(place.client.list_jobs("full"))).job, timeout=PATIENCE_SECONDS)
            halves = list(place.client.list_files("full@master"))
            place.client.delete_pipeline("full")
            kill_groups(workers(tmp_path / "lake"))  # or its container is used again
            assert eventually(lambda: not [*work.glob("*/container-*")])

            (work / "filler").write_bytes(bytes(_room(work) - 100_000))
            job = place.begin("narrow")
            said = place.reason(job, "no space left")
            (work / "filler").unlink()
            place.go(place.held())
            place.succeeded(job)
    finally:
        subprocess.run(["umount", "-l", work], check=True)

    assert (JobState.FAILURE, 2, 1) == (ended.state, ended.processed, ended.failed)
    assert "the disk of its files is full" in ended.reason
    assert [] == halves
    assert str(work) in said


@pytest.mark.full
def test_a_hundred_containers_leave_nothing(host, tmp_path):
    """No container, folder, mount, open file or thread."""
    folder = _folder(tmp_path / "datum")
    engines_folder = str(Path(host.address.removeprefix("unix://")).parent)
    places = set()

    def counted():
        mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if engines_folder in line]
        return len(host.engine.owners()), len(mounts), len(os.listdir("/proc/self/fd")), threading.active_count()

    def once(look):
        with host.start(tmp_path, labels={LABEL: "hundred/run/1"}) as container:
            assert container.run(Command(("true",), folder, PATH)).exit_code == 0
            if look:
                with closing(APIClient(base_url=host.address, version="auto")) as api:
                    places.update(mount["Source"] for mount in api.inspect_container(container.id)["Mounts"])

    for _ in range(15):  # the engine's library keeps a connection for each of the 25 things that it asked about last
        once(look=False)
    before = counted()
    for number in range(85):
        once(look=number % 10 == 0)

    # What others had there before may have ended meanwhile.
    assert all(now <= then for now, then in zip(counted(), before, strict=True))
    assert [] == host.engine.leftovers("hundred/run/1")
    assert len(places) > 10
    assert [] == [each for each in places if Path(each).exists()]
    assert ["datum"] == os.listdir(tmp_path)


def _folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _room(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
