# SPDX-License-Identifier: Apache-2.0
"""Triggers against a model, whatever is done to the branches and however often the server starts anew."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from howdah.model.infos import Trigger
from howdah.model.refs import Commit
from howdah.pfs.trigger_watch import Triggers
from tests.pfs.catalogs import Desk, branch

EVERY = 3  # commits after which the second branch moves
HOUR = 3600


class Chain(RuleBasedStateMachine):
    """`next` follows `master` at each commit, `third` follows `next` after some, `daily` is taken along by the clock.

    The model knows of each branch its head, and up to which commit (by age) it was decided.
    """

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.desk.repo("a")
        self.parents: dict[Commit, Commit | None] = {}
        self.ages: dict[Commit, int] = {}
        self.open: Commit | None = None
        self.head = self._made(self.desk.commit("a"), None)
        self.good = {self.head}
        self.heads: dict[str, Commit] = {}
        self.seen: dict[str, int] = {}
        for name, trigger in {
            "next": Trigger("master", commits=1),
            "third": Trigger("next", commits=EVERY),
            "daily": Trigger("master", cron_spec="@every 24h"),
        }.items():
            self.desk.branches.create(branch(f"a@{name}"), head=self.head, trigger=trigger)
            self.heads[name] = self.head
            self.seen[name] = self.ages[self.head]
        self.hours = 0
        self._watch()

    def teardown(self) -> None:
        self.watch.stop()
        self.desk.db.close()

    @precondition(lambda self: self.open is None)
    @rule()
    def start(self) -> None:
        self.open = self._made(self.desk.start("a"), self.head)
        self.head = self.open

    @precondition(lambda self: self.open is not None)
    @rule(bad=st.booleans())
    def finish(self, bad: bool) -> None:
        assert self.open is not None
        commit, self.open = self.open, None
        self.desk.finish(commit, error="broken" if bad else "")
        if not bad:
            self.good.add(commit)
        self._settle()

    @precondition(lambda self: self.open is None)
    @rule(data=st.data())
    def move_the_source(self, data: st.DataObject) -> None:
        self.head = data.draw(st.sampled_from(sorted(self.good)))
        self.desk.branches.create(branch("a"), head=self.head)
        self._settle()

    @rule(data=st.data(), name=st.sampled_from(["next", "third"]))
    def move_a_follower(self, data: st.DataObject, name: str) -> None:
        commit = data.draw(st.sampled_from(sorted(self.good)))
        if commit != self.heads[name]:
            self.heads[name] = commit
            self.seen[name] = self.ages[self._newest(name)]
            self.desk.branches.create(branch(f"a@{name}"), head=commit)
            self._settle()

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.desk.clock.advance(hours * HOUR)
        self.hours += hours
        self.watch.step()
        if self.hours >= 24:
            self.hours = 0
            self.heads["daily"] = self._newest("daily")

    @rule()
    def restart(self) -> None:
        self.watch.stop()
        self._watch()
        self.watch.step()

    @invariant()
    def every_branch_is_where_its_trigger_has_it(self) -> None:
        assert self.heads == {name: self.desk.head(f"a@{name}") for name in self.heads}

    def _watch(self) -> None:
        self.watch = Triggers(self.desk.db, self.desk.catalog.works)
        self.watch.listen()

    def _made(self, commit: Commit, parent: Commit | None) -> Commit:
        self.parents[commit] = parent
        self.ages[commit] = len(self.ages)
        return commit

    def _settle(self) -> None:
        """What the triggers make of it: first of the branch that is watched, then of the one that watches that."""
        for name, after in (("next", 1), ("third", EVERY)):
            newest = self._newest(name)
            is_new = newest != self.heads[name] and self.ages[newest] > self.seen[name]
            if is_new and self._distance(newest, self.heads[name]) >= after:
                self.heads[name], self.seen[name] = newest, self.ages[newest]

    def _newest(self, name: str) -> Commit:
        """The newest good commit of what a branch watches."""
        commit: Commit | None = self.heads["next"] if name == "third" else self.head
        while commit not in self.good:
            assert commit is not None
            commit = self.parents[commit]
        return commit

    def _distance(self, start: Commit, end: Commit) -> int:
        count, here = 0, start
        while here is not None and here != end:
            count, here = count + 1, self.parents[here]
        return count


TestTriggers = pytest.mark.slow(Chain.TestCase)
TestTriggers.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
