# SPDX-License-Identifier: Apache-2.0
"""Datums that failed and were recovered: the job goes on without them, and the next one tries them again."""

import pytest

from howdah.model.states import DatumState, JobState
from tests.pps.lakes import Recovered, copy


def recovering(path):
    """Code that fails at one file, and is recovered from."""

    def code(parts):
        if any(path in files for files in parts.values()):
            raise Recovered("failed: its command exited with code 3")
        return copy(parts)

    return code


@pytest.fixture
def recovered(lake):
    """A job of three datums one of which was recovered."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"one", "/b": b"two", "/c": b"three"})
    lake.run(recovering("/b"))
    lake.taken()
    return lake


def test_a_job_with_a_recovered_datum_succeeds_without_its_output(recovered):
    """The counts and the list of datums say which one it is, and why."""
    job = recovered.job("up")
    states = {datum.inputs[0].file.path: (datum.state, datum.reason) for datum in recovered.pps.datums.list(job.job)}

    assert JobState.SUCCESS is job.state
    assert (3, 2, 0, 1) == (job.datums_total, job.datums_processed, job.datums_failed, job.datums_recovered)
    assert {"/a": b"ONE", "/c": b"THREE"} == recovered.files("up")
    assert (DatumState.RECOVERED, "failed: its command exited with code 3") == states["/b"]


def test_a_recovered_datum_is_run_again_by_the_next_job(recovered):
    """By that time it may succeed; then its output is there, and it is done for good."""
    recovered.commit("in", {"/d": b"four"})
    recovered.run()
    second = recovered.taken()
    recovered.commit("in", {"/e": b"five"})
    recovered.run()

    assert (["/b", "/d"], ["/e"]) == (second, recovered.taken())
    assert {"/a": b"ONE", "/b": b"TWO", "/c": b"THREE", "/d": b"FOUR", "/e": b"FIVE"} == recovered.files("up")


def test_a_datum_that_is_recovered_again_and_again_never_holds_up_a_job(recovered):
    """Each job tries it; each succeeds without it."""
    for number in range(2):
        recovered.commit("in", {f"/d{number}": b"x"})
        recovered.run(recovering("/b"))

    assert {JobState.SUCCESS} == {job.state for job in recovered.jobs("up")}
    assert (1, 1) == (recovered.job("up").datums_recovered, recovered.job("up").datums_processed)
    assert {"/a", "/c", "/d0", "/d1"} == set(recovered.files("up"))


def test_the_output_of_an_earlier_run_does_not_stand_for_a_recovered_datum(lake):
    """Where every job runs all datums, one that succeeded once and is recovered now has no output."""
    lake.repo("in")
    lake.pipeline("up", "in", reprocessSpec="every_job")
    lake.commit("in", {"/a": b"one", "/b": b"two"})
    lake.run()
    lake.commit("in", {"/c": b"three"})
    lake.run(recovering("/b"))

    assert {"/a": b"ONE", "/c": b"THREE"} == lake.files("up")
