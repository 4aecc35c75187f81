# SPDX-License-Identifier: Apache-2.0
"""What repos, branches and commits hold, and what deleting them would give back."""

import random

import pytest

from howdah.errors import NotFound
from howdah.model.refs import Commit, CommitRef, Repo
from howdah.model.upkeep import Tally

BIG = random.Random(2).randbytes(2 << 20)
OTHER = random.Random(3).randbytes(1 << 20)


def held(lake, *targets):
    return {each.name: each for each in lake.upkeep.usage.of(targets)}


def repo(name):
    return Repo("default", name)


def test_what_a_repo_holds_alone_is_what_deleting_it_gives_back(lake):
    """To the byte."""
    for name in ("a", "b"):
        lake.repo(name)
        lake.commit(name, {"/shared": BIG, f"/{name}": OTHER + name.encode()})
    both = held(lake)
    lake.delete("a")
    lake.clock.advance(1)

    removed = lake.collect(keep_seconds=0).removed

    assert {"default/a", "default/b"} == both.keys()
    assert removed.size_bytes == both["default/a"].exclusive_bytes
    assert len(OTHER) < removed.size_bytes < len(BIG)
    assert both["default/a"].stored_bytes > len(BIG) + len(OTHER)
    assert len(BIG) + len(OTHER) + 1 == both["default/a"].size_bytes


def test_one_repo_is_what_it_is_among_all(lake):
    """Asked for by itself, or with all others."""
    for name in ("a", "b"):
        lake.repo(name)
        lake.commit(name, {"/shared": BIG, f"/{name}": name.encode()})

    assert held(lake)["default/a"] == held(lake, repo("a"))["default/a"]


def test_an_empty_lake_holds_nothing(lake):
    """No repo, no line; an empty one has zeros."""
    nothing = held(lake)
    lake.repo("a")

    assert {} == nothing
    assert (0, 0, 0, 0) == tuple(
        getattr(held(lake)["default/a"], name) for name in ("commits", "size_bytes", "stored_bytes", "exclusive_bytes")
    )


def test_a_commit_holds_alone_what_its_neighbours_do_not_have(lake):
    """Its own range and root, and the file that only it had."""
    lake.repo("a")
    lake.commit("a", {"/kept": BIG})
    with_other = lake.commit("a", {"/other": OTHER})
    lake.commit("a", {"/other": None})

    found = held(lake, with_other)[str(with_other)]

    assert 1 == found.commits
    assert len(BIG) + len(OTHER) == found.size_bytes
    assert len(OTHER) < found.exclusive_bytes < len(OTHER) + 4096
    assert found.stored_bytes > len(BIG)


def test_a_branch_holds_what_was_made_on_it(lake):
    """All its commits together."""
    lake.repo("a")
    lake.commit("a", {"/one": BIG})
    lake.commit("a", {"/one": OTHER})

    found = held(lake, CommitRef(repo("a"), "master"))["default/a@master"]

    assert 2 == found.commits
    assert found.exclusive_bytes == found.stored_bytes
    assert len(OTHER) == found.size_bytes


def test_an_output_repo_goes_with_what_its_pipeline_remembers(lake):
    """Deleting the pipeline gives back what the repo is said to hold alone."""
    lake.repo("in")
    lake.pipeline("out", "in")
    lake.commit("in", {"/a": BIG, "/b": OTHER})
    lake.run()
    lake.clock.advance(1)
    lake.collect(keep_seconds=0)
    found = held(lake)
    lake.pps.pipelines.delete(next(iter(lake.pps.pipelines.list())).pipeline)
    lake.clock.advance(1)

    removed = lake.collect(keep_seconds=0)

    assert removed.removed.size_bytes == found["default/out"].exclusive_bytes
    assert removed.named != Tally()


@pytest.mark.parametrize(
    "target", [repo("x"), CommitRef(repo("a"), "x"), Commit(repo("a"), "0" * 32), CommitRef(repo("a"), "master")]
)
def test_what_is_not_there_is_named(lake, target):
    """A repo, a branch, a commit."""
    lake.repo("a")

    with pytest.raises(NotFound):
        lake.upkeep.usage.of([target])
