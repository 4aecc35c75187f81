# SPDX-License-Identifier: Apache-2.0
"""Rows about containers: what a command costs in one that is warm, beside bare processes and the engine's own ways.

They run on engines of their own, which are started for them and want root. The image has a static shell of this
machine in it, the same program that the bare command runs. An engine that is not here has no figures.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.figures import Figure, Row
from bench.ground import Ground, quiet
from bench.lakes import Lake, memory_of
from bench.pairs import timed
from bench.rows_pipelines import Opened, pipeline, put_files
from howdah.client import Client
from howdah.engine import Engine, Settings
from howdah.worker.container import Container
from howdah.worker.nest import Command
from tools import engines

__all__ = ["ROWS"]

_WARM: Final = 100  # of each command
_BY_ENGINE: Final = 10  # of what the engine's own program takes a tenth of a second and more for
_STARTS: Final = 5
_IDLE_SECONDS: Final = 3.0  # what starting leaves behind is given back by then
_COPY: Final = 'cp "$PFS/in/a" "$PFS/out/a"'
_COMMANDS: Final = {"true": ("busybox", "true"), "a copy by a shell": ("busybox", "sh", "-c", _COPY)}
_WAIT_SECONDS: Final = 600.0
_MS: Final = 1000.0
_OVERHEAD_MS: Final = 10.0


def commands(ground: Ground) -> list[Figure]:
    """A bare command and one in a warm container by turns, then the same by the engine's own program."""
    figures: list[Figure] = []
    with _engine("docker") as (address, image):
        work = ground.place.fresh("containers")
        work.mkdir()
        with Engine(address) as engine:
            starts = [_start(engine, image, work) for _ in range(_STARTS)]
            with Container.start(engine, Settings(image, network="none"), work) as container:
                for name, words in _COMMANDS.items():
                    figures += _beside_bare(name, container, words, work)
        figures += _by_engine(address, image, work)
        figures.append(Figure.of(starts, "s", label="a container started, a command run, and removed", at_most=1))
    if not engines.missing_for("podman"):
        with (
            _engine("podman") as (address, image),
            Engine(address) as engine,
            Container.start(engine, Settings(image, network="none"), work) as container,
        ):
            for name, words in _COMMANDS.items():
                figures += _beside_bare(f"{name}, by Podman", container, words, work)
    ground.place.away(work)
    return figures


def datums(ground: Ground) -> list[Figure]:
    """The same pipeline in a container and as a process, by turns on one worker; then ten images by turns."""
    count = ground.scale.contained
    with _engine("docker") as (address, image):
        images = [_another(address, number) for number in range(10)]
        root = ground.place.fresh("lake")
        options = ("--engine", address, "--container-network", "none")
        with Lake.running(root, *options) as lake, lake.client() as client:
            time.sleep(_IDLE_SECONDS)
            idle = Figure(
                "memory of the idle server, which has found the engine", memory_of(lake.pid) / 1e6, "MB", at_most=200
            )
            figures = [idle, *_pipelines(client, image, count), *_by_turns(client, images)]
    shutil.rmtree(root)
    return figures


def _pipelines(client: Client, image: str, count: int) -> list[Figure]:
    """From the finish of a commit of new files to its finished output, for each datum."""
    for name, more in (("process", {}), ("container", {"image": image})):
        client.create_repo(f"{name}-in")
        put_files(client, f"{name}-in", [0], 0)
        _create(client, name, f"{name}-in", more)

    def one(name: str, number: int) -> float:
        with Opened(client, f"{name}-in") as commit:
            put_files(client, commit.name, range(count), number + 1)
            quiet()
            return commit.finish_and_wait() / count * _MS

    both = [(one("process", number), one("container", number)) for number in range(_STARTS)]
    bare, contained = zip(*both, strict=True)
    beyond = [right - left for left, right in both]
    label = "a datum in a container beyond one as a process"
    return [
        Figure.of(bare, "ms", label=f"{count} datums by one worker as processes, each"),
        Figure.of(contained, "ms", label="in a container, each"),
        Figure.of(beyond, "ms", label=label, at_most=_OVERHEAD_MS),
    ]


def _by_turns(client: Client, images: Sequence[str]) -> list[Figure]:
    """Each commit is one datum of each of ten pipelines: ten containers are wanted, and two workers keep two each."""
    client.create_repo("turns")
    put_files(client, "turns", [0], 0)
    for number, image in enumerate(images):
        _create(client, f"turn-{number}", "turns", {"image": image})
    samples = []
    for number in range(_STARTS):
        with Opened(client, "turns") as commit:
            put_files(client, commit.name, [0], number + 1)
            quiet()
            samples.append(commit.finish_and_wait())
    return [Figure.of(samples, "s", label="one datum of each of ten pipelines, each in an image of its own")]


def _create(client: Client, name: str, repo: str, more: dict[str, Any]) -> None:
    """A pipeline by one worker; it has run once when this returns."""
    spec = pipeline(name, repo, "/*", 'cp "$in" /pfs/out/')
    spec["transform"] |= more
    spec["parallelism_spec"] = {"constant": 1}
    client.create_pipeline(spec)
    client.wait_commit(f"{name}@master", timeout=_WAIT_SECONDS)


def _beside_bare(name: str, container: Container, words: Sequence[str], work: Path) -> list[Figure]:
    """The same command here and in there by turns; the difference of each pair is what containers cost."""
    folder = Path(tempfile.mkdtemp(dir=work))
    for each in ("in", "out"):
        (folder / each).mkdir()
    (folder / "in" / "a").write_text("a datum\n")
    env = {"PATH": os.environ["PATH"]}

    def bare() -> float:
        return timed(lambda: subprocess.run(words, env=env | {"PFS": str(folder)}, check=True)) * _MS

    def warm() -> float:
        begin = time.perf_counter()
        outcome = container.run(Command(tuple(words), folder, {"PATH": "/bin"}))
        if outcome.exit_code:
            raise RuntimeError(f"{words} ended with {outcome.exit_code} in its container: {outcome.error}")
        return (time.perf_counter() - begin) * _MS

    bare(), warm()
    pairs = [(bare(), warm()) for _ in range(_WARM)]
    beyond = [there - here for here, there in pairs]
    here, there = (statistics.median(side) for side in zip(*pairs, strict=True))
    note = f"{there:.1f} ms beside {here:.1f} ms as a bare process"
    return [Figure.of(beyond, "ms", label=f"{name}, beyond the bare process", at_most=_OVERHEAD_MS, note=note)]


def _by_engine(address: str, image: str, work: Path) -> list[Figure]:
    """What users of the engine type: into a container that runs, and a container for each command."""
    folder = Path(tempfile.mkdtemp(dir=work))
    for each in ("in", "out"):
        (folder / each).mkdir()
    (folder / "in" / "a").write_text("a datum\n")
    options = ["--network", "none", "-v", f"{folder}:/pfs", "-e", "PFS=/pfs"]
    docker = _docker(address)
    kept = docker("run", "-d", *options, image, "busybox", "sleep", "100000").strip()
    figures = []
    for name, words in _COMMANDS.items():
        ways = {
            "`docker exec`": ("exec", kept, *words),
            "`docker run --rm`": ("run", "--rm", *options, image, *words),
        }
        for way, typed in ways.items():
            samples = [timed(partial(docker, *typed)) * _MS for _ in range(_BY_ENGINE)]
            figures.append(Figure.of(samples, "ms", label=f"{name} by {way}"))
    docker("rm", "-f", kept)
    return figures


def _start(engine: Engine, image: str, work: Path) -> float:
    folder = Path(tempfile.mkdtemp(dir=work))
    begin = time.perf_counter()
    with Container.start(engine, Settings(image, network="none"), work) as container:
        container.run(Command(("busybox", "true"), folder, {"PATH": "/bin"}))
    return time.perf_counter() - begin


def _docker(address: str) -> Callable[..., str]:
    def run(*words: str) -> str:
        return subprocess.run(["docker", "-H", address, *words], check=True, capture_output=True, text=True).stdout

    return run


def _another(address: str, number: int) -> str:
    """An image like the others, with a file that they have not."""
    return engines.build(address, f"turn-{number}", engines.with_shell(number=str(number).encode()))


@contextmanager
def _engine(name: str) -> Iterator[tuple[str, str]]:
    """The address of an engine of our own, and an image in it.

    Raises:
        RuntimeError: it cannot run here.
    """
    if missing := "root" if os.geteuid() != 0 else engines.missing_for(name):
        raise RuntimeError(f"{name} cannot run here without {missing}")
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-"))  # short: a socket's path has 107 bytes
    with engines.running(name, folder) as address:
        yield address, engines.build(address, "shell", engines.with_shell())


ROWS = [
    Row(
        "container", "one small command in a warm container", "the bare process, `docker exec`, `docker run`", commands
    ),
    Row("container-datums", "datums in containers, end to end", "the same pipeline as processes", datums),
]
