# SPDX-License-Identifier: Apache-2.0
"""Rows about containers: what one adds to a command, beside what Docker's own ways to run it add; whole datums in both.

A Docker daemon of our own is started for them, which needs root and the packages docker.io and busybox-static.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.figures import Figure, Row, quantile
from bench.ground import Ground, quiet
from bench.lakes import memory_of
from bench.pairs import timed
from bench.rows_pipelines import put_files
from howdah.client import Client
from howdah.engine import Settings
from howdah.engine.engine import Engine
from howdah.worker.container import Container
from howdah.worker.nest import Command
from tools import engines

__all__ = ["ROWS"]

_TIMES = 50
_STARTS = 10
_DOCKER_RUNS = 10
_WAIT_SECONDS = 600.0
_SCRIPT = 'wc -w < "$in" > "$OUT/count"'
_DATUM = 'wc -w < "$in" > "/pfs/out/${in##*/}"'
_PATH = "/usr/bin:/bin"


@contextmanager
def _docker(ground: Ground) -> Iterator[tuple[str, str]]:
    """The address of a daemon, and an image with a shell."""
    if missing := engines.missing_for("docker") or ("root" if os.geteuid() else ""):
        raise RuntimeError(f"Docker cannot run here without {missing}")
    ground.say("starting a Docker daemon")
    with engines.running("docker", Path(tempfile.mkdtemp(prefix="docker-"))) as address:
        yield address, engines.build(address, "shell", engines.with_shell())


def command(ground: Ground) -> list[Figure]:
    """One small command: bare, in a warm container, by `docker exec`, by `docker run`; by turns."""
    with _docker(ground) as (address, image), Engine(address) as engine:
        work = ground.place.fresh("containers")
        work.mkdir(parents=True)
        settings = Settings(image, network="none")
        starts = [_start(engine, settings, work) for _ in range(_STARTS)]
        with Container.start(engine, settings, work) as container, _sleeping(address, image, work) as name:
            ways = _ways(container, address, image, work, name)
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            for number in range(_TIMES):
                for way, run in ways.items():
                    if way != "docker run --rm" or number < _DOCKER_RUNS:
                        seconds[way].append(timed(run))
        ground.place.away(work)
    bare = quantile(seconds["bare"], 0.5)
    added = {way: [each - bare for each in taken] for way, taken in seconds.items() if way != "bare"}
    return [
        Figure.of(
            [each * 1000 for each in added.pop("howdah")],
            "ms",
            label="a warm container adds",
            at_most=10,
            note=f"to {bare * 1000:.1f} ms of the bare command",
        ),
        *(Figure.of([each * 1000 for each in taken], "ms", label=f"{way} adds") for way, taken in added.items()),
        Figure.of(starts, "s", label="start of a container, until its first command has run", at_most=1),
    ]


def _ways(container: Container, address: str, image: str, work: Path, name: str) -> dict[str, Callable[[], object]]:
    """The same command on the same files in each way."""
    docker = ["docker", "-H", address]
    env = {"PATH": _PATH, "in": "/pfs/in/a", "OUT": "/pfs/out"}
    given = [word for each, value in env.items() for word in ("-e", f"{each}={value}")]
    folders = {way: _folder(work / way) for way in ("bare", "howdah", "run")}
    mounted = ["-v", f"{folders['run']}:/pfs"]
    here = {**env, "in": str(folders["bare"] / "in/a"), "OUT": str(folders["bare"] / "out")}
    words = ("sh", "-c", _SCRIPT)

    def by(words: list[str], env: dict[str, str] | None = None) -> Callable[[], object]:
        return lambda: subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)

    def howdah() -> None:
        outcome = container.run(Command(words, folders["howdah"], env, timeout=60.0))
        assert outcome.exit_code == 0, outcome

    return {
        "bare": by(["/bin/busybox", *words], here),
        "howdah": howdah,
        "docker exec": by([*docker, "exec", *given, name, *words]),
        "docker run --rm": by([*docker, "run", "--rm", "--network", "none", *given, *mounted, image, *words]),
    }


def _folder(folder: Path) -> Path:
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    (folder / "in/a").write_text("the words of a small file\n" * 20)
    return folder


@contextmanager
def _sleeping(address: str, image: str, work: Path) -> Iterator[str]:
    """A container for `docker exec`, with a folder as `/pfs`; its name."""
    docker = ["docker", "-H", address]
    begin = [*docker, "run", "-d", "--name", "beside", "--network", "none", "-v", f"{_folder(work / 'exec')}:/pfs"]
    subprocess.run([*begin, image, "sleep", "100000"], check=True, stdout=subprocess.DEVNULL)
    try:
        yield "beside"
    finally:
        subprocess.run([*docker, "rm", "-f", "beside"], check=True, stdout=subprocess.DEVNULL)


def _start(engine: Engine, settings: Settings, work: Path) -> float:
    """The seconds of a container's start with a first command; its end is not measured."""
    held: list[Container] = []
    folder = _folder(Path(tempfile.mkdtemp(dir=work)))

    def begin() -> None:
        held.append(Container.start(engine, settings, work))
        held[0].run(Command(("true",), folder, {"PATH": _PATH}, timeout=60.0))

    seconds = timed(begin)
    held[0].close()
    return seconds


def datums(ground: Ground) -> list[Figure]:
    """Whole datums of a pipeline, in processes and in containers of one server; and a server that has an engine."""
    count = ground.scale.datums
    seconds: dict[str, float] = {}
    with (
        _docker(ground) as (address, image),
        _engine_named(address),
        ground.fresh_lake("words") as lake,
        lake.client() as client,
    ):
        idle = memory_of(lake.pid)
        for name, transform in {"processes": {}, "containers": {"image": image}}.items():
            seconds[name] = _job(client, name, count, {"cmd": ["sh", "-c", _DATUM], **transform})
            client.delete_pipeline(name)
    each = {name: taken / count * 1000 for name, taken in seconds.items()}
    return [
        Figure(
            "a datum costs more in a container than in a process",
            each["containers"] - each["processes"],
            "ms",
            at_most=10,
            note=f"{each['containers']:.2f} ms beside {each['processes']:.2f} ms",
        ),
        Figure("memory of the idle server, which has found the engine", idle / 1e6, "MB", at_most=200),
    ]


@contextmanager
def _engine_named(address: str) -> Iterator[None]:
    """Servers that are started meanwhile use this engine; it has no bridge."""
    os.environ.update({"HOWDAH_ENGINE": address, "HOWDAH_CONTAINER_NETWORK": "none"})
    try:
        yield
    finally:
        for name in ("HOWDAH_ENGINE", "HOWDAH_CONTAINER_NETWORK"):
            with suppress(KeyError):
                del os.environ[name]


def _job(client: Client, name: str, count: int, transform: dict[str, Any]) -> float:
    """The seconds of a job of so many small datums, whose containers are up."""
    spec = {
        "pipeline": {"name": name},
        "transform": transform,
        "input": {"pfs": {"repo": "words", "glob": "/*", "name": "in"}},
    }
    client.create_pipeline(spec)
    put_files(client, "words@master", range(2), len(name))
    client.wait_commit(f"{name}@master", timeout=_WAIT_SECONDS)
    quiet()
    put_files(client, "words@master", range(count), len(name) + 1)
    client.wait_commit(f"{name}@master", timeout=_WAIT_SECONDS)
    job = next(client.list_jobs(name))
    assert job.processed == count, job
    assert job.took is not None
    return job.took.total_seconds()


ROWS = [
    Row(
        "container",
        "`wc -w < in > out` in a container that is up; container start",
        "`docker exec`, `docker run --rm` of the same",
        command,
    ),
    Row("container-datums", "1,000 datums `wc -w < in > out` in containers", "the same in processes", datums),
]
