# SPDX-License-Identifier: Apache-2.0
"""Two datums that write one path: the job fails at the first moment that it is known, and does not run to its end."""

import pytest

from howdah.errors import Conflict, ErrorKind
from howdah.model.states import DatumState, JobState
from howdah.pps import paths_written
from howdah.pps.infos import DatumResult
from howdah.pps.paths_written import PathsWritten
from howdah.storage import changes
from howdah.storage.writer import ChangeWriter
from tests.pps.lakes import Failure, copy


@pytest.fixture
def up(lake):
    """A lake with a job of three datums, which ran in two sets."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"number": 2})
    lake.commit("in", {"/a": b"one", "/b": b"two", "/c": b"three"})
    lake.pps.scheduler.settle()
    return lake


def one_hand_in(lake):
    """Hand in two datums at once, which wrote one path."""
    claim = lake.pps.claims.claim("w1")
    ids = ids_of(lake)[:2]
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "a test")) as writer:
        for each in ids:
            writer.put("/own/" + each, [b"mine"], datum=each, append=True)
            writer.put("/same", [b"both"], datum=each, append=True)
        body = changes.encode(writer.finish())
    lake.pps.claims.hand_in(claim.set_id, claim.fence, body, [DatumResult(each, DatumState.SUCCESS) for each in ids])


def of_one_set(lake):
    """One datum after the other of one set."""
    claim = lake.pps.claims.claim("w1")
    for number in range(2):
        lake.hand_in(claim, number, same)


def of_two_workers(lake):
    """The last of the first set, and the third, whose worker has begun before."""
    claim, other = lake.pps.claims.claim("w1"), lake.pps.claims.claim("w2")
    lake.hand_in(claim, 0)
    lake.hand_in(other, 0, same)
    lake.hand_in(claim, 1, same)


def after_a_restart(lake):
    """The server was started anew in between, and has to read what was handed in."""
    claim = lake.pps.claims.claim("w1")
    lake.hand_in(claim, 0, same)
    lake.restart()
    lake.hand_in(claim, 1, same)


def same(parts):
    return {"/same": b"both", **copy(parts)}


def ids_of(lake):
    return [datum.id for datum in lake.pps.datums.list(lake.job("up").job)]


@pytest.mark.parametrize("handed_in", [one_hand_in, of_one_set, of_two_workers, after_a_restart])
def test_the_job_fails_at_once_and_names_both(up, handed_in):
    """Its other datums do not even run; the worker drops its claim. All of it runs again when the code is mended."""
    ids = ids_of(up)
    with pytest.raises(Conflict) as error:
        handed_in(up)
    job = up.job("up")
    first, second = ids[1:] if handed_in is of_two_workers else ids[:2]
    up.taken()
    up.run()

    assert ErrorKind.CLAIM_LOST is error.value.kind
    assert JobState.FAILURE is job.state
    assert f"file /same was written by two datums, {first} and {second}; let each datum write" in job.reason
    assert [] == up.taken()
    assert {} == up.files("up")
    assert 0 == len(up.pps.claims.written)

    up.pipeline("up", "in", update=True, description="mended")
    up.run()
    assert ["/a", "/b", "/c"] == up.taken()
    assert {"/a": b"ONE", "/b": b"TWO", "/c": b"THREE"} == up.files("up")


def test_what_a_datum_writes_in_vain_clashes_with_nothing(up):
    """Of one that failed, or results that are handed in twice."""
    claim = up.pps.claims.claim("w1")
    up.hand_in(claim, 0, same)
    up.hand_in(claim, 0, same)
    up.hand_in(claim, 1, fails)
    up.work(fails)
    up.pps.scheduler.settle()
    failed = up.job("up")
    up.pipeline("up", "in", update=True, description="mended")
    up.run()

    assert JobState.FAILURE is failed.state
    assert "failed" in failed.reason
    assert JobState.SUCCESS is up.job("up").state
    assert b"both" == up.files("up")["/same"]


def fails(parts):
    raise Failure(f"{len(parts)} failed")


def test_a_hash_that_two_paths_have_is_no_clash(up, monkeypatch):
    """What was handed in is read before a job fails."""
    monkeypatch.setattr(paths_written, "_hash", lambda _: 7)

    up.run()

    assert JobState.SUCCESS is up.job("up").state
    assert {"/a", "/b", "/c"} == set(up.files("up"))


def test_beyond_what_may_be_held_a_clash_is_found_at_the_end(up, monkeypatch):
    """The same reason then, after all datums ran."""
    monkeypatch.setattr(up.pps.claims, "written", PathsWritten(paths_max=1))
    ids = ids_of(up)

    up.run(same)

    assert ["/a", "/b", "/c"] == up.taken()
    assert JobState.FAILURE is up.job("up").state
    assert f"file /same was written by two datums, {ids[0]} and {ids[1]}; let each" in up.job("up").reason


def test_jobs_that_were_stopped_are_forgotten(lake, monkeypatch):
    """When there is no room for another one that runs."""
    monkeypatch.setattr(paths_written, "_JOBS_MIN", 1)
    lake.pps.claims.written = PathsWritten()
    for name in ("one", "two"):
        lake.repo(f"in-{name}")
        lake.pipeline(name, f"in-{name}", datumSetSpec={"number": 2})
        lake.commit(f"in-{name}", {"/a": b"1", "/b": b"2"})
        lake.pps.scheduler.settle()
        lake.hand_in(lake.pps.claims.claim("w1"), 0)
        held = len(lake.pps.claims.written)
        lake.pps.jobs.stop(lake.job(name).job)
        lake.pps.scheduler.settle()

    assert 1 == held
