# SPDX-License-Identifier: Apache-2.0
"""The scheduler survives: crashes at every step, errors of one pipeline, and its own threads."""

import threading

import pytest

from howdah.kit import fail
from howdah.model.states import JobState
from tests.pps.lakes import Failure, Lake, copy


class Crash(BaseException):
    """As if the process had ended."""


def crash():
    raise Crash


def test_a_crash_at_any_step_loses_nothing(lake):
    """After a restart the job ends as if nothing had happened, and no datum runs twice whose result was taken."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"number": 1})
    for point in ("pps.plan.stored", "pps.claim", "pps.result", "pps.finish.stored", "pps.finish.done"):
        lake.commit("in", {f"/{point}": b"x", f"/{point}2": b"y"})
        with fail.during(point, crash), pytest.raises(Crash):
            lake.run()
        lake.restart()
        lake.pps.claims.release(everything=True)
        lake.run()

        assert JobState.SUCCESS is lake.job("up").state, point

    assert 10 == len(lake.files("up"))
    again = [name for name in set(lake.ran) if lake.ran.count(name) > 1]
    assert 1 == len(again)  # the one whose result was not taken
    assert again[0].startswith("/pps.result")


def test_a_crash_after_a_kill_keeps_what_succeeded(lake):
    """What was handed in is collected by the next scheduler."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"number": 1})
    lake.commit("in", {"/a": b"1", "/b": b"2"})
    lake.pps.scheduler.settle()
    lake.work()
    [done] = lake.taken()
    lake.pps.jobs.stop(lake.job("up").job)
    with fail.during("pps.finish.stored", crash), pytest.raises(Crash):
        lake.pps.scheduler.settle()

    lake.restart()
    lake.commit("in", {"/c": b"3"})
    lake.run()

    assert sorted({"/a", "/b", "/c"} - {done}) == lake.taken()


def test_an_error_of_one_pipeline_does_not_hold_up_another(lake):
    """A damaged object ends that job with the reason; the other goes on."""
    lake.repo("bad")
    lake.repo("good")
    lake.pipeline("first", "bad")
    lake.pipeline("second", "good")
    lake.run()
    commit = lake.commit("bad", {"/a": b"1"})
    root = lake.pfs.files.view(commit).fileset.root.hex()
    lake.storage.store.delete(f"node/{root[:2]}/{root}")
    lake.restart()
    other = lake.commit("good", {"/b": b"2"})

    lake.run()

    assert JobState.FAILURE is lake.job("first").state
    assert f"node/{root[:2]}/{root} is missing" in lake.job("first").reason
    assert (JobState.SUCCESS, other.id) == (lake.job("second").state, lake.job("second").job.id)


def test_results_that_cannot_be_read_are_done_again(lake):
    """A damaged result ends its job; the datums run again in the next one."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"number": 1})
    lake.commit("in", {"/a": b"1"})
    lake.pps.scheduler.settle()
    todo = lake.work().todo_root.hex()
    node = lake.store.get(f"node/{todo[:2]}/{todo}")
    lake.store.delete(f"node/{todo[:2]}/{todo}")
    lake.restart()

    lake.run()
    assert JobState.FAILURE is lake.job("up").state
    assert "is missing" in lake.job("up").reason
    lake.store.put(f"node/{todo[:2]}/{todo}", node)
    lake.pipeline("up", "in", update=True, description="again")
    lake.run()

    assert {"/a": b"1"} == lake.files("up")


def test_claims_that_run_out_are_seen_by_the_tick(lake):
    """A waiting worker is woken by the event."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"1"})
    lake.pps.scheduler.settle()
    lake.pps.claims.claim("w1")
    heard = []
    lake.db.on_commit(lambda events: heard.extend(event.subject for event in events))

    lake.clock.advance(31)
    lake.pps.scheduler.settle()

    assert ["work"] == heard
    assert lake.pps.claims.claim("w2") is not None


def test_it_runs_in_threads_of_its_own():
    """Started, it takes jobs to their end as commits and results come; stopped, it ends."""
    lake = Lake(workers=2)
    woken = threading.Semaphore(0)
    lake.db.on_commit(lambda events: [woken.release() for event in events if event.subject == "work"])
    ended = threading.Event()
    lake.db.on_commit(
        lambda events: [ended.set() for event in events if event.body.get("state") in ("JOB_SUCCESS", "JOB_FAILURE")]
    )
    try:
        lake.repo("in")
        lake.pps.scheduler.start()
        lake.pipeline("up", "in")
        assert ended.wait(10)
        ended.clear()
        lake.commit("in", {"/a": b"one", "/b": b"two"})
        while not ended.is_set():
            assert woken.acquire(timeout=10)
            while lake.work():
                pass
            ended.wait(0.2)

        assert JobState.SUCCESS is lake.job("up").state
        assert {"/a": b"ONE", "/b": b"TWO"} == lake.files("up")
    finally:
        lake.pps.scheduler.stop()
        lake.pps.scheduler.stop()
        lake.close()


def test_a_failure_in_the_middle_of_a_chain_is_mended(lake):
    """Downstream jobs are unrunnable until the mend, and then all is as if it had never failed."""
    lake.repo("in")
    lake.pipeline("first", "in")
    lake.pipeline("second", "first")
    lake.commit("in", {"/a": b"one", "/b": b"two"})

    def code(parts):
        if "/b" in next(iter(parts.values())):
            raise Failure("no")
        return copy(parts)

    lake.run(code)
    lake.pipeline("first", "in", update=True, description="mended")
    lake.run()

    assert [JobState.UNRUNNABLE, JobState.SUCCESS] == [job.state for job in lake.jobs("second")[-2:]]
    assert {"/a": b"ONE", "/b": b"TWO"} == lake.files("second")
