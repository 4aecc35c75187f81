# SPDX-License-Identifier: Apache-2.0
"""Which container a claim runs in: kept, reused, ended; what claims bring into one; what is told when one dies."""

import itertools
import sys
import threading
from types import SimpleNamespace

import pytest

from howdah.engine import LABEL, Limits
from howdah.errors import ErrorKind, Refused, Unavailable
from howdah.model.refs import Job, Pipeline
from howdah.model.spec import parse_spec
from howdah.worker.commands import Commands
from howdah.worker.container.rooms import Rooms, remove_leftovers
from howdah.worker.containers import Containers, ContainerSettings, settings_of
from howdah.worker.nest import Command, Mount, Nest
from howdah.worker.next_datum import NextDatumServer
from howdah.worker.runner import Runner
from howdah.worker.turns import Turns
from howdah.worker.values import Claim, ClaimSecret, Held
from tools import engines

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux's")
PATH = {"PATH": "/usr/bin:/bin"}
PATIENCE_SECONDS = 20


def claim(image="x", secrets=(), pipeline="p", version=1, spec_commit="s", **spec):
    document = {"pipeline": {"name": pipeline}, "input": {"pfs": {"repo": "r", "glob": "/*"}}, **spec}
    document["transform"] = {"cmd": ["true"], **document.get("transform", {})}
    return Claim(
        1, 1, 30.0, Job(Pipeline("default", pipeline), "a" * 32), version, parse_spec(document), "c", {}, b"", 0, 1,
        image=image, secrets=tuple(secrets), spec_commit_id=spec_commit,
    )  # fmt: skip


class Fakes:
    """Containers that only remember."""

    def __init__(self):
        self.now = 0.0
        self.alive = []
        self.refusal = None

    def start(self, settings, mounts, in_memory):
        if self.refusal is not None:
            raise self.refusal
        made = SimpleNamespace(settings=settings, mounts=mounts, in_memory=in_memory, closed=False, alive=True)
        self.alive.append(made)

        def close():
            made.closed = True
            if made in self.alive:
                self.alive.remove(made)

        made.close = close
        return made

    def containers(self, **options):
        return Containers(self.start, ContainerSettings("unix:///nowhere"), monotonic=lambda: self.now, **options)

    @property
    def images(self):
        return [each.settings.image for each in self.alive]


def test_a_container_is_kept_for_the_next_claim_of_its_image():
    """And another image has another; so have other limits, users or secrets."""
    fakes = Fakes()
    containers = fakes.containers(kept=9)
    secret = ClaimSecret("/s", {"k": b"v"})
    others = [
        claim("b"),
        claim("a", transform={"user": "1234"}),
        claim("a", resourceLimits={"memory": "64Mi"}),
        claim("a", [secret]),
    ]

    first = containers.of(claim("a"))

    assert first is containers.of(claim("a"))
    assert 5 == len({id(containers.of(each)) for each in [claim("a"), *others]})


def test_a_container_that_went_while_it_was_idle_is_replaced_before_it_is_used():
    """A datum that met it would have lost one of its tries; other containers stay."""
    fakes = Fakes()
    containers = fakes.containers()
    other, first = containers.of(claim("b")), containers.of(claim("a"))
    containers.rest()
    first.alive = False

    second = containers.of(claim("a"))

    assert (True, False) == (first.closed, second.closed)
    assert [other, second] == fakes.alive
    containers.close()


@pytest.mark.parametrize("others", [{"pipeline": "q"}, {"version": 2}, {"spec_commit": "of a pipeline made again"}])
def test_code_of_two_pipelines_never_shares_a_container(others):
    """Of the same image and settings, too: the one could have left a trap for the other."""
    containers = Fakes().containers()

    first = containers.of(claim("a"))

    assert first is not containers.of(claim("a", **others))
    assert first is containers.of(claim("a"))


def test_the_container_that_was_used_longest_ago_makes_room():
    """There are never more than are kept."""
    fakes = Fakes()
    containers = fakes.containers(kept=2)

    for image in ("a", "b", "a", "c"):
        containers.of(claim(image))

    assert ["a", "c"] == fakes.images


def test_a_container_that_nobody_uses_ends_and_one_in_use_does_not():
    """After so many seconds without a claim."""
    fakes = Fakes()
    containers = fakes.containers(idle_seconds=60)
    containers.of(claim("a"))
    containers.of(claim("b"))

    fakes.now = 100.0
    containers.expire()
    in_use = fakes.images
    containers.rest()
    fakes.now = 159.0
    containers.expire()
    resting = fakes.images
    fakes.now = 160.0
    containers.expire()
    containers.close()

    assert (["b"], ["b"], []) == (in_use, resting, fakes.images)


def test_a_container_that_died_is_replaced():
    """With the next command."""
    fakes = Fakes()
    containers = fakes.containers()

    containers.of(claim("a")).close()

    assert not containers.of(claim("a")).closed


def test_a_container_that_cannot_be_started_is_a_refusal_with_its_reason():
    """Whatever it is: the claim is given back, and says so."""
    fakes = Fakes()
    fakes.refusal = Unavailable(ErrorKind.UNREACHABLE, "no container engine answers; start it")

    with pytest.raises(Refused) as error:
        fakes.containers().of(claim("a"))

    assert (ErrorKind.NO_ENGINE, fakes.refusal.message) == (error.value.kind, error.value.message)


def test_a_container_that_goes_with_its_engine_is_no_failure_of_user_code():
    """The claim is given back, and says why, though the datum may have but one try; the engine may come back."""
    fakes = Fakes()
    wanted = claim("a", datumTries=1)
    containers = fakes.containers()
    container = containers.of(wanted)
    runner = Runner(lambda in_memory: SimpleNamespace(close=lambda: None, mode=None), containers)

    def run(command):
        raise Unavailable(
            ErrorKind.UNREACHABLE, "the container that runs user code is gone: it was ended; start another"
        )

    container.run = run
    with pytest.raises(Refused) as error:
        runner.run(Held(wanted), Command(("true",), None, {}))

    assert ErrorKind.NO_ENGINE == error.value.kind
    assert "it was ended, and its engine does not answer" in error.value.message
    assert container.closed


def test_a_worker_removes_what_an_earlier_one_of_its_name_left():
    """Those that it keeps itself stay."""
    fakes = Fakes()
    containers = Containers(fakes.start, ContainerSettings("unix:///nowhere", owner="lake/2/worker-1"))
    containers.of(claim("a")).id = "kept"
    left = {"lake/2/worker-1": ["kept", "left"], "lake/2": ["other"]}
    removed = []

    containers.remove_others(SimpleNamespace(leftovers=left.get, remove=removed.append))

    assert ["left"] == removed


def test_limits_and_user_are_those_of_the_spec():
    """Requests are no limits."""
    spec = {"resourceLimits": {"cpu": 0.5, "memory": "64Mi", "gpu": {"type": "nvidia.com/gpu", "number": 1}}}

    given = ContainerSettings("u", "none", "lake/run", read_only=True)
    found = settings_of(claim("a", transform={"user": "1234"}, **spec), given)
    free = settings_of(claim("a", resourceRequests={"memory": "64Mi"}), ContainerSettings("u"))

    assert Limits(0.5, 64 << 20, gpus=1) == found.limits
    assert ("1234", "none", {LABEL: "lake/run"}) == (found.user, found.network, dict(found.labels))
    assert Limits() == free.limits
    assert (True, False) == (found.read_only, free.read_only)


def test_what_a_killed_worker_left_of_its_containers_is_removed(tmp_path):
    """On disk and in memory, and nothing of another worker's."""
    work, other = tmp_path / "a", tmp_path / "b"
    for each in (work, other):
        each.mkdir()
    left = Rooms(work, engines.SHELL, [Mount("/s", {"k": b"v"})], in_memory=True)
    kept = Rooms(other, engines.SHELL)

    remove_leftovers(work)

    assert (False, False, True, True) == tuple(
        folder.exists() for rooms in (left, kept) for folder in (rooms.pfs, rooms.tools)
    )
    kept.close()


@pytest.fixture
def runner(host, tmp_path):
    """A runner with an engine, and nothing of a network."""
    made, numbers = [], itertools.count()

    def run(wanted, *words, env=PATH, timeout=PATIENCE_SECONDS):
        if not made:
            containers = Containers.at(ContainerSettings(host.address, "none", "lake/run"), tmp_path)
            made.append(Runner(lambda in_memory: Nest.start(tmp_path, []), containers))
        pfs = tmp_path / f"datum-{next(numbers)}"
        (pfs / "out").mkdir(parents=True)
        lines = []
        command = Command(words, pfs, env, cwd="", timeout=timeout, on_output=lines.append)
        return made[0].run(Held(wanted), command), lines

    yield run
    for each in made:
        each.close()


def test_files_of_secrets_are_there_for_the_command_alone(host, runner, tmp_path):
    """Not on the disk, not in what the engine tells of the container, and nowhere when it is gone."""
    value = b"a very secret value"
    wanted = claim(host.image, [ClaimSecret("/var/secret", {"token": value})])

    _, lines = runner(wanted, "sh", "-c", "cat /var/secret/token; echo; echo x > /var/secret/token")
    on_disk = [path for path in tmp_path.rglob("*") if path.is_file() and value in path.read_bytes()]
    [container] = host.engine.leftovers("lake/run")
    told = str(host.engine._api.inspect_container(container))

    assert value == lines[0]
    assert b"Read-only" in lines[1]
    assert [] == on_disk
    assert value.decode() not in told


def test_what_a_variable_says_is_in_no_description_of_the_container(host, runner):
    """The engine is not told of it."""
    _, lines = runner(claim(host.image), "sh", "-c", "echo $TOKEN", env={**PATH, "TOKEN": "very-secret"})

    [container] = host.engine.leftovers("lake/run")

    assert [b"very-secret"] == lines
    assert "very-secret" not in str(host.engine._api.inspect_container(container))


def test_a_command_without_memory_says_so(host, runner):
    """Though its container lives on, and runs the next command."""
    wanted = claim(host.image, resourceLimits={"memory": "32Mi"})

    outcome, _ = runner(wanted, "sh", "-c", "x=0123456789; while :; do x=$x$x$x$x; done")
    after, _ = runner(wanted, "true")

    assert outcome.out_of_memory or outcome.lost
    assert "memory" in Commands(wanted).judge(outcome)
    assert 0 == after.exit_code


def test_a_container_that_is_killed_from_outside_is_named_and_replaced(host, runner):
    """The command that ran in it failed, and says why."""
    wanted = claim(host.image)
    runner(wanted, "true")
    [container] = host.engine.leftovers("lake/run")
    killer = threading.Timer(0.3, host.engine.remove, [container])

    killer.start()
    outcome, _ = runner(wanted, "sleep", "60")
    killer.join()
    after, _ = runner(wanted, "true")

    assert outcome.lost
    assert "together with its container" in Commands(wanted).judge(outcome)
    assert 0 == after.exit_code


def test_a_port_of_the_worker_is_reached_from_within_a_container_without_a_network(host, tmp_path):
    """By the same number, as often as is asked: a gRPC server greets whoever connects with a frame of settings."""
    turns = Turns()
    server = NextDatumServer(turns)
    # Who says too soon that nothing more will come from them may not be greeted, and asks again.
    ask = f"busybox usleep 100000 | busybox nc 127.0.0.1 {server.port} | head -c 4 | busybox od -An -tu1"
    twice = f'until [ "$greeted" = xx ]; do line=$({ask}); [ -z "$line" ] || {{ echo $line; greeted=x$greeted; }}; done'
    lines = []

    with host.start(tmp_path) as container:
        command = Command(
            ("sh", "-c", twice), container.pfs, PATH, timeout=PATIENCE_SECONDS,
            on_output=lines.append, port=server.port,
        )  # fmt: skip
        outcome = container.run(command)
    turns.end()
    server.close()

    assert 0 == outcome.exit_code
    assert [b"4", b"4"] == [line.split()[3] for line in lines]
