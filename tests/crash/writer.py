# SPDX-License-Identifier: Apache-2.0
"""A client at work: puts, appends, copies, deletes, commits, squashes, drops until its server is gone; then it waits.

Commands come by standard input: `go ADDRESS`, `stop`, and its end. Answers go to standard output: `waiting` once,
`down` and why when the server is gone, `stopped`, or `wrong` and what no client may see. While the server is gone,
whoever checks writes into the ledger what became of the pending operation.
"""

import argparse
import random
import sys
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from howdah.client import Client
from howdah.client.commits import Commits
from howdah.errors import HowdahError, Unavailable
from howdah.model.states import is_terminal
from tests.crash.ledger import Ledger, content_bytes

SIDE, MASTER = "side", "master"
NAMES = ("/a", "/b", "/c", "/d/x", "/d/y", "/e/f/z")
SIZES = (0, 1, 40, 3_000, 70_000, 300_000, 1_500_000)
KEPT_MIN = 4  # commits of the side branch below which none is removed
OPEN_JOBS_MAX = 3  # of this writer's pipeline: more would only make the end longer


class Writer:
    """One branch feeds a pipeline, another does not; one commit of either is open at most."""

    def __init__(self, ledger: Ledger, repo: str, seed: int, direct: bool) -> None:
        self._ledger = ledger
        self._repo = repo
        self._random = random.Random(seed)
        self._direct = direct
        self._count = 0

    def work(self, address: str, commands: "SimpleQueue[str]") -> str:
        """Operations one after the other; why it ended."""
        with Client(address, direct=None if self._direct else False) as client:
            while True:
                try:
                    command = commands.get(timeout=self._random.choice((0.001, 0.01, 0.05)))
                except Empty:
                    try:
                        self._one(client)
                    except Unavailable as error:
                        return f"down {error.kind}"
                else:
                    assert command.split() == ["stop"]
                    return "stopped"

    def _one(self, client: Client) -> None:
        branch = self._random.choice((SIDE, SIDE, MASTER))
        history = self._ledger.histories[branch]
        if history.is_open:
            often = 30 if branch == SIDE else 2  # so many that changes of one commit are merged meanwhile
            kind = self._random.choice(("finish", *["write"] * often))
        else:
            kind = self._random.choice(("write", "start"))
        if branch == MASTER and kind in ("write", "finish", "start") and self._has_enough(client):
            branch, history = SIDE, self._ledger.histories[SIDE]
            kind = "write"
        self._count += 1
        operation: dict[str, Any] = {"n": self._count, "op": kind, "branch": branch}
        if branch == SIDE and len(history.versions) > KEPT_MIN and self._random.random() < 0.1:
            finished = len(history.versions) - history.is_open
            operation |= self._random.choice(
                ({"op": "drop"}, {"op": "squash", "at": self._random.randrange(finished - 1)})
            )
            kind = operation["op"]
        if kind == "write":
            operation["changes"] = self._changes(set(history.files))
        self._ledger.append(operation)
        self._ledger.append({"done": self._do(client, operation)})

    def _has_enough(self, client: Client) -> bool:
        jobs = client.list_jobs(f"p{self._repo}", number=OPEN_JOBS_MAX)
        return sum(not is_terminal(job.state) for job in jobs) >= OPEN_JOBS_MAX

    def _do(self, client: Client, operation: dict[str, Any]) -> str:
        target = f"{self._repo}@{operation['branch']}"
        if operation["op"] in ("start", "finish"):
            if self._random.random() < 0.5:
                return self._start_or_finish(client, operation["op"], target)
            with client.transaction() as together:
                return self._start_or_finish(together, operation["op"], target)
        if operation["op"] == "drop":
            client.drop_commit(target)
            return ""
        if operation["op"] == "squash":
            above = len(self._ledger.histories[operation["branch"]].versions) - 1 - operation["at"]
            client.squash_commit(f"{target}~{above}")
            return ""
        with client.modify(target) as stream:
            for kind, path, *rest in operation["changes"]:
                if kind in ("put", "append"):
                    stream.put(path, content_bytes(((rest[0], rest[1]),)), append=kind == "append")
                elif kind == "copy":
                    stream.copy(f"{target}:{rest[0]}", path)
                else:
                    stream.delete(path)
        return ""

    def _start_or_finish(self, client: Commits, operation: str, target: str) -> str:
        if operation == "start":
            return client.start_commit(target).id
        client.finish_commit(target)
        return ""

    def _changes(self, present: set[str]) -> list[list[Any]]:
        """Several changes in one stream; of copies the sources are files that the branch has, and that stay."""
        changes: list[list[Any]] = []
        free = self._random.sample(NAMES, self._random.randint(1, 4))
        for path in free:
            sources = sorted(present - set(free))
            kind = self._random.choice(("put", "put", "append", "delete", "copy" if sources else "put"))
            if kind in ("put", "append"):
                changes.append([kind, path, self._random.getrandbits(32), self._random.choice(SIZES)])
            elif kind == "copy":
                changes.append([kind, path, self._random.choice(sources)])
            else:
                changes.append([kind, path])
        return changes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--repo", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--through", action="store_true")
    options = parser.parse_args()
    ledger = Ledger(options.ledger)
    ledger.update()
    writer = Writer(ledger, options.repo, options.seed, not options.through)
    commands: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=listen, args=(commands,), daemon=True).start()
    answer("waiting")
    while line := commands.get():
        ledger.update()
        try:
            answer(writer.work(line.split()[1], commands))
        except HowdahError as error:
            answer(f"wrong {error.kind}: {error.message}; after {ledger.pending}")
            raise


def listen(commands: "SimpleQueue[str]") -> None:
    for line in sys.stdin:
        commands.put(line)
    commands.put("")


def answer(text: str) -> None:
    sys.stdout.write(" ".join(text.split()) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
