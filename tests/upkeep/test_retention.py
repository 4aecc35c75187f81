# SPDX-License-Identifier: Apache-2.0
"""Retention rules, applied: what goes, what stays and why, and that saying it changes nothing."""

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.errors import AlreadyExists, BadRequest, ErrorKind, NotFound, Unavailable
from howdah.kit import fail
from howdah.model.refs import Branch, Commit, Repo
from howdah.model.retention import Kept, Retired, Summary, parse_rule, parse_target
from howdah.upkeep.rule_keeper import RuleKeeper
from tests.pps.lakes import master
from tests.upkeep.lakes import DAY, HOUR, KeptLake

PATIENCE_SECONDS = 20


def give(lake, target, rule, **options):
    return lake.pfs.catalog.retentions.create(parse_target(target), parse_rule(rule), **options)


def history(lake, repo, *files):
    """Commits of one file each, an hour apart; `lake.clock` is an hour after the last."""
    commits = []
    for name in files:
        commits.append(lake.commit(repo, {f"/{name}": name.encode()}))
        lake.clock.advance(HOUR)
    return commits


def apply(lake, **options):
    """What went, and why the rest stayed."""
    return split(list(lake.upkeep.retiring.apply(**options)))


def preview(lake, **options):
    return split(list(lake.upkeep.retiring.apply(dry_run=True, **options)))


def split(answers):
    gone = [each.what for each in answers if isinstance(each, Retired)]
    kept = {each.what: each.because for each in answers if isinstance(each, Kept)}
    assert isinstance(answers[-1], Summary)
    assert (len(gone), len(kept)) == (answers[-1].retired, answers[-1].kept)
    return gone, kept


def left(lake, repo):
    """The commits of a repo, newest first."""
    return [info.commit for info in lake.pfs.catalog.commits.list(Repo("default", repo))]


def test_the_newest_commits_of_each_branch_are_kept(lake):
    """Their files are what they were; another branch counts for itself."""
    lake.repo("a")
    commits = history(lake, "a", "1", "2", "3", "4")
    lake.pfs.catalog.branches.create(Branch(Repo("default", "a"), "dev"), head=commits[0])
    give(lake, "a", "keep 2 commits")
    before = lake.files("a")

    gone, kept = apply(lake)

    assert [commits[1]] == gone
    assert {commits[0]: "branch default/a@dev points to it"} == kept
    assert [commits[3], commits[2], commits[0]] == left(lake, "a")
    assert before == lake.files("a")


def test_days_are_kept_by_when_a_commit_was_finished(lake):
    """A head stays however old it is."""
    lake.repo("a")
    commits = history(lake, "a", "1", "2", "3")
    give(lake, "a", "keep 150 minutes")

    first = apply(lake)
    lake.clock.advance(DAY)
    second = apply(lake)

    assert [commits[0]] == first[0]
    assert ([commits[1]], {commits[2]: "branch default/a@master points to it"}) == second


def test_either_part_of_a_rule_keeps(lake):
    """Commits by their number, others by their age."""
    lake.repo("a")
    commits = history(lake, "a", "1", "2", "3", "4", "5")
    give(lake, "a", "keep 1 commit and 3 hours")

    gone, _ = apply(lake)

    assert commits[2::-1] == gone


def test_the_nearest_rule_holds(lake):
    """Of a branch before its repo, of a repo before its project."""
    for name in ("a", "b", "c"):
        lake.repo(name)
        history(lake, name, "1", "2", "3")
    give(lake, "default/", "keep 1 commit")
    give(lake, "b", "keep 2 commits")
    give(lake, "c@master", "keep everything")

    apply(lake)

    assert [1, 2, 3] == [len(left(lake, name)) for name in ("a", "b", "c")]


def test_what_a_pipeline_made_from_it_keeps_a_commit(lake):
    """Until the output goes by a rule of its own; with it go its meta commit and its job."""
    lake.repo("a")
    lake.pipeline("p", "a")
    lake.run()
    commits = history(lake, "a", "1", "2", "3")
    lake.run()
    give(lake, "a", "keep 1 commit")

    blocked = apply(lake)
    give(lake, "default/", "keep 1 commit")
    jobs = len(lake.jobs("p"))
    freed = apply(lake)

    output = Commit(Repo("default", "p"), commits[1].id)
    assert [] == blocked[0]
    assert f"commit {output} depends on it" == blocked[1][commits[1]]
    assert {*commits[:2], output, Commit(Repo("default", "p", "meta"), commits[1].id)} <= set(freed[0])
    assert (jobs, 1) == (4, len(lake.jobs("p")))
    assert [] == lake.upkeep.fsck.metadata()
    assert {"/1": b"1", "/2": b"2", "/3": b"3"} == lake.files("p")


def test_a_pipeline_goes_on_after_its_outputs_were_removed(lake):
    """What it did before is still known, so nothing runs again."""
    lake.repo("a")
    lake.pipeline("p", "a")
    history(lake, "a", "1", "2")
    lake.run()
    give(lake, "default/", "keep 1 commit")
    apply(lake)
    lake.taken()

    lake.commit("a", {"/3": b"3"})
    lake.run()

    assert ["/3"] == lake.taken()
    assert {"/1": b"1", "/2": b"2", "/3": b"3"} == lake.files("p")


def test_deleting_takes_heads_and_all_that_depends_on_them(lake):
    """And nothing is left of the data once garbage is collected."""
    lake.repo("a")
    lake.pipeline("p", "a")
    history(lake, "a", "1", "2")
    lake.run()
    give(lake, "a", "delete commits after 48 hours")
    lake.clock.advance(2 * DAY)

    gone, kept = apply(lake)
    lake.run()
    again = apply(lake)
    lake.collect(keep_seconds=0)

    assert {} == kept
    assert {"default/a", "default/p", "default/p.meta"} == {str(each.repo) for each in gone}
    assert ({}, {}) == (lake.files("a"), lake.files("p"))
    assert [] == again[0]
    assert [] == lake.upkeep.fsck.metadata()


def test_what_younger_commits_inherit_stays_with_them(lake):
    """A commit is deleted by its own age; the files that it brought live on in its children."""
    lake.repo("a")
    old, young = history(lake, "a", "1", "2")
    give(lake, "a", "delete commits after 90 minutes")

    gone, kept = apply(lake)

    assert ([old], {}) == (gone, kept)
    assert [young] == left(lake, "a")
    assert {"/1", "/2"} == lake.files("a").keys()


def test_an_open_commit_is_deleted_but_never_thinned_out(lake):
    """What arrived long ago goes, finished or not; rules that keep wait."""
    lake.repo("a")
    history(lake, "a", "1")
    started = lake.start("a")
    give(lake, "a", "keep 1 hour")
    lake.clock.advance(DAY)
    waiting = apply(lake)
    give(lake, "a", "delete commits after 1 hour", update=True)

    gone, _ = apply(lake)

    assert [] == waiting[0]
    assert started in gone
    assert 1 == len(left(lake, "a"))
    assert {} == lake.files("a")


def test_a_repo_is_deleted_when_its_time_has_come(lake):
    """With its rule; not before, and not while a pipeline reads it."""
    lake.repo("a")
    lake.repo("b")
    lake.pipeline("p", "b")
    lake.commit("a", {"/1": b"1"})
    for name in ("a", "b", "p"):
        give(lake, name, "delete repo after 48 hours")
    early = apply(lake)
    lake.clock.advance(2 * DAY)

    gone, kept = apply(lake)

    assert ([], {}) == early
    assert [Repo("default", "a")] == gone
    reasons = {"b": "branch default/p@master depends on it", "p": "pipeline default/p writes it"}
    assert {Repo("default", name): reason for name, reason in reasons.items()} == kept
    assert ["default/b", "default/p"] == [str(each.target) for each in lake.pfs.catalog.retentions.list()]


def test_a_bad_commit_keeps_what_it_is_read_as(lake):
    """A rule never changes what anybody reads."""
    lake.repo("a")
    [good] = history(lake, "a", "1")
    bad = lake.start("a")
    lake.pfs.finisher.finish(bad, error="broken")
    lake.clock.advance(HOUR)
    give(lake, "a", "keep 1 commit")

    gone, kept = apply(lake)

    assert ([], {good: f"commit {bad} finished with an error and is read as it"}) == (gone, kept)
    assert {"/1": b"1"} == lake.files("a")


def test_a_preview_says_what_will_happen_and_changes_nothing(lake):
    """Commits, reasons, and to the byte what is given back."""
    lake.repo("a")
    lake.pipeline("p", "a")
    lake.run()
    for number in range(4):
        lake.commit("a", {"/f": bytes([number]) * 3_000_000})
        lake.clock.advance(HOUR)
    lake.run()
    lake.clock.advance(DAY)
    lake.collect(keep_seconds=0)
    give(lake, "a", "keep 2 commits")
    give(lake, "p", "keep 1 commit")
    rows = left(lake, "a"), left(lake, "p")

    answers = list(lake.upkeep.retiring.apply(dry_run=True))
    same = rows == (left(lake, "a"), left(lake, "p"))
    applied = apply(lake)
    lake.clock.advance(1)
    removed = lake.collect(keep_seconds=0).removed

    assert same
    assert (set(split(answers)[0]), split(answers)[1]) == (set(applied[0]), applied[1])
    assert 0 < removed.size_bytes == answers[-1].freed_bytes


def test_a_rule_can_be_tried_before_there_is_one(lake):
    """Of whatever it would be."""
    lake.repo("a")
    commits = history(lake, "a", "1", "2", "3")

    gone, _ = preview(lake, target=parse_target("a"), rule=parse_rule("keep 1 commit"))

    assert commits[1::-1] == gone
    assert [] == list(lake.pfs.catalog.retentions.list())
    assert ([], {}) == preview(lake)


def test_one_rule_can_be_applied_alone(lake):
    """The others wait for their turn."""
    for name in ("a", "b"):
        lake.repo(name)
        history(lake, name, "1", "2")
        give(lake, name, "keep 1 commit")

    apply(lake, target=parse_target("b"))

    assert [2, 1] == [len(left(lake, name)) for name in ("a", "b")]


def test_a_rule_is_of_something_that_is_there(lake):
    """Once; and what is not there says so."""
    lake.repo("a")
    give(lake, "a", "keep 1 commit")

    with pytest.raises(AlreadyExists) as twice:
        give(lake, "a", "keep 2 commits")
    with pytest.raises(NotFound) as nothing:
        give(lake, "b", "keep 2 commits")
    with pytest.raises(NotFound) as first:
        give(lake, "a@master", "keep 2 commits", update=True)
    with pytest.raises(BadRequest):
        give(lake, "a@master", "delete repo after 1 day")
    with pytest.raises(NotFound):
        lake.pfs.catalog.retentions.delete(parse_target("default/"))
    with pytest.raises(NotFound):
        lake.upkeep.retiring.apply(parse_target("a@master"))

    kinds = ErrorKind.RETENTION_EXISTS, ErrorKind.REPO_NOT_FOUND, ErrorKind.RETENTION_NOT_FOUND
    assert kinds == (twice.value.kind, nothing.value.kind, first.value.kind)


def test_a_rule_goes_with_its_repo(lake):
    """Another repo of that name begins without."""
    lake.repo("a")
    give(lake, "a@master", "keep 1 commit")
    lake.delete("a")

    lake.repo("a")

    assert [] == list(lake.pfs.catalog.retentions.list())


def test_who_follows_a_commit_hears_by_which_rule_it_went(lake):
    """In the transaction that removed it."""
    lake.repo("a")
    [old, _] = history(lake, "a", "1", "2")
    give(lake, "default/", "keep 1 commit")
    events = []
    lake.db.on_commit(events.extend)

    apply(lake)

    told = [(each.kind, each.body) for each in events if each.subject.endswith(old.id)]
    assert [("retired", {"rule": "default/"}), ("deleted", {"branch": "master"})] == told


def test_being_stopped_between_two_commits_loses_nothing(lake):
    """The rest goes the next time."""
    lake.repo("a")
    commits = history(lake, "a", "1", "2", "3", "4")
    give(lake, "a", "keep 1 commit")

    def stop():
        raise KeyboardInterrupt

    with fail.during("retention.retired", stop), pytest.raises(KeyboardInterrupt):
        apply(lake)
    middle = left(lake, "a")
    apply(lake)

    assert [commits[3], commits[1], commits[0]] == middle
    assert [commits[3]] == left(lake, "a")


def test_a_rule_that_was_changed_meanwhile_does_not_act(lake):
    """Who takes a rule back is not overtaken by it."""
    lake.repo("a")
    history(lake, "a", "1", "2", "3")
    give(lake, "a", "keep 1 commit")
    answers = lake.upkeep.retiring.apply()

    lake.pfs.catalog.retentions.delete(parse_target("a"))

    assert {Kept, Summary} == {type(each) for each in answers}
    assert 3 == len(left(lake, "a"))


STEPS = st.lists(
    st.sampled_from(["a", "b", "run", "drop a", "hour", "branch", "apply", "bad"]), min_size=4, max_size=14
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    STEPS, st.sampled_from(["keep 1 commit", "keep 2 hours", "keep 2 commits and 1 hour", "delete commits after 3h"])
)
def test_whatever_happens_a_preview_is_right_and_the_lake_stays_sound(steps, rule):
    """Heads are read as before by rules that keep, and metadata have no fault."""
    lake = KeptLake()
    for name in ("a", "b"):
        lake.repo(name)
    lake.pipeline("p", "a", "b")
    give(lake, "default/", rule)
    for number, step in enumerate(steps):
        if step in ("a", "b"):
            lake.commit(step, {f"/{number % 3}": bytes([number])})
        elif step == "hour":
            lake.clock.advance(HOUR)
        elif step == "run":
            lake.run()
        elif step == "branch":
            lake.pfs.catalog.branches.create(Branch(Repo("default", "a"), f"b{number}"), head=master("a"))
        elif step == "bad":
            lake.pfs.finisher.finish(lake.start("b"), error="bad")
        elif step == "apply":
            before = [lake.files(name) for name in ("a", "b")]
            planned = preview(lake)
            applied = apply(lake)
            assert (set(planned[0]), planned[1]) == (set(applied[0]), applied[1])
            assert rule.startswith("delete") or before == [lake.files(name) for name in ("a", "b")]
    lake.run()

    assert [] == lake.upkeep.fsck.metadata()
    apply(lake)
    assert [] == apply(lake)[0]
    lake.close()


class Failing:
    """Rules that cannot be applied, and count how often somebody tried."""

    def __init__(self, error):
        self.error = error
        self.twice = threading.Event()
        self.count = 0

    def apply(self):
        self.count += 1
        if self.count > 1:
            self.twice.set()
        raise self.error


@pytest.mark.parametrize("error", [Unavailable(ErrorKind.BUSY, "busy; wait"), ValueError("a defect")])
def test_rules_that_cannot_be_applied_are_tried_again(error):
    """Whatever it is; and it ends when it is told to."""
    failing = Failing(error)
    keeper = RuleKeeper(failing, 0.001)

    keeper.start()
    again = failing.twice.wait(PATIENCE_SECONDS)
    keeper.stop()
    keeper.stop()

    assert again


def test_what_rules_remove_is_logged(lake, caplog):
    """Each commit with the rule, and how many they were."""
    caplog.set_level("INFO")
    lake.repo("a")
    old, _ = history(lake, "a", "1", "2")
    give(lake, "a", "keep 1 commit")

    RuleKeeper(lake.upkeep.retiring, 600).once()

    assert f"the retention rule of default/a removed commit {old}" in caplog.messages
    assert "retention rules: 1 removed, 0 stay because they are needed" in caplog.messages
