# SPDX-License-Identifier: Apache-2.0
"""Commits: starting and closing them, and what they are based on."""

import re
import threading

import pytest

from howdah.errors import BadRequest, Conflict, ErrorKind, NotFound, Refused, Unavailable
from howdah.model.refs import Branch
from howdah.model.states import CommitState, OriginKind
from howdah.pfs import closing, starting
from howdah.storage.filesets import EMPTY_ROOT
from tests.pfs.catalogs import branch, ref, repo

JOIN_SECONDS = 10  # never reached; a deadlock shall fail the test and not hang it


def base_of(desk, commit):
    with desk.db.read() as tx:
        return desk.commits.good_base(tx, desk.commits.row(tx, commit))


def root_of(desk, commit):
    with desk.db.read() as tx:
        return desk.commits.good_root(tx, desk.commits.row(tx, commit))


def one_off(desk, name, expected_head, root=b"1" * 32):
    with desk.catalog.work() as work:
        return starting.make_finished(work, branch(name), root, 3, 30, "by hand", expected_head=expected_head)


def test_a_started_commit_is_the_head(desk):
    """The branch is made if it is missing, without an empty commit before."""
    desk.repo("a")

    commit = desk.start("a", description="first")

    info = desk.commits.inspect(commit)
    assert commit == desk.head("a")
    assert (CommitState.READY, OriginKind.USER, "first", "master") == (
        info.state,
        info.origin,
        info.description,
        info.branch,
    )
    assert (None, None, None) == (info.parent, info.finished_at, info.size_bytes)
    assert desk.clock.now() == info.started_at == info.ready_at


def test_a_commit_follows_the_head(desk):
    """Parent and child know each other."""
    desk.repo("a")
    first = desk.commit("a")
    second = desk.start("a")

    assert first == desk.commits.inspect(second).parent
    assert (second,) == desk.commits.inspect(first).children


def test_a_commit_follows_another_parent_if_one_is_given(desk):
    """By any reference into the same repo."""
    desk.repo("a", "b")
    first = desk.commit("a")
    desk.commit("a")

    assert first == desk.commits.inspect(desk.start("a@dev", parent=first)).parent
    with pytest.raises(BadRequest):
        desk.start("b", parent=first)
    with pytest.raises(NotFound):
        desk.start("a", parent=ref("a@nowhere"))


def test_an_open_parent_is_refused(desk):
    """The text is the one that clients look for."""
    desk.repo("a")
    desk.start("a")

    with pytest.raises(Refused) as error:
        desk.start("a")

    assert ErrorKind.COMMIT_OPEN == error.value.kind
    assert re.match("parent commit .* has not been finished", str(error.value))


def test_no_commit_is_started_on_an_output_branch(desk):
    """Only propagation makes commits there."""
    desk.repo("a")
    desk.pipeline("b", "a")

    with pytest.raises(Refused) as error:
        desk.start("b")

    assert ErrorKind.OUTPUT_BRANCH == error.value.kind
    assert str(error.value).startswith("cannot start a commit on an output branch")


def test_a_branch_must_be_named(desk):
    """And well; and its repo must be there."""
    desk.repo("a")

    with pytest.raises(BadRequest) as error:
        desk.commits.start(Branch(repo("a"), ""))
    assert str(error.value).startswith("branch must be specified")
    with pytest.raises(BadRequest):
        desk.commits.start(Branch(repo("a"), "a b"))
    with pytest.raises(NotFound) as missing:
        desk.start("nowhere")
    assert re.match("repo default/nowhere not found", str(missing.value))


def test_a_closed_commit_is_finished_with_its_files(desk):
    """Times, sizes and the root are set at once."""
    desk.repo("a")
    commit = desk.start("a", description="before")
    desk.clock.advance(5)

    desk.finish(commit, root=b"z" * 32, size=42)

    info = desk.commits.inspect(commit)
    assert (CommitState.FINISHED, 42, 1, "before", "") == (
        info.state,
        info.size_bytes,
        info.files,
        info.description,
        info.error,
    )
    assert desk.clock.now() == info.finishing_at == info.finished_at
    assert b"z" * 32 == desk.row(commit).root


def test_a_commit_is_closed_once(desk):
    """The second time changes nothing; the text is the one that clients look for."""
    desk.repo("a")
    commit = desk.commit("a", size=1)

    with pytest.raises(Refused) as error:
        desk.finish(commit, size=2)

    assert ErrorKind.COMMIT_FINISHED == error.value.kind
    assert re.match("commit [^ ]+ has already finished", str(error.value))
    assert 1 == desk.commits.inspect(commit).size_bytes


def test_closing_can_replace_the_description(desk):
    """An empty one too; only None keeps it."""
    desk.repo("a")
    first = desk.finish(desk.start("a", description="x"), description="y")
    second = desk.finish(desk.start("a", description="x"), description="")

    assert ["y", ""] == [desk.commits.inspect(each).description for each in (first, second)]


def test_a_deleted_commit_cannot_be_closed(desk):
    """Whoever finishes it learns that it is gone."""
    desk.repo("a")
    key = desk.row(desk.start("a")).id
    desk.repos.delete(repo("a"))

    with pytest.raises(Conflict) as error, desk.db.write() as tx:
        closing.close_row(tx, key, b"z" * 32, 0, 0)

    assert ErrorKind.DELETED_MEANWHILE == error.value.kind


def test_the_base_is_the_nearest_good_ancestor(desk):
    """Commits with an error are passed over, however many."""
    desk.repo("a")
    assert base_of(desk, desk.commit("a", root=b"1" * 32)) == EMPTY_ROOT
    for _ in range(3):
        bad = desk.commit("a", root=b"x" * 32, error="it broke")
    last = desk.start("a")

    assert b"1" * 32 == base_of(desk, last)
    assert b"1" * 32 == root_of(desk, bad)


def test_a_history_without_a_good_commit_has_an_empty_base(desk):
    """There is nothing to build on."""
    desk.repo("a")
    desk.commit("a", error="it broke")

    assert EMPTY_ROOT == base_of(desk, desk.start("a"))


def test_an_open_base_is_to_be_waited_for(desk):
    """An output commit may be made while the one before is still being worked on."""
    desk.repo("a")
    desk.pipeline("b", "a")
    desk.commit("a")

    with pytest.raises(Unavailable) as error:
        base_of(desk, desk.head("b"))

    assert re.match("base commit [^ ]+ for commit [^ ]+ unfinished", str(error.value))


def test_a_one_off_commit_is_made_at_once(desk):
    """Started and finished in one step, on a missing branch too."""
    desk.repo("a")

    first = one_off(desk, "a", None)
    second = one_off(desk, "a", desk.row(first).id)

    info = desk.commits.inspect(second)
    assert (CommitState.FINISHED, OriginKind.USER, first) == (info.state, info.origin, info.parent)
    assert (30, 3, "by hand") == (info.size_bytes, info.files, info.description)


def test_a_one_off_commit_needs_the_head_it_was_made_from(desk):
    """If the branch has moved, nothing happens and the writer tries again."""
    desk.repo("a")
    first = one_off(desk, "a", None)
    head = one_off(desk, "a", desk.row(first).id)

    for stale in (None, desk.row(first).id):
        with pytest.raises(Conflict) as error:
            one_off(desk, "a", stale)
        assert ErrorKind.WRITE_CONFLICT == error.value.kind

    assert head == desk.head("a")


def test_a_one_off_commit_makes_ready_what_follows(desk):
    """Its dependants never see it open."""
    desk.repo("a")
    desk.pipeline("b", "a")

    commit = one_off(desk, "a", desk.row(desk.head("a")).id)

    assert (CommitState.READY, commit.id) == (desk.info("b").state, desk.head("b").id)


def test_two_threads_cannot_both_start_a_commit(desk):
    """One gets it, the other finds the parent open."""
    desk.repo("a")
    desk.commit("a")
    results = []
    together = threading.Barrier(2)

    def work():
        together.wait(JOIN_SECONDS)
        try:
            results.append(desk.start("a"))
        except Refused as error:
            results.append(error.kind)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(JOIN_SECONDS)

    assert 1 == results.count(ErrorKind.COMMIT_OPEN)
    assert desk.head("a") in results


def test_the_steps_of_a_commit_are_events(desk):
    """Whoever waits for any of them hears of it."""
    desk.repo("a")
    commit = desk.commit("a")

    kinds = [kind for _, kind in desk.events(f"repo/default/a.user/commit/{commit.id}")]

    assert ["started", "ready", "finishing", "finished"] == kinds
