# SPDX-License-Identifier: Apache-2.0
"""Kill, restart and check, over and over, on one lake with two writers, a changer and two workers at work.

One cycle is: start the server, check everything that was acknowledged, let the writers go on, kill at a named
failpoint or at a random moment, and see that nothing is left alive. `end` starts it once more, waits until all jobs
have ended, and compares all.
"""

import os
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from howdah.client import Client
from howdah.errors import Unavailable
from howdah.model.infos import Trigger
from tests.crash.changer import Changer, settle_churn
from tests.crash.checks import RELEASE, Checker
from tests.crash.ledger import Ledger, piece
from tests.crash.pipelines import USER_VARIABLE, WRITERS, specs
from tests.crash.servers import ALL, SERVER, STOP, WORKERS, CrashServer, KilledServer

REPOSITORY = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 60.0  # reached only when a writer hangs
DRAIN_SECONDS = 120.0
STARTS_KILLED = 2

LONGEST_RUN_SECONDS = 1.2  # from the moment at which writers go on
LONGEST_START_SECONDS = 2.5  # from the start of the server


@dataclass(frozen=True)
class Kill:
    """When and whom: at the nth time that a failpoint is reached, or so many seconds after start or go."""

    whom: str
    failpoint: str = ""
    nth: int = 1
    seconds: float = 0.0
    in_start: bool = False

    def __str__(self) -> str:
        if self.failpoint:
            return f"{self.whom} at {self.failpoint}:{self.nth}"
        return f"{self.whom} {self.seconds:.3f} s after {'start' if self.in_start else 'go'}"


class WriterProcess:
    """A client in a process of its own, which is never killed."""

    def __init__(self, folder: Path, repo: str, seed: int, through: bool) -> None:
        self.ledger = Ledger(folder / f"{repo}.ledger")
        command = ["--ledger", str(self.ledger.path), "--repo", repo, "--seed", str(seed)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.writer", *command, *(["--through"] if through else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def tell(self, command: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """The next answer, waited for."""
        return self._answers.get(timeout=ANSWER_SECONDS)

    def has_answered(self) -> bool:
        return not self._answers.empty()

    def close(self) -> None:
        with suppress(OSError):
            self._process.communicate(timeout=5)
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line.strip())
        self._answers.put("wrong: the writer has ended")


class Campaign:
    """A lake under attack. `say` takes a line for each kill. Use it in a `with` block: nothing is alive after it.

    `store` is the URL of its objects, which nobody attacks; a folder of the lake unless given.
    """

    def __init__(self, folder: Path, seed: int, say: Callable[[str], None], store: str = "") -> None:
        self._folder = folder
        self._store = store
        self._seed = seed
        self._random = random.Random(seed)
        self._say = say
        self._runs = 0
        self._name = f"{os.getpid()}-{seed}"
        self._user_mark = f"{USER_VARIABLE}={self._name}"
        self._server: CrashServer | None = None
        self._armed = False  # whether it stops at a failpoint, or its workers do
        self._going = False  # whether the writers are at work on that server
        self._writers: list[WriterProcess] = []
        self._changer: Changer | None = None

    def __enter__(self) -> "Campaign":
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.kill(ALL)
        for writer in self._writers:
            writer.close()

    def moments(self, count: int) -> Iterator[Kill]:
        """Random kills, always the same ones for one seed."""
        for _ in range(count):
            whom = self._random.choice((ALL, ALL, ALL, SERVER, SERVER, WORKERS, WORKERS, STOP))
            if whom in (ALL, SERVER) and self._random.random() < 0.15:
                yield Kill(whom, seconds=self._random.uniform(0.0, LONGEST_START_SECONDS), in_start=True)
            else:
                yield Kill(whom, seconds=self._random.uniform(0.0, LONGEST_RUN_SECONDS))

    def kill(self, kill: Kill) -> None:
        """One cycle. Raises AssertionError for whatever is not as it must be."""
        began = time.monotonic()
        try:
            reached = self._cycle(kill)
        except AssertionError as error:
            raise AssertionError(f"seed {self._seed}, cycle {self._runs}, {kill}: {error}") from error
        acknowledged = sum(writer.ledger.acknowledged for writer in self._writers)
        self._say(f"{kill}: {reached or 'killed'}; {acknowledged} acknowledged; {time.monotonic() - began:.2f} s")

    def end(self) -> int:
        """Restart, let all jobs end, compare everything; the number of output commits."""
        self._disarm()
        server = self._running()
        server.wait_ready()
        if self._going:
            for writer in self._writers:
                writer.tell("stop")
            answers = [writer.answer() for writer in self._writers]
            assert all(answer == "stopped" for answer in answers), answers
        self._leave_in_peace()
        with Client(server.address) as client:
            self._checker.settle(client)
            for repo, writer in zip(WRITERS, self._writers, strict=True):
                self._close_commits(client, repo, writer.ledger)
            settle_churn(client, self._user_mark)
            until = time.monotonic() + DRAIN_SECONDS
            while unfinished := self._checker.jobs(client):
                assert time.monotonic() < until, f"{unfinished} jobs have not ended within {DRAIN_SECONDS:g} s"
                time.sleep(0.05)
            self._checker.outputs(client)
            self._checker.churned(client)
            self._checker.everything(client)
            outputs = len(self._checker.right)
        server.kill(STOP)
        self._server = None
        return outputs

    def _close_commits(self, client: Client, repo: str, ledger: Ledger) -> None:
        """Finish what writers left open: jobs wait for it."""
        for branch, history in list(ledger.histories.items()):
            if history.is_open:
                ledger.append({"n": 0, "op": "finish", "branch": branch})
                client.finish_commit(f"{repo}@{branch}")
                ledger.append({"done": ""})

    def _set_up(self) -> None:
        for _ in range(STARTS_KILLED):  # while it makes the lake
            server = self._running()
            time.sleep(self._random.uniform(0.3, LONGEST_START_SECONDS / 2))
            server.kill(SERVER)
            self._server = None
        server = self._running()
        server.wait_ready()
        with Client(server.address) as client:
            for number, repo in enumerate(WRITERS):
                client.create_repo(repo)
                path = self._folder / f"{repo}.ledger"
                path.touch()
                self._writers.append(WriterProcess(self._folder, repo, self._seed + number, number == 1))
                put = {"n": 0, "op": "write", "branch": "master", "changes": [["put", "/keep", number, 10]]}
                for line in ({"branch": "side"}, {"branch": "master"}, put, {"done": ""}):
                    self._writers[-1].ledger.append(line)
                client.put_file(f"{repo}@master", "/keep", piece(number, 10))
                client.create_branch(f"{repo}@{RELEASE}", trigger=Trigger("master", commits=1))
            for spec in specs(self._user_mark):
                client.create_pipeline(spec)
        self._checker = Checker(dict(zip(WRITERS, [each.ledger for each in self._writers], strict=True)), self._seed)
        for writer in self._writers:
            assert writer.answer() == "waiting"

    def _running(self, failpoint: str = "") -> CrashServer:
        """The server that runs, or a new one."""
        if self._server is None:
            self._runs += 1
            name = f"{self._name}-{self._runs}"
            self._server = CrashServer(self._folder / "lake", name, self._user_mark, failpoint, self._store)
            self._going = False
            self._armed = bool(failpoint)
        return self._server

    def _disarm(self) -> None:
        """Have no server that outlived its failpoint: each worker that takes a killed one's place would stop at it."""
        if self._armed and self._server is not None:
            self._down(self._server, ALL)

    def _cycle(self, kill: Kill) -> str:
        self._disarm()
        if kill.failpoint and self._server is not None:  # it is armed when the process starts
            self._down(self._server, ALL)
        server = self._running(f"{kill.failpoint}:{kill.nth}" if kill.failpoint else "")
        killer = Killer(server, kill, self._writers)
        try:
            self._check_and_go(server)
            killer.went.set()
        except (KilledServer, Unavailable):
            if not server.killed.is_set():
                raise
        except BaseException:
            killer.over.set()
            raise
        killer.join()
        if server.killed.is_set():
            self._all_down()
        return killer.reached

    def _check_and_go(self, server: CrashServer) -> None:
        server.wait_ready()
        if self._going:
            return
        with Client(server.address) as client:
            self._checker.settle(client)
            self._checker.jobs(client)
            self._checker.outputs(client)
        for writer in self._writers:
            writer.tell(f"go {server.address}")
        self._changer = Changer(server.address, self._random.randrange(1 << 32), self._user_mark)
        self._going = True

    def _down(self, server: CrashServer, whom: str) -> None:
        server.kill(whom)
        self._all_down()

    def _all_down(self) -> None:
        """The server is dead: the writers notice, and wait."""
        self._server = None
        if self._going:
            self._going = False
            answers = [writer.answer() for writer in self._writers]
            assert all(answer.startswith("down") for answer in answers), answers
        self._leave_in_peace()

    def _leave_in_peace(self) -> None:
        changer, self._changer = self._changer, None
        if changer is not None:
            changer.end()


class Killer(threading.Thread):
    """Kills when it is time. `join` raises what it found."""

    def __init__(self, server: CrashServer, kill: Kill, writers: list[WriterProcess]) -> None:
        super().__init__(daemon=True)
        self.went = threading.Event()
        self.over = threading.Event()
        self.reached = ""
        self._server = server
        self._kill = kill
        self._writers = writers
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Wait for the moment or the failpoint, then kill."""
        try:
            if self._kill.failpoint:
                self.reached = self._server.wait_for_failpoint(self.over)
            else:
                if not self._kill.in_start:
                    self.went.wait()
                self.over.wait(self._kill.seconds)
            answers = [writer.answer() for writer in self._writers if writer.has_answered()]
            self._server.kill(self._kill.whom)
            assert not answers, f"writers gave up while the server was alive: {answers}"
        except BaseException as error:
            self._error = error
            self._server.kill(ALL)

    def join(self, timeout: float | None = None) -> None:
        """Return when the kill is done."""
        super().join(timeout)
        if self._error is not None:
            raise self._error
