# SPDX-License-Identifier: Apache-2.0
"""File sets: made, read, added, renewed, composed and cut; and gone when their time is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound
from howdah.model.names import FILESETS_REPO
from howdah.model.refs import Commit, CommitRef, File, Repo
from howdah.model.states import CommitState
from howdah.pfs import file_set_rows
from howdah.pfs.file_sets import DEFAULT_SECONDS, MAX_SECONDS
from howdah.pfs.writes import Copy, Delete, Operation, Put
from howdah.testing.manual_clock import ManualClock
from tests.pfs.lakes import HEAD, MASTER, OpenLake

FILE_SETS = Repo("default", FILESETS_REPO)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def lake(tmp_path: Path, clock: ManualClock) -> Iterator[OpenLake]:
    opened = OpenLake(tmp_path, clock)
    yield opened
    opened.close()


def of(file_set_id: str) -> Commit:
    """The commit that a file set is read as."""
    return Commit(FILE_SETS, file_set_id)


def puts(**files: bytes) -> list[Operation]:
    return [Put(f"/{name}", [data]) for name, data in files.items()]


def test_a_file_set_is_read_as_a_finished_commit(lake: OpenLake, clock: ManualClock) -> None:
    """It has the files that its operations make of nothing, and looks finished since it was made."""
    file_set = lake.pfs.file_sets.create([*puts(a=b"1", b=b"22"), Delete("/a")])
    info = lake.pfs.catalog.commits.inspect(of(file_set))

    assert {"/b": b"22"} == lake.read(of(file_set))
    assert (CommitState.FINISHED, clock.now(), 2, 1) == (info.state, info.finished_at, info.size_bytes, info.files)
    assert (None, of(file_set)) == (info.parent, info.commit)


def test_nothing_is_kept_of_operations_that_fail(lake: OpenLake) -> None:
    """The bad path comes last, and there is no file set."""
    with pytest.raises(BadRequest):
        lake.pfs.file_sets.create([*puts(a=b"1"), Put("/../b", [b"2"])])

    with lake.db.read() as tx:
        assert [] == list(file_set_rows.living(tx))


def test_a_file_set_does_to_a_commit_what_its_operations_would(lake: OpenLake) -> None:
    """Appends append, deletes delete; into an open commit, as often as it is added."""
    lake.put_all(HEAD, {"/old": b"x", "/log": b"1", "/new": b"before"})
    operations = [Delete("/old"), Put("/log", [b"2"], append=True), Put("/new", [b"n"])]
    file_set = lake.pfs.file_sets.create(operations)
    commit = lake.pfs.catalog.commits.start(MASTER)

    lake.pfs.file_sets.add(commit, file_set)
    lake.pfs.file_sets.add(commit, file_set)

    assert {"/log": b"122", "/new": b"n"} == lake.read(commit)


def test_a_file_set_added_to_a_branch_is_a_commit_of_its_own(lake: OpenLake) -> None:
    """As a write to a branch is, when its head is finished."""
    before = lake.put(HEAD, "/a", b"1")

    made = lake.pfs.file_sets.add(HEAD, lake.pfs.file_sets.create(puts(b=b"2")))

    assert before == lake.pfs.catalog.commits.inspect(made).parent
    assert {"/a": b"1", "/b": b"2"} == lake.read(HEAD)


def test_the_total_of_a_commit_is_all_its_files(lake: OpenLake) -> None:
    """Whatever the commit itself changed; and the open commit's are those so far."""
    lake.put(HEAD, "/a", b"1")
    commit = lake.pfs.catalog.commits.start(MASTER)
    lake.put(commit, "/b", b"2")

    file_set = lake.pfs.file_sets.of_commit(commit)
    lake.put(commit, "/c", b"3")

    assert {"/a": b"1", "/b": b"2"} == lake.read(of(file_set))


def test_the_difference_of_a_commit_makes_it_of_its_parent(lake: OpenLake) -> None:
    """It holds what was added or changed, and takes away what was removed."""
    lake.put_all(HEAD, {"/gone": b"x", "/same": b"s", "/changed": b"1"})
    lake.pfs.writes.modify(HEAD, [Delete("/gone"), Put("/changed", [b"2"]), Put("/new", [b"n"])])
    whole = lake.read(HEAD)

    file_set = lake.pfs.file_sets.of_commit(HEAD, difference=True)
    again = lake.pfs.catalog.commits.start(MASTER)
    lake.put_all(again, {"/gone": b"x", "/changed": b"1"})
    lake.pfs.writes.modify(again, [Delete("/new")])
    lake.pfs.file_sets.add(again, file_set)

    assert {"/changed": b"2", "/new": b"n"} == lake.read(of(file_set))
    assert whole == lake.read(again)


def test_a_commit_that_changed_nothing_differs_by_nothing(lake: OpenLake) -> None:
    """Its difference is an empty file set, which changes nothing when it is added."""
    lake.put(HEAD, "/a", b"1")
    commit = lake.pfs.catalog.commits.start(MASTER)
    lake.pfs.finisher.finish(commit)

    file_set = lake.pfs.file_sets.of_commit(commit, difference=True)
    lake.pfs.file_sets.add(HEAD, file_set)

    assert {} == lake.read(of(file_set))
    assert {"/a": b"1"} == lake.read(HEAD)


def test_files_are_copied_from_a_file_set(lake: OpenLake) -> None:
    """As from any commit, and they outlive it."""
    file_set = lake.pfs.file_sets.create(puts(a=b"1"))

    lake.pfs.writes.modify(HEAD, [Copy(File(of(file_set), "/a"), "/copied")])

    assert {"/copied": b"1"} == lake.read(HEAD)


def test_composing_does_one_after_the_other(lake: OpenLake) -> None:
    """A later file set removes what an earlier one put, and appends to it."""
    first = lake.pfs.file_sets.create(puts(a=b"1", b=b"x"))
    second = lake.pfs.file_sets.create([Delete("/b"), Put("/a", [b"2"], append=True)])

    both = lake.pfs.file_sets.compose([first, second])
    turned = lake.pfs.file_sets.compose([second, first])

    assert {"/a": b"12"} == lake.read(of(both))
    assert {"/a": b"1", "/b": b"x"} == lake.read(of(turned))
    assert {} == lake.read(of(lake.pfs.file_sets.compose([])))


def test_a_file_set_of_a_file_set_is_a_copy(lake: OpenLake) -> None:
    """It does the same, deletes included."""
    lake.put_all(HEAD, {"/a": b"1", "/b": b"2"})
    file_set = lake.pfs.file_sets.create([Delete("/a"), *puts(c=b"3")])

    lake.pfs.file_sets.add(HEAD, lake.pfs.file_sets.of_commit(of(file_set)))

    assert {"/b": b"2", "/c": b"3"} == lake.read(HEAD)


def test_a_file_set_ends_when_its_time_is_over(lake: OpenLake, clock: ManualClock) -> None:
    """It cannot be read, added or renewed any more, and the error says what it was."""
    file_set = lake.pfs.file_sets.create(puts(a=b"1"), 60)
    clock.advance(60)

    for call in (
        lambda: lake.read(of(file_set)),
        lambda: lake.pfs.file_sets.add(HEAD, file_set),
        lambda: lake.pfs.file_sets.renew(file_set, 60),
        lambda: lake.pfs.file_sets.compose([file_set]),
        lambda: lake.pfs.file_sets.shard(file_set),
        lambda: lake.pfs.catalog.commits.inspect(of(file_set)),
    ):
        with pytest.raises(NotFound) as error:
            call()
        assert ErrorKind.FILESET_NOT_FOUND is error.value.kind
        assert error.value.message.startswith(f"file set {file_set} not found; it never was or has expired")


def test_a_file_set_that_is_renewed_lives_on(lake: OpenLake, clock: ManualClock) -> None:
    """From the moment of the renewal, for as long as it says, or ten minutes."""
    file_set = lake.pfs.file_sets.create(puts(a=b"1"), 60)
    clock.advance(59)
    lake.pfs.file_sets.renew(file_set, 0)
    clock.advance(DEFAULT_SECONDS - 1)

    assert {"/a": b"1"} == lake.read(of(file_set))


def test_a_file_set_that_is_worked_with_does_not_end_meanwhile(lake: OpenLake, clock: ManualClock) -> None:
    """Adding it keeps it alive for as long as a writer's lease."""
    file_set = lake.pfs.file_sets.create(puts(a=b"1"), 60)
    lake.pfs.file_sets.add(HEAD, file_set)
    clock.advance(61)

    assert {"/a": b"1"} == lake.read(of(file_set))


@pytest.mark.parametrize("seconds", [-1, MAX_SECONDS + 1])
def test_a_file_set_lives_for_half_an_hour_at_most(lake: OpenLake, seconds: int) -> None:
    """Without a renewal; the error says what can be asked for."""
    file_set = lake.pfs.file_sets.create(puts(a=b"1"))

    for call in (
        lambda: lake.pfs.file_sets.create([], seconds),
        lambda: lake.pfs.file_sets.renew(file_set, seconds),
        lambda: lake.pfs.file_sets.compose([file_set], seconds),
    ):
        with pytest.raises(BadRequest) as error:
            call()
        assert ErrorKind.BAD_ARGUMENT is error.value.kind


def test_what_ran_out_is_forgotten(lake: OpenLake, clock: ManualClock) -> None:
    """When another is made, or when asked to; and only the living are marked as in use."""
    lake.pfs.file_sets.create(puts(a=b"1"), 60)
    clock.advance(61)
    living = lake.pfs.file_sets.create(puts(b=b"2"), 60)

    with lake.db.read() as tx:
        assert [living] == [row.id for row in file_set_rows.living(tx)]
    assert 0 == lake.pfs.file_sets.expire()
    clock.advance(61)
    assert 1 == lake.pfs.file_sets.expire()


@pytest.mark.parametrize(
    ("files", "size", "expected"),
    [
        (2, 0, [("", "/c"), ("/c", "/e"), ("/e", "")]),
        (0, 3, [("", "/b"), ("/b", "/d"), ("/d", "")]),
        (1, 100, [("", "/b"), ("/b", "/c"), ("/c", "/d"), ("/d", "/e"), ("/e", "")]),
        (0, 0, [("", "")]),
    ],
)
def test_shards_cover_a_file_set_in_parts(
    lake: OpenLake, files: int, size: int, expected: list[tuple[str, str]]
) -> None:
    """By number of files or bytes, whichever comes first; the bounds at the ends are open."""
    file_set = lake.pfs.file_sets.create(puts(a=b"333", b=b"1", c=b"22", d=b"1", e=b"1"))

    assert expected == lake.pfs.file_sets.shard(file_set, files, size)


def test_shards_of_many_files_are_alike(lake: OpenLake) -> None:
    """Across ranges too; and every file is in one of them."""
    with_many = lake.pfs.file_sets.create([Put(f"/{n:05}", [b"x"]) for n in range(3000)])

    found = lake.pfs.file_sets.shard(with_many, 700)
    view = lake.pfs.files.view(of(with_many))
    counts = [sum(b.num_rows for b in view.fileset.batches(low, high or None)) for low, high in found]

    assert [700, 700, 700, 700, 200] == counts


def test_a_negative_shard_is_refused(lake: OpenLake) -> None:
    """Nothing is smaller than nothing."""
    file_set = lake.pfs.file_sets.create([])

    with pytest.raises(BadRequest):
        lake.pfs.file_sets.shard(file_set, -1)
    assert [("", "")] == lake.pfs.file_sets.shard(file_set)


@pytest.mark.parametrize("ref", [CommitRef(FILE_SETS, "master"), CommitRef(FILE_SETS, "", "0" * 12 + "4" + "0" * 19)])
def test_the_repo_of_file_sets_has_nothing_else(lake: OpenLake, ref: CommitRef) -> None:
    """No branch, and no file set that nobody made."""
    with pytest.raises(NotFound) as error:
        lake.pfs.files.view(ref)

    assert ErrorKind.FILESET_NOT_FOUND is error.value.kind
