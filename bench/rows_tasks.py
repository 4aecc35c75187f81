# SPDX-License-Identifier: Apache-2.0
"""The row of many small tasks beside programs that run tasks: all of them, one new input, and nothing to do.

The programs of others (`bench.runners`) work in a folder of their own, after each other; what they leave is synced.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from bench.data import small_content
from bench.figures import Figure, Row
from bench.ground import Ground, quiet, shell
from bench.pairs import timed
from bench.rows_pipelines import Opened, pipeline, put_files
from bench.runners import RUNNERS, Runner

__all__ = ["ROWS"]

_WAIT_SECONDS: Final = 600.0
_PHASES: Final = ("all of them", "one new input", "nothing to do")
_WHOLE_MAX: Final = 3.0  # times xargs


@dataclass
class Times:
    """The seconds of each phase, in its order, as often as it was done."""

    whole: list[float] = field(default_factory=list)
    one: list[float] = field(default_factory=list)
    none: list[float] = field(default_factory=list)

    @property
    def phases(self) -> tuple[list[float], ...]:
        """As `_PHASES` has them."""
        return self.whole, self.one, self.none


def tasks(ground: Ground) -> list[Figure]:
    """`wc -w` of each of so many files: howdah from the finish of a commit to the finished output."""
    rounds = 3 if ground.scale.name == "full" else 1
    ours = Times()
    for _ in range(rounds):
        _howdah(ground, ours)
    taking_part = [(runner, program) for runner in RUNNERS if (program := _program(ground, runner)) is not None]
    others = {runner.name: Times() for runner, _ in taking_part}
    for _ in range(rounds):
        for runner, program in taking_part:
            _other(ground, runner, program, others[runner.name])
    missing = [runner.name for runner in RUNNERS if runner.name not in others]
    return list(_figures(ours, taking_part, others, missing))


def _figures(
    ours: Times, taking_part: list[tuple[Runner, str]], others: dict[str, Times], missing: list[str]
) -> Iterator[Figure]:
    sides = [("howdah", ours), *((runner.label(program), others[runner.name]) for runner, program in taking_part)]
    for number, phase in enumerate(_PHASES):
        base = median(others["xargs"].phases[number]) if "xargs" in others else 0.0
        for label, times in sides:
            samples = times.phases[number]
            note = f"{median(samples) / base:.2f} times xargs" if base and times is not others.get("xargs") else ""
            bound = _WHOLE_MAX * base if base and times is ours and number == 0 else None
            yield Figure.of(samples, "s", label=f"{phase}: {label}", note=note, at_most=bound)
    if missing:
        note = f"not on this machine, and so not measured: {', '.join(missing)} (--peers installs them)"
        yield Figure("programs that are missing", len(missing), "", note=note)


def _program(ground: Ground, runner: Runner) -> str | None:
    if runner.program() is None and ground.peers:
        ground.say(f"installing {runner.name}")
        runner.install()
    return runner.program()


def _howdah(ground: Ground, times: Times) -> None:
    """A new lake with warm workers; then all, one more, and a commit that changes nothing."""
    count = ground.scale.datums
    with ground.fresh_lake("words") as lake, lake.client() as client:
        put_files(client, "words", [count + 1], 999)
        client.create_pipeline(pipeline("count", "words", "/*", 'wc -w < "$in" > "/pfs/out/${in##*/}"'))
        client.wait_commit("count@master", timeout=_WAIT_SECONDS)
        for numbers, samples in ((range(count), times.whole), ([count], times.one), ([], times.none)):
            with Opened(client, "words") as commit:
                if numbers:
                    put_files(client, commit.name, numbers, 0)
                quiet()
                samples.append(commit.finish_and_wait())
        if (files := len(list(client.list_files("count@master", "/")))) != count + 2:
            raise RuntimeError(f"{files} outputs instead of {count + 2}")


def _other(ground: Ground, runner: Runner, program: str, times: Times) -> None:
    count = ground.scale.datums
    folder = ground.place.fresh(runner.command)
    for name in ("in", "out"):
        (folder / name).mkdir(parents=True)
    runner.write(folder)
    for numbers, samples in ((range(count), times.whole), ([count], times.one), ([], times.none)):
        for number in numbers:
            (folder / "in" / f"{number:05d}").write_bytes(small_content(number))
        quiet()
        samples.append(timed(lambda: _went(runner, program, folder)))
    if (files := len(list((folder / "out").iterdir()))) != count + 1:
        raise RuntimeError(f"{runner.name} left {files} outputs instead of {count + 1}")
    shutil.rmtree(folder)


def _went(runner: Runner, program: str, folder: Path) -> None:
    runner.go(program, folder)
    shell("sync", folder)


ROWS = [
    Row(
        "tasks",
        "1,000 tasks `wc -w < in > out`, two at a time: all, one new input, nothing to do (xargs does all each time)",
        "xargs, GNU make, Luigi, Snakemake",
        tasks,
        long=True,
    ),
]
