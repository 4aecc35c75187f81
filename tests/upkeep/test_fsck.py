# SPDX-License-Identifier: Apache-2.0
"""Checks of a lake: silent on a good one; each kind of planted damage is found, and whom it hurts is said."""

import dataclasses
import random
import threading

import pytest
from sqlalchemy import text

from howdah.errors import BadRequest
from howdah.model.upkeep import Fault, Proved
from howdah.pfs import closing
from howdah.pfs.resolve import exact
from howdah.pfs.writes import Put
from howdah.storage.filesets import Later
from howdah.upkeep.fsck import Fsck
from howdah.upkeep.proving import Part
from tests.pps.lakes import master

BIG = random.Random(4).randbytes(3 << 20)


@pytest.fixture
def full(lake):
    """A repo with a big and many small files, a pipeline over it, and an open commit with a change."""
    lake.repo("in")
    lake.pipeline("out", {"repo": "in", "glob": "/"})
    lake.commit("in", {"/big": BIG, **{f"/small/{number}": b"%d" % number * 50 for number in range(1500)}})
    lake.run()
    lake.repo("open")
    lake.commit("open", {"/a": b"a"})
    lake.pfs.writes.modify(lake.start("open"), [Put("/b", [b"b"])])
    lake.age()
    lake.collect(keep_seconds=0)
    return lake


def check(lake, **options):
    lake.restart()
    return [each for each in lake.upkeep.fsck.check(**options) if isinstance(each, Fault)]


def objects(lake, kind):
    """The objects of a kind, the largest first."""
    return [info.key for info in sorted(lake.store.list(kind + "/"), key=lambda info: -info.size)]


def flip(lake, key):
    data = bytearray(lake.store.get(key))
    data[len(data) // 2] ^= 1
    replace(lake, key, bytes(data))


def replace(lake, key, data):
    lake.store.delete(key)
    lake.store.put(key, data)


def truncate(lake, key):
    replace(lake, key, lake.store.get(key)[:-7])


def delete(lake, key):
    lake.store.delete(key)


def statement(lake, sql):
    with lake.db.write() as tx:
        tx.execute(text("PRAGMA defer_foreign_keys = ON"))
        tx.execute(text(sql))


def test_a_good_lake_has_no_fault(full):
    """And all its bytes are read."""
    answers = list(full.upkeep.fsck.check())

    assert [] == [each for each in answers if isinstance(each, Fault)]
    assert isinstance(answers[-1], Proved)
    assert "" == answers[-1].after
    assert answers[-1].size_bytes > len(BIG)


@pytest.mark.parametrize(
    "harm", [flip, truncate, lambda lake, key: lake.store.delete(key)], ids=["flip", "cut", "gone"]
)
@pytest.mark.parametrize("kind", ["chunk", "range", "node"])
def test_each_damage_of_each_object_is_found(full, kind, harm):
    """With the object, the commits and the paths."""
    key = objects(full, kind)[0]
    harm(full, key)

    faults = check(full)

    assert faults
    assert all(key.rpartition("/")[2] in fault.what for fault in faults)
    assert all(" in commit default/" in fault.hurt or " in pipeline " in fault.hurt for fault in faults)
    assert all("file" in fault.hurt and "restore the object" in fault.advice for fault in faults)


def test_the_files_of_a_damaged_pack_are_named(lake):
    """Only those that lie in it."""
    lake.repo("a")
    lake.commit("a", {"/one": b"1", "/two": b"2"})
    lake.commit("a", {"/three": b"3"})
    good = set(objects(lake, "chunk"))
    lake.commit("a", {"/four": b"4"})
    [key] = set(objects(lake, "chunk")) - good
    flip(lake, key)

    [fault] = check(lake)

    assert "file /four in commit default/a@" in fault.hurt
    assert "/one" not in fault.hurt


def test_a_chunk_that_only_a_change_names_is_proved(lake):
    """An open commit's bytes are no less dear."""
    lake.repo("a")
    commit = lake.start("a")
    lake.pfs.writes.modify(commit, [Put("/x", [b"x" * 5000])])
    flip(lake, objects(lake, "chunk")[0])

    [fault] = check(lake)

    assert f"what was written into commit {commit}" == fault.hurt


def test_every_fault_is_in_exactly_one_part(full):
    """The parts together find what the whole does."""
    for key in objects(full, "range"):
        flip(full, key)

    whole = sorted(str(fault) for fault in check(full))
    parts = sorted(str(fault) for number in (1, 2, 3) for fault in check(full, part=Part(number, 3)))

    assert len(whole) > 3
    assert whole == parts


def test_a_check_is_gone_on_with_where_it_was_broken_off(full):
    """What comes after is proved, what came before is not read again."""
    names = sorted(bytes.fromhex(key.rpartition("/")[2]) for key in objects(full, "range"))
    middle = names[len(names) // 2].hex()

    last = list(full.upkeep.fsck.check(after=middle))[-1]

    assert last.ranges_total < len(names) / 2 + 1


@pytest.mark.parametrize("options", [{"after": "zz"}, {"bytes_per_second": -1}])
def test_what_cannot_be_asked_for_is_refused(full, options):
    """Before anything is read."""
    with pytest.raises(BadRequest):
        full.upkeep.fsck.check(**options)
    with pytest.raises(BadRequest):
        Part(4, 3)


def test_a_rate_is_kept_to(full):
    """It waits for as long as the bytes may take."""
    waited = []
    lock = threading.Lock()

    def pause(seconds):
        with lock:
            waited.append(seconds)
            full.clock.advance(seconds)

    fsck = Fsck(full.db, full.pfs.catalog.works, full.storage.store, pause=pause)

    last = list(fsck.check(bytes_per_second=1 << 20))[-1]

    assert sum(waited) > 3
    assert last.size_bytes > len(BIG)


FAULTS = {
    "no head": ("UPDATE branch SET head_id = (SELECT id FROM commit_ WHERE repo_id != branch.repo_id LIMIT 1) "
                "WHERE name = 'master' AND id = (SELECT min(id) FROM branch)", "no commit of its repo", False),
    "a parent": ("UPDATE commit_ SET parent_id = id WHERE id = 1", "no older commit", False),
    "no files": ("UPDATE commit_ SET finishing_at = NULL WHERE id = (SELECT id FROM commit_ WHERE finished_at "
                 "IS NOT NULL LIMIT 1)", "finished without files", False),
    "halfway": ("UPDATE commit_ SET finishing_at = started_at WHERE finished_at IS NULL", "nobody finishes it", True),
    "unready": ("UPDATE commit_ SET ready_at = NULL WHERE finished_at IS NULL", "all that it depends on", True),
    "changes": ("UPDATE commit_change SET commit_id = (SELECT id FROM commit_ WHERE finished_at IS NOT NULL LIMIT 1)",
                "changes that were not merged", True),
    "job": ("UPDATE commit_ SET finished_at = NULL, finishing_at = NULL, root = NULL WHERE id = "
            "(SELECT output_commit_id FROM job LIMIT 1)", "has ended as", False),
    "provenance": ("DELETE FROM commit_provenance WHERE commit_id = (SELECT head_id FROM branch JOIN repo ON "
                   "repo.id = repo_id WHERE repo.name = 'out' AND repo.type = 'user')", "does not depend on", True),
    "circle": ("INSERT INTO branch_provenance (branch_id, upstream_id, position, never) SELECT upstream_id, branch_id, "
               "9, 0 FROM branch_provenance WHERE position = 0 LIMIT 1", "depends on itself", False),
    "sizes": ("UPDATE commit_ SET size_bytes = size_bytes + 1 WHERE size_bytes > 0", "are said to be", False),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_of_the_metadata_is_found(full, name):
    """And mended if that loses nothing."""
    sql, expected, mended = FAULTS[name]
    statement(full, sql)

    found = check(full)
    repaired = check(full, repair=True)
    left = check(full)

    assert any(expected in fault.what for fault in found), found
    assert all(fault.advice and not fault.repaired for fault in found)
    if mended:
        assert any(expected in fault.what and fault.repaired for fault in repaired)
        assert not any(expected in fault.what for fault in left), left


def test_a_repaired_provenance_leads_to_new_results(full):
    """The pipeline runs again for the newest data."""
    statement(full, FAULTS["provenance"][0])
    before = len(full.jobs("out"))

    check(full, repair=True)
    full.run()

    assert before < len(full.jobs("out"))
    assert [] == check(full)


def test_a_range_that_is_not_what_its_node_says_is_found(lake):
    """Both are whole by themselves, so only the digest tells."""
    lake.repo("a")
    lake.commit("a", {"/one": b"1"})
    root = lake.pfs.files.view(master("a")).fileset.root
    [child] = lake.storage.filesets.node(root, "a test").children
    wrong = lake.storage.filesets.put_node(1, (dataclasses.replace(child, digest=b"?" * 32),), Later())
    commit = lake.start("a")
    with lake.db.write() as tx:
        closing.close_row(tx, exact(tx, commit).id, wrong.name, 1, 1)

    [fault] = check(lake)

    assert "holds other files than the node above it says" in fault.what
    assert "files from /one to /one in commit " in fault.hurt
    assert str(commit) in fault.hurt
