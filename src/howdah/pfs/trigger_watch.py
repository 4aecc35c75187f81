# SPDX-License-Identifier: Apache-2.0
"""Pull triggers when it is time: as soon as a branch that one watches has something new, and when a schedule ticks.

What is new is heard from the events, in the thread of whoever finished the commit: when that call returns, the
branches have moved. A branch that moved by a trigger is an event too, so chains need no care. Ticks are waited for
in a thread. When a server starts it asks every trigger once, so what nobody heard is made up for.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from howdah.db.engine import Database
from howdah.db.events import Event
from howdah.db.transaction import Transaction
from howdah.errors import HowdahError
from howdah.kit import fail
from howdah.kit.background import Background
from howdah.model.refs import Branch
from howdah.pfs import trigger_rows, triggers
from howdah.pfs.subjects import branch_subject
from howdah.pfs.trigger_rows import TriggerRow
from howdah.pfs.work import Works

__all__ = ["Triggers"]

_log: Final = logging.getLogger(__name__)

# How late a tick may be seen if somebody set the clock; without that the thread wakes at the tick itself.
WAIT_SECONDS: Final = 30.0


class Triggers:
    """Pulls the triggers of a lake.

    `start` lets it run by itself; `listen` and `step` are its parts, for callers that move the time themselves.
    """

    def __init__(self, db: Database, works: Works) -> None:
        self._db = db
        self._works = works
        self._background = Background("schedules of triggers", self._run, retry_seconds=WAIT_SECONDS)
        self._forget: Callable[[], None] = lambda: None
        # The branches that triggers watch, by subject, with the key of their repo. Replaced as a whole; one that is
        # watched no more may be left in it, which costs a look.
        self._sources: dict[str, tuple[int, str]] = {}

    def start(self) -> None:
        """Listen, make up for what was missed, and wait for ticks in a thread of its own, until `stop`."""
        self.listen()
        self.step()
        self._background.start()

    def listen(self) -> None:
        """From now on pull triggers in the thread of whoever gives their sources something new."""
        self._forget()
        self._forget = self._db.on_commit(self._hear)
        self._learn()

    def stop(self) -> None:
        """End after what is being done; stopping again does nothing."""
        self._forget()
        self._background.stop()

    def step(self) -> None:
        """Pull every trigger that is due now, and those that become due by that."""
        while any(self._ask(found.branch.id) for found in self._all()):
            pass

    def next_tick(self) -> datetime | None:
        """When the next schedule of any trigger ticks; None if none ever does."""
        return min((tick for found in self._all() if (tick := triggers.next_tick(found)) is not None), default=None)

    def _all(self) -> list[TriggerRow]:
        with self._db.read() as tx:
            return trigger_rows.everything(tx)

    def _hear(self, events: list[Event]) -> None:
        if any(event.kind == "trigger" for event in events):
            self._learn()
            self._background.wake()
        if not self._sources:
            return
        for subject in dict.fromkeys(filter(None, map(_moved, events))):
            if (source := self._sources.get(subject)) is not None:
                self._ask_of(*source)

    def _ask_of(self, repo_id: int, name: str) -> None:
        with self._db.read() as tx:
            found = trigger_rows.of_source(tx, repo_id, name)
        for each in found:
            self._ask(each.branch.id)
            if each.trigger.rate_limit_spec:
                self._background.wake()

    def _ask(self, branch_id: int) -> bool:
        """Pull the trigger of a branch if it is due; whether it was."""
        try:
            with self._db.read() as tx:
                if not _due(tx, branch_id):
                    return False
            fail.here("pfs.triggers.due")
            with self._works.open() as work:
                found = trigger_rows.find(work.tx, branch_id)
                if found is None or not _due(work.tx, branch_id):
                    return False
                triggers.pull(work, found, triggers.wanted(work.tx, found))
        except HowdahError as error:
            _log.warning("the trigger of branch number %d could not be pulled: %s", branch_id, error.message)
            return False
        return True

    def _learn(self) -> None:
        self._sources = {
            branch_subject(Branch(found.branch.branch.repo, found.trigger.branch)): (
                found.branch.repo_id,
                found.trigger.branch,
            )
            for found in self._all()
        }

    def _run(self) -> float:
        self._tick()
        tick = self._next_wait()
        return WAIT_SECONDS if tick is None else min(WAIT_SECONDS, tick)

    def _tick(self) -> None:
        """Ask the triggers that time may pull."""
        for found in self._all():
            if (tick := triggers.next_tick(found)) is not None and tick <= self._db.clock.now():
                self._ask(found.branch.id)

    def _next_wait(self) -> float | None:
        """Seconds until a tick that has not come yet; a rate limit that has passed waits for a commit, not for time."""
        now = self._db.clock.now()
        ticks = (triggers.next_tick(found) for found in self._all())
        return min(((tick - now).total_seconds() for tick in ticks if tick is not None and tick > now), default=None)


def _due(tx: Transaction, branch_id: int) -> bool:
    """Whether there is something to do for the trigger of a branch, if only to take a tick."""
    found = trigger_rows.find(tx, branch_id)
    return found is not None and (triggers.has_ticked(found, tx.now) or triggers.wanted(tx, found) is not None)


def _moved(event: Event) -> str:
    """The subject of the branch that may have something new by an event; empty if none has."""
    if event.kind == "finished" and not event.body.get("error"):
        repo, _, _ = event.subject.rpartition("/commit/")
        return f"{repo}/branch/{event.body['branch']}"
    return event.subject if event.kind == "moved" and "/branch/" in event.subject else ""
