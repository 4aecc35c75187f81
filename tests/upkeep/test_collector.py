# SPDX-License-Identifier: Apache-2.0
"""Garbage collection: what it takes, what it leaves, what comes back, and when it is gone."""

import random

import pytest

from howdah.db.engine import Database
from howdah.errors import BadRequest, Conflict, Damaged, ErrorKind, Unavailable
from howdah.kit import fail
from howdah.model.refs import Branch, CommitRef, File, Repo
from howdah.model.upkeep import Tally
from howdah.pfs.lake import Pfs
from howdah.pfs.writes import Copy, Put
from howdah.storage import changes
from howdah.storage.directory_store import DirectoryStore
from howdah.storage.storage import Storage
from howdah.storage.writer import ChangeWriter
from howdah.upkeep import Upkeep
from tests.upkeep.lakes import DAY, HOUR

BIG = random.Random(1).randbytes(3 << 20)  # a chunk of its own


class Stopped(Exception):
    """What a failpoint raises in place of a kill."""


def stop():
    raise Stopped


def filled(lake, name, *files):
    lake.repo(name)
    for number, data in enumerate(files):
        lake.commit(name, {f"/{number}": data})
    return lake.keys()


def test_what_a_commit_names_stays_for_ever(lake):
    """However old it is, and however often garbage is collected."""
    before = filled(lake, "a", b"one", BIG)
    lake.age(10 * DAY)

    collected = [lake.collect() for _ in range(3)][-1]

    assert before == lake.keys()
    assert Tally() == collected.thrown_away
    assert len(before) == collected.named.objects
    assert {"/0": b"one", "/1": BIG} == lake.files("a")


def test_a_deleted_repo_goes_into_the_trash_and_then_away(lake):
    """Only what nobody else has."""
    kept = filled(lake, "a", b"one", b"shared")
    filled(lake, "b", BIG, b"shared")
    lake.delete("b")
    lake.age()

    first = lake.collect()
    in_trash = lake.trash()
    lake.age(DAY + HOUR)
    second = lake.collect()

    assert first.thrown_away == second.removed
    assert first.thrown_away.size_bytes > len(BIG) // 2
    assert first.thrown_away.objects == len(in_trash)
    assert kept == lake.keys()
    assert set() == lake.trash()
    assert {"/0": b"one", "/1": b"shared"} == lake.files("a")


def test_a_dry_run_says_the_same_and_does_nothing(lake):
    """With the bytes for each reason."""
    filled(lake, "a", b"one")
    filled(lake, "b", BIG)
    lake.delete("b")
    lake.age()
    before = lake.keys()

    dry = lake.collect(dry_run=True)
    after = lake.keys()
    real = lake.collect()

    assert dry.dry_run
    assert before == after
    assert (dry.named, dry.thrown_away, dry.waiting) == (real.named, real.thrown_away, real.waiting)
    assert dry.thrown_away.objects


def test_new_objects_are_left_alone(lake):
    """Who stored them may be about to name them."""
    filled(lake, "a", BIG)
    lake.delete("a")
    lake.age(HOUR / 2)

    collected = lake.collect()

    assert Tally() == collected.thrown_away
    assert collected.young.objects


def test_a_writer_with_a_lease_loses_nothing(lake):
    """Not though it writes for days and stores what was garbage before it began."""
    lake.repo("a")
    filled(lake, "b", BIG)
    lake.delete("b")
    lake.age()
    started = lake.pfs.writes.start(CommitRef(Repo("default", "a"), "master"))
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "a test")) as writer:
        writer.put("/big", [BIG])
        layers = writer.finish()
    for _ in range(60):
        lake.age(9 * 60)
        lake.pfs.writes.renew(started.lease_id)
        if not _ % 10:
            lake.collect()

    lake.pfs.writes.hand_in(CommitRef(Repo("default", "a"), "master"), changes.encode(tuple(layers)), started.lease_id)

    assert {"/big": BIG} == lake.files("a")


def test_what_goes_while_a_writer_relies_on_it_comes_back(lake):
    """It found the object in its place; then that went into the trash; then it was handed in."""
    lake.repo("a")
    filled(lake, "b", BIG)
    lake.delete("b")
    lake.age()
    taken = []

    def sweep():
        if not taken:
            taken.append(lake.collect())

    with fail.during("pfs.modify.stored", sweep):
        lake.commit("a", {"/big": BIG})
    lake.age(10 * DAY)
    after = lake.collect(keep_seconds=0)

    assert {"/big": BIG} == lake.files("a")
    assert 0 == after.missing
    assert set() == lake.trash()


def test_what_is_wanted_again_in_the_middle_of_a_collection_stays(lake):
    """The writer came after the first look at leases and ended before the second; the store was listed before it."""
    lake.repo("b")
    filled(lake, "a", BIG)
    lake.delete("a")
    lake.age()
    written = []

    def write():
        if not written:
            written.append(lake.commit("b", {"/0": BIG}))

    with fail.during("gc.thrown_away", write):
        collected = lake.collect(keep_seconds=0)

    assert collected.thrown_away.objects
    assert set() == lake.trash()
    with lake.fresh_reader() as storage:
        [entry] = storage.fileset(lake.pfs.files.view(written[0]).fileset.root, "a reader").find("/0")
        assert BIG == b"".join(storage.reader.read(entry.extents, 0, entry.size, "a reader"))


def test_a_reader_goes_on_after_the_files_were_deleted(lake):
    """For as long as the trash is kept; what is read comes back, and goes again."""
    filled(lake, "a", BIG)
    view = lake.pfs.files.view(CommitRef(Repo("default", "a"), "master"))
    root = view.fileset.root
    lake.delete("a")
    lake.age()
    lake.collect()

    with lake.fresh_reader() as storage:
        [entry] = storage.fileset(root, "a reader").find("/0")
        read = b"".join(storage.reader.read(entry.extents, 0, entry.size, "a reader"))
    lake.age()
    lake.collect()
    lake.age(DAY + HOUR)
    lake.collect()

    assert BIG == read
    assert set() == lake.trash()
    assert {"lake.json"} >= lake.keys()


def test_a_copy_of_what_is_deleted_meanwhile_is_whole(lake):
    """Its extents came from a commit that is gone when they are handed in."""
    filled(lake, "a", BIG)
    lake.repo("b")

    def delete():
        lake.delete("a")
        lake.clock.advance(1)
        lake.collect(keep_seconds=0)

    source = CommitRef(Repo("default", "a"), "master")
    with fail.during("pfs.modify.stored", delete):
        lake.pfs.writes.modify(CommitRef(Repo("default", "b"), "master"), [Copy(File(source, "/0"), "/copy")])
    lake.age(10 * DAY)
    lake.collect()

    with lake.fresh_reader():
        assert {"/copy": BIG} == lake.files("b")


def test_an_open_commit_keeps_what_was_written_into_it(lake):
    """Its changes, what they were merged to, and what only memory knows of that."""
    lake.repo("a")
    commit = lake.start("a")
    for number in range(20):
        lake.pfs.writes.modify(commit, [Put(f"/{number}", [b"%d" % number * 9])])
    lake.pfs.files.view(commit)
    lake.age(10 * DAY)
    lake.collect()
    lake.age(10 * DAY)
    lake.collect()

    lake.pfs.finisher.finish(commit)

    assert 20 == len(lake.files("a"))
    assert 0 == lake.collect().missing


def test_what_pipelines_did_is_kept(lake):
    """Plans, results, what was done, outputs and meta commits; and a job that is at work goes on."""
    lake.repo("in")
    lake.pipeline("out", "in")
    lake.commit("in", {"/a": b"a", "/b": b"b"})
    lake.run()
    lake.commit("in", {"/c": b"c"})
    lake.pps.scheduler.settle()
    lake.age(10 * DAY)
    lake.collect()
    lake.age(10 * DAY)
    lake.collect()
    lake.restart()

    lake.run()

    assert {"/a": b"A", "/b": b"B", "/c": b"C"} == lake.files("out")
    assert 0 == lake.collect().missing
    assert {"SUCCESS"} == {job.state.name for job in lake.jobs("out")}


def test_nothing_is_left_of_a_lake_without_repos(lake):
    """Pipelines leave nothing behind either."""
    lake.repo("in")
    lake.pipeline("out", "in")
    lake.commit("in", {"/a": b"a", "/b": BIG})
    lake.run()
    lake.pps.pipelines.delete(next(iter(lake.pps.pipelines.list())).pipeline)
    lake.delete("in")
    lake.age()

    lake.collect(keep_seconds=0)

    assert set() == lake.keys() | lake.trash()


def test_without_keeping_it_goes_at_once(lake):
    """If nobody is at work."""
    filled(lake, "a", BIG)
    lake.delete("a")
    lake.clock.advance(1)

    collected = lake.collect(keep_seconds=0)

    assert collected.removed == collected.thrown_away
    assert set() == lake.keys() | lake.trash()


def test_while_a_writer_is_at_work_nothing_goes_for_good(lake):
    """Even when nothing shall be kept."""
    filled(lake, "a", BIG)
    lake.delete("a")
    lake.repo("b")
    lake.age()
    lake.pfs.writes.start(CommitRef(Repo("default", "b"), "master"))

    collected = lake.collect(keep_seconds=0)

    assert Tally() == collected.removed
    assert collected.waiting == collected.thrown_away


def test_undelete_brings_everything_back(lake):
    """What nobody names goes again, an hour later."""
    before = filled(lake, "a", BIG)
    lake.delete("a")
    lake.age()
    thrown = lake.collect().thrown_away

    back = lake.upkeep.collector.undelete().put_back
    keys = lake.keys()
    at_once = lake.collect().thrown_away
    lake.age()

    assert thrown == back
    assert before == keys
    assert Tally() == at_once
    assert thrown == lake.collect().thrown_away


@pytest.mark.parametrize("failpoint", ["gc.thrown_away", "gc.swept", "gc.removed"])
def test_a_collection_that_stops_anywhere_is_gone_on_with(lake, failpoint):
    """Everything that is named is there at every moment, and in the end nothing else."""
    kept = filled(lake, "a", b"one")
    filled(lake, "b", BIG, b"two")
    lake.delete("b")
    lake.age()
    with fail.during(failpoint, stop), pytest.raises(Stopped):
        lake.collect(keep_seconds=0)
    files = lake.files("a")

    lake.collect(keep_seconds=0)

    assert {"/0": b"one"} == files
    assert kept == lake.keys()
    assert set() == lake.trash()


def test_what_is_named_and_in_the_trash_goes_back(lake):
    """A kill in the wrong moment may leave it there."""
    before = filled(lake, "a", BIG)
    lake.age()
    for key in before - {"lake.json"}:
        lake.store.move(key, "trash/" + key)
    lake.restart()

    collected = lake.collect()

    assert before == lake.keys()
    assert set() == lake.trash()
    assert 0 == collected.missing


def test_two_at_once_are_one(lake):
    """The second is told so."""
    filled(lake, "a", b"one")
    refused = []

    def again():
        with pytest.raises(Unavailable) as error:
            lake.collect()
        refused.append(error.value)

    with fail.during("gc.swept", again):
        lake.collect()

    assert [ErrorKind.BUSY] == [error.kind for error in refused]


def test_nothing_is_taken_while_something_named_cannot_be_read(lake):
    """What lies below a damaged node is not known, so all of it might be needed when it is restored."""
    filled(lake, "a", b"one")
    filled(lake, "b", BIG)
    lake.delete("b")
    lake.age()
    view = lake.pfs.files.view(CommitRef(Repo("default", "a"), "master"))
    node = f"node/{view.fileset.root.hex()[:2]}/{view.fileset.root.hex()}"
    lake.store.delete(node)
    before = lake.keys()

    with pytest.raises(Damaged) as error:
        lake.collect()

    assert node in error.value.message
    assert "commit number" in error.value.message
    assert before == lake.keys()


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan")])
def test_a_time_that_is_none_is_refused(lake, seconds):
    """Before anything is looked at."""
    with pytest.raises(BadRequest):
        lake.collect(keep_seconds=seconds)


def test_a_lease_that_ran_out_protects_nothing(lake):
    """And what was stored under it cannot be handed in."""
    lake.repo("a")
    target = CommitRef(Repo("default", "a"), "master")
    started = lake.pfs.writes.start(target)
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "a test")) as writer:
        writer.put("/big", [BIG])
        layers = writer.finish()
    lake.age()

    collected = lake.collect(keep_seconds=0)

    assert collected.removed.size_bytes > 0
    with pytest.raises((Conflict, BadRequest)):
        lake.pfs.writes.hand_in(target, changes.encode(tuple(layers)), started.lease_id)


def test_a_directory_store_gives_its_space_back(tmp_path):
    """The same over real files: renamed into the trash, and removed."""
    store = DirectoryStore(tmp_path / "lake")
    with Database.open(tmp_path / "metadata.db") as db, Storage(store) as storage:
        pfs = Pfs.open(db, storage)
        upkeep = Upkeep.open(pfs)
        pfs.catalog.repos.create(Repo("default", "a"))
        pfs.writes.modify(CommitRef(Repo("default", "a"), "master"), [Put("/big", [BIG])])
        pfs.catalog.repos.delete(Repo("default", "a"))

        collected = upkeep.collector.collect(keep_seconds=0)

        assert collected.removed.size_bytes > 0
        assert [] == list(store.list())


def test_branches_that_are_deleted_leave_their_commits(lake):
    """The commits can still be named by their ids."""
    filled(lake, "a", b"one")
    [commit] = list(lake.pfs.catalog.commits.list(Repo("default", "a")))
    lake.pfs.catalog.branches.delete(Branch(Repo("default", "a"), "master"))
    lake.age(10 * DAY)
    lake.collect()
    lake.age(10 * DAY)
    lake.collect()

    with lake.fresh_reader():
        view = lake.pfs.files.view(commit.commit)
        assert b"one" == b"".join(view.get("/0"))


def test_a_file_set_keeps_what_it_names(lake):
    """For as long as it lives; then all of it goes."""
    lake.repo("a")
    kept = lake.pfs.file_sets.create([Put("/big", [BIG])], 1800)
    for _ in range(8):
        lake.age(1700)
        lake.pfs.file_sets.renew(kept, 1800)
    lake.collect(keep_seconds=0)
    lake.pfs.file_sets.add(CommitRef(Repo("default", "a"), "master"), kept)
    files = lake.files("a")
    lake.delete("a")
    lake.age()
    lake.collect(keep_seconds=0)

    assert {"/big": BIG} == files
    assert set() == lake.keys() | lake.trash()


def test_a_server_that_starts_holds_no_leases_of_the_one_before(lake):
    """Its writers ended with it, so they keep no garbage."""
    filled(lake, "a", BIG)
    with lake.pfs.held.hold():
        lake.delete("a")
        lake.clock.advance(1)
        before = lake.collect(keep_seconds=0)
        lake.restart()
        lake.pfs.held.begin()

        after = lake.collect(keep_seconds=0)

    assert Tally() == before.removed
    assert after.removed.size_bytes > len(BIG)


def test_what_a_probe_left_is_removed_after_a_day(lake):
    """One that is at work is left alone."""
    lake.store.put("probe/1234/first", b"abc")
    lake.age(DAY)
    lake.age()
    lake.store.put("probe/5678/second", b"abc")

    tried = lake.collect(dry_run=True).removed
    done = lake.collect().removed

    assert tried == done
    assert {"probe/5678/second"} == lake.keys("probe/")
