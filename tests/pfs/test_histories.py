# SPDX-License-Identifier: Apache-2.0
"""Finding the commits that changed a path."""

import itertools

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound, Unavailable
from howdah.model.refs import CommitRef
from howdah.pfs.histories import find_commits
from howdah.pfs.writes import Delete, Put
from tests.pfs.lakes import HEAD, IMAGES, MASTER, OpenLake


@pytest.fixture
def lake(tmp_path):
    made = OpenLake(tmp_path)
    yield made
    made.close()


def found(lake, path, start=HEAD, limit=0, **options):
    """Commits that changed the path, the last that was looked at, and how many were."""
    *hits, last = find_commits(lake.db, lake.storage, start, path, limit, **options)
    assert all(each.found for each in hits)
    assert not last.found
    return [each.commit for each in hits], last.commit, last.searched


def test_commits_that_make_change_and_remove_a_file_are_found(lake):
    """Newest first; those that did something else are not."""
    made = lake.put(HEAD, "/a", b"1")
    lake.put(HEAD, "/b", b"1")
    changed = lake.put(HEAD, "/a", b"2")
    lake.put(HEAD, "/a2", b"2")
    removed = lake.pfs.writes.modify(HEAD, [Delete("/a")])

    assert ([removed, changed, made], made, 5) == found(lake, "/a")
    assert 1 == len(found(lake, "a2")[0])


def test_the_same_bytes_again_are_no_change(lake):
    """What is compared is the content."""
    made = lake.put(HEAD, "/a", b"1")
    lake.put(HEAD, "/a", b"1")

    assert [made] == found(lake, "/a")[0]


def test_a_path_that_nothing_has_is_in_no_commit(lake):
    """The search says how far it went."""
    first = lake.put(HEAD, "/a", b"1")
    lake.put(HEAD, "/b", b"1")

    assert ([], first, 2) == found(lake, "/none")


def test_a_directory_changes_with_what_is_below_it(lake):
    """With and without a slash at its end; the root with everything."""
    first = lake.put(HEAD, "/d/x/1", b"1")
    second = lake.put(HEAD, "/d-e", b"1")
    third = lake.put(HEAD, "/d/y", b"1")

    assert [third, first] == found(lake, "/d")[0]
    assert [third, first] == found(lake, "/d/")[0]
    assert [first] == found(lake, "/d/x")[0]
    assert [third, second, first] == found(lake, "/")[0]


def test_commits_of_many_files_are_looked_into(lake):
    """Also where too much changed to be remembered."""
    files = {f"/d{n % 7}/f{n}": b"x" for n in range(300)}
    first = lake.put_all(HEAD, files)
    lake.put_all(HEAD, {path: b"y" for path in files if path != "/d1/f1"})
    third = lake.put(HEAD, "/d1/f1", b"z")

    assert [third, first] == found(lake, "/d1/f1")[0]


def test_a_search_can_be_cut_and_gone_on_with(lake):
    """By the number of hits, from the parent of the last commit that was looked at."""
    commits = [lake.put(HEAD, "/a", b"%d" % n) for n in range(5)]

    hits, last, searched = found(lake, "/a", limit=2)
    assert ([commits[4], commits[3]], commits[3], 2) == (hits, last, searched)
    parent = lake.pfs.catalog.commits.inspect(last).parent

    assert [commits[2], commits[1], commits[0]] == found(lake, "/a", parent)[0]


def test_a_search_ends_in_time(lake):
    """And still says how far it came."""
    commits = [lake.put(HEAD, "/a", b"%d" % n) for n in range(5)]
    ticks = itertools.count(1)

    hits, last, searched = found(lake, "/a", in_time=lambda: next(ticks) < 3)

    assert (commits[:1:-1], commits[2], 3) == (hits, last, searched)


def test_a_bad_commit_changes_nothing(lake):
    """Its children are compared with what was good before it."""
    first = lake.put(HEAD, "/a", b"1")
    bad = lake.pfs.catalog.commits.start(MASTER)
    lake.put(bad, "/a", b"broken")
    lake.pfs.finisher.finish(bad, error="broken")
    lake.put(HEAD, "/b", b"1")
    after = lake.put(HEAD, "/a", b"2")

    assert [after, first] == found(lake, "/a")[0]
    assert [first] == found(lake, "/a", bad)[0]


def test_a_forgotten_commit_changes_nothing(lake):
    """Nobody knows any more what it did; what came after it is compared with what was before."""
    first = lake.put(HEAD, "/a", b"1")
    second = lake.put(HEAD, "/a", b"2")
    third = lake.put(HEAD, "/b", b"1")

    lake.pfs.catalog.commits.forget(second)

    assert ([third, first], first, 3) == found(lake, "/a")


def test_a_squashed_commit_is_found_in_its_child(lake):
    """What was changed then is the child's change now."""
    first = lake.put(HEAD, "/a", b"1")
    second = lake.put(HEAD, "/a", b"2")
    third = lake.put(HEAD, "/b", b"1")

    lake.pfs.catalog.removals.squash(second)

    assert ([third, first], first, 2) == found(lake, "/a")


def test_a_commit_of_many_writes_is_one(lake):
    """Opened, written to and finished by hand."""
    first = lake.put(HEAD, "/a", b"1")
    commit = lake.pfs.catalog.commits.start(MASTER)
    for n in range(20):
        lake.put(commit, f"/n{n}", b"1")
    lake.pfs.writes.modify(commit, [Put("/a", [b"2"])])
    lake.pfs.finisher.finish(commit)

    assert [commit, first] == found(lake, "/a")[0]
    assert [commit] == found(lake, "/n7")[0]


def test_only_what_is_finished_is_searched(lake):
    """An open commit may still change."""
    lake.pfs.catalog.commits.start(MASTER)

    with pytest.raises(Unavailable) as error:
        found(lake, "/a")

    assert ErrorKind.COMMIT_OPEN == error.value.kind


def test_a_search_without_a_path_or_a_start_is_refused(lake):
    """Before it begins."""
    lake.put(HEAD, "/a", b"1")

    with pytest.raises(BadRequest):
        found(lake, "")
    with pytest.raises(NotFound):
        found(lake, "/a", CommitRef(IMAGES, "none"))
