# SPDX-License-Identifier: Apache-2.0
"""Programs of others that run tasks over files: how each is told to count the words of each file of a folder.

GNU make and `xargs` are on most machines; Luigi and Snakemake come from the package index, into an environment each
(`bench.peers`). Each works with two processes in a folder with `in`, and leaves a file in `out` for each there.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.peers import debian, environment, found, labelled, run

__all__ = ["RUNNERS", "Runner"]


@dataclass(frozen=True, slots=True)
class Runner:
    """A program. `write` makes what it is told by, once; `go` runs what is left to do; both get the folder.

    One that `resumes` does what is new alone; the other does everything again.
    """

    name: str
    command: str
    install: Callable[[], None]
    write: Callable[[Path], None]
    go: Callable[[str, Path], None]
    resumes: bool = True

    def program(self) -> str | None:
        """The path of the program; None if it is not on this machine."""
        return found(self.command)

    def label(self, program: str) -> str:
        """Its name with the version that is measured."""
        return labelled(self.name, program)


_MAKEFILE: Final = """\
IN := $(wildcard in/*)
all: $(patsubst in/%,out/%,$(IN))
out/%: in/%
\t@wc -w < $< > $@
"""

_SNAKEFILE: Final = """\
NAMES = glob_wildcards("in/{name}").name
rule all:
    input: expand("out/{name}", name=NAMES)
rule count:
    input: "in/{name}"
    output: "out/{name}"
    shell: "wc -w < {input} > {output}"
"""

_LUIGI: Final = """\
import os
import subprocess

import luigi


class Count(luigi.Task):
    name = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(f"out/{self.name}")

    def run(self):
        with open(f"in/{self.name}") as given, self.output().open("w") as made:
            made.write(subprocess.run(["wc", "-w"], stdin=given, capture_output=True, text=True, check=True).stdout)


class All(luigi.WrapperTask):
    def requires(self):
        return [Count(name=name) for name in sorted(os.listdir("in"))]
"""


def _there(_: Path) -> None:
    """Nothing is written for it."""


def _xargs(program: str, folder: Path) -> None:
    run("sh", "-c", f"ls in | {program} -P2 -I{{}} sh -c 'wc -w < in/{{}} > out/{{}}'", at=folder)


def _make(program: str, folder: Path) -> None:
    run(program, "-j2", "--silent", at=folder)


def _luigi(program: str, folder: Path) -> None:
    options = ("--module", "tasks", "All", "--local-scheduler", "--workers", "2", "--log-level", "WARNING")
    run(program, *options, at=folder, PYTHONPATH=str(folder))


def _snakemake(program: str, folder: Path) -> None:
    # What it caches for its user goes into the folder too.
    home = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / ".cache"), "PATH": _beside(program)}
    run(program, "--cores", "2", "--quiet", "all", at=folder, **home)


def _beside(program: str) -> str:
    """The path of commands, with those of a program's environment first."""
    return os.pathsep.join((str(Path(program).parent), os.environ.get("PATH", os.defpath)))


def _file(name: str, text: str, folder: Path) -> None:
    (folder / name).write_text(text)


def _is_here() -> None:
    if shutil.which("xargs") is None:
        debian("findutils")


RUNNERS: Final = (
    Runner("xargs", "xargs", _is_here, _there, _xargs, resumes=False),
    Runner("GNU make", "make", partial(debian, "make"), partial(_file, "Makefile", _MAKEFILE), _make),
    Runner("Luigi", "luigi", partial(environment, "luigi"), partial(_file, "tasks.py", _LUIGI), _luigi),
    Runner(
        "Snakemake", "snakemake", partial(environment, "snakemake"), partial(_file, "Snakefile", _SNAKEFILE), _snakemake
    ),
)
