# SPDX-License-Identifier: Apache-2.0
"""Pages of `docs/` typed into a shell, from first line to last, on a fresh lake: the one way examples are tried.

Three kinds of fenced blocks are run, all in one shell, so that later ones see what earlier ones did:

    console   lines after `$ ` (and after `> `, which continue them) are typed; what follows is what they print
    sh        typed as it stands; each command must succeed
    python    given to Python; a `text` block right behind it is what it prints

Ids, ages, times and spans differ in each run: an id of a page stands for one id of the run, the others for any of
their kind. `…` stands for any text on its line, alone on a line for any lines. A command may fail only where
the page shows an error (`howdah: …`). Another kind of block is not run.

An example (`examples/x/README.md`) is a page too. It is typed in a copy of its folder; user code's `python3` is the one
that runs this. A page that says that it needs a container engine is run with one.

`python -m tests.docs.pages docs/repos.md …` runs pages and writes into them what was really printed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from howdah.client import Client
from howdah.server.executions import PROCESSES, ExecutionSettings
from howdah.testing.server import running_server
from tests.storage.buckets import S3Server
from tools import engines
from tools.moto_server import KEYS, moto_server

GRPC: Final = "127.0.0.1:30650"
HTTP: Final = "127.0.0.1:1600"
HOME: Final = "/home/ana"
BUCKET: Final = "s3://lakes"
NEEDS_ENGINE: Final = "needs a container engine"

_SECONDS: Final = 600.0  # for a page; reached only when something hangs
_DONE: Final = "typed-in-done:"
_FENCE: Final = re.compile(
    r"^```(console|sh|python)\n(.*?)^```\n(?:\n?^```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE
)
# After a second a command says what it waits for, or how far it is; how long things take is nothing that a page says.
_NOTE: Final = re.compile(r"^(waiting for .*|(putting|getting) .* in \d.*)\n", re.MULTILINE)
_ID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_VARIES: Final = (
    (_ID, "ID"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC|\+00:00)?"), "TIME"),
    (re.compile(r"\bnow\b|\b\d+ (second|minute)s? ago\b"), "AGE"),
    (re.compile(r"\b(\d+m)?\d+(\.\d+)?(e-\d+)?s\b"), "SPAN"),
    (re.compile(r"[ \t]+"), " "),
)


@dataclass(frozen=True)
class Step:
    """One thing that is typed, and what a page says it prints; None where the page does not say."""

    kind: str
    typed: str
    expected: str | None

    @property
    def script(self) -> str:
        """What the shell is given for it."""
        if self.kind == "python":
            return f"python - <<'END-OF-PYTHON'\n{self.typed}END-OF-PYTHON"
        if self.kind == "sh":  # `set -e` would end the shell
            return f"failed=0; trap 'failed=$?' ERR\n{self.typed}trap - ERR; (exit $failed)"
        return self.typed


@dataclass(frozen=True)
class Wrong:
    """A step that did not do what its page says."""

    typed: str
    expected: str | None
    printed: str
    code: int


class Shell:
    """A bash in which pages are typed. Its output and its errors are one stream, as on a terminal."""

    def __init__(
        self, folder: Path, variables: Mapping[str, str], replaced: Mapping[str, str], cwd: Path | None = None
    ) -> None:
        """Start it in a folder, which is its home, or in `cwd`; `replaced` says what words of pages are called here."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HOWDAH_")}
        self._replaced = {**replaced, HOME: str(folder)}
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=cwd or folder,
            env={**kept, "HOME": str(folder), "PATH": path, "LC_ALL": "C.UTF-8", **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._timer = threading.Timer(_SECONDS, self._process.kill)
        self._timer.start()

    def run(self, typed: str) -> tuple[int, str]:
        """The exit code of what is typed, and what it prints."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for word, here in self._replaced.items():
            typed = typed.replace(word, here)
        typed = typed.rstrip("\n")
        self._process.stdin.write(f"{{ {typed}\n}} < /dev/null\nprintf '\\n{_DONE}%s\\n' $?\n")
        self._process.stdin.flush()
        printed: list[str] = []
        for line in self._process.stdout:
            if line.startswith(_DONE):
                return int(line.removeprefix(_DONE)), self._as_in_pages("".join(printed)[:-1])
            printed.append(line)
        raise AssertionError(f"the shell ended or hung at {typed!r}: {''.join(printed)}")

    def close(self) -> None:
        """End it, and what it has started in the background."""
        assert self._process.stdin is not None
        self._timer.cancel()
        self._process.stdin.close()
        self._process.wait(_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _as_in_pages(self, text: str) -> str:
        for word, here in self._replaced.items():
            text = text.replace(here, word) if here else text
        return _NOTE.sub("", text)


@dataclass
class Page:
    """A page while it is run: which ids of it stand for which of the run."""

    text: str
    ids: dict[str, str] = field(default_factory=dict)

    def run(self, shell: Shell) -> tuple[list[Wrong], str]:
        """Type it in: what went wrong, and the page with what was really printed."""
        wrong: list[Wrong] = []
        written, at = [], 0
        for fence in _FENCE.finditer(self.text):
            steps = list(steps_of(*fence.groups()))
            printed = []
            for step in steps:
                found = self._try(shell, step)
                wrong += [found] if found else []
                printed.append(found.printed if found and step.expected is not None else step.expected or "")
            written += [self.text[at : fence.start()], fence_of(fence.group(1), steps, printed)]
            at = fence.end()
        return wrong, "".join([*written, self.text[at:]])

    def _try(self, shell: Shell, step: Step) -> Wrong | None:
        typed = _ID.sub(lambda found: self.ids.get(found.group(), found.group()), step.script)
        code, printed = shell.run(typed)
        may_fail = step.expected is not None and re.search(r"^howdah: ", step.expected, re.MULTILINE)
        if step.expected is None:
            return Wrong(step.typed, None, printed, code) if code else None
        if (bool(code) and not may_fail) or not like(step.expected, printed) or not self._same_ids(step, printed):
            return Wrong(step.typed, step.expected, self._in_the_pages_ids(printed), code)
        return None

    def _same_ids(self, step: Step, printed: str) -> bool:
        ours, theirs = _ID.findall(step.expected or ""), _ID.findall(printed)
        if len(ours) != len(theirs):  # a wildcard stands for some
            return True
        return all(self.ids.setdefault(one, other) == other for one, other in zip(ours, theirs, strict=True))

    def _in_the_pages_ids(self, printed: str) -> str:
        back = {here: there for there, here in self.ids.items()}
        for new in _ID.findall(printed):
            back.setdefault(new, new)
            self.ids.setdefault(back[new], new)
        return _ID.sub(lambda found: back[found.group()], printed)


def steps_of(kind: str, block: str, shown: str | None) -> Iterator[Step]:
    """What is typed in a block."""
    if kind != "console":
        yield Step(kind, block, shown)
    else:
        for each in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = each.splitlines(keepends=True)
            more = next((n for n, line in enumerate(lines) if n and not line.startswith("> ")), len(lines))
            typed = lines[0] + "".join(line.removeprefix("> ") for line in lines[1:more])
            yield Step(kind, typed, "".join(lines[more:]))


def fence_of(kind: str, steps: Sequence[Step], printed: Sequence[str]) -> str:
    """A block as it stands in a page."""
    if kind == "console":
        typed = [step.typed.rstrip("\n").replace("\n", "\n> ") for step in steps]
        body = "".join(f"$ {one}\n{ended(text)}" for one, text in zip(typed, printed, strict=True))
        return f"```console\n{body}```\n"
    shown = "" if steps[0].expected is None else f"\n```text\n{ended(printed[0])}```\n"
    return f"```{kind}\n{steps[0].typed}```\n{shown}"


def ended(text: str) -> str:
    """A text whose last line has an end."""
    return text if not text or text.endswith("\n") else text + "\n"


def like(expected: str, printed: str) -> bool:
    """Whether something printed is what a page says, but for what differs in each run."""
    wanted = [re.escape(line).replace("…", ".*") for line in plain(expected)]
    pattern = "".join(r"(?:.*\n)*" if line == ".*" else line + r"\n" for line in wanted)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in plain(printed))) is not None


def plain(text: str) -> list[str]:
    """Lines without what differs in each run."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return [line.strip() for line in text.rstrip("\n").split("\n")] if text.strip() else []


@contextmanager
def fresh(folder: Path, path: Path, engine: str, image: str) -> Iterator[Shell]:
    """A shell with a server of its own, which has workers if the page makes a pipeline; and the bucket `s3://lakes`.

    With an `engine` pipelines run in containers if they name an image, or in `image` unless they do.
    """
    text = path.read_text()
    workers = 2 if "create pipeline" in text or "create_pipeline" in text else 0
    home = folder / "home"
    home.mkdir()
    cwd = copied(path.parent, home) if path.parent.parent.name == "examples" else home
    execution = ExecutionSettings(engine=engine, network="none") if engine else PROCESSES
    with running_server(folder / "lake", workers=workers, execution=execution) as server, ExitStack() as stack:
        variables = {"HOWDAH_ADDRESS": server.grpc_address, "DOCKER_HOST": engine}
        if image:
            with Client(server.grpc_address) as client:
                client.set_defaults({"createPipelineRequest": {"transform": {"image": image}}})
        if BUCKET in text:
            variables |= {**KEYS, "AWS_ENDPOINT_URL": stack.enter_context(moto_server())}
            name = BUCKET.removeprefix("s3://")
            S3Server(variables["AWS_ENDPOINT_URL"], KEYS).client().create_bucket(Bucket=name)
        here = {GRPC: server.grpc_address, HTTP: server.http_address.removeprefix("http://")}
        shell = Shell(home, variables, here, cwd)
        try:
            yield shell
        finally:
            shell.close()


def copied(example: Path, home: Path) -> Path:
    """A copy of an example's folder, where what it takes from the checkout is found as in the checkout."""
    copy = Path(shutil.copytree(example, home / "examples" / example.name))
    for name in ("LICENSE", "examples/roots.py"):
        (home / name).symlink_to(example.resolve().parents[1] / name)
    return copy


def run_page(path: Path, folder: Path, *, engine: str = "", image: str = "") -> tuple[list[Wrong], str]:
    """Run a page on a fresh lake: what went wrong, and the page with what was really printed."""
    with fresh(folder, path, engine, image) as shell:
        return Page(path.read_text()).run(shell)


def main(names: Sequence[str], say: Callable[[str], object] = sys.stdout.write) -> None:
    """Run pages, and write into them what was printed."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # user code's, too
    for path in map(Path, names):
        with TemporaryDirectory() as folder, ExitStack() as stack:
            engine = ""
            if NEEDS_ENGINE in path.read_text():
                engine = stack.enter_context(engines.running("docker", Path(tempfile.mkdtemp(prefix="docker-"))))
            wrong, text = run_page(path, Path(folder), engine=engine)
        path.write_text(text)
        for each in wrong:
            say(f"{path}: ({each.code}) $ {each.typed}{each.printed}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
