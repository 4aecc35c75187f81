# SPDX-License-Identifier: Apache-2.0
"""Two datums of one hand-in that write one path: the job fails at once, and does not run to its end first."""

import pytest

from howdah.errors import Conflict, ErrorKind
from howdah.model.states import DatumState, JobState
from howdah.pps.infos import DatumResult
from howdah.storage import changes
from howdah.storage.writer import ChangeWriter


@pytest.fixture
def clashed(lake):
    """A job of three datums; what became of handing in the first two, which wrote one path."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"number": 3})
    lake.commit("in", {"/a": b"one", "/b": b"two", "/c": b"three"})
    lake.pps.scheduler.settle()
    claim = lake.pps.claims.claim("w1")
    ids = [datum.id for datum in lake.pps.datums.list(lake.job("up").job)][:2]
    with ChangeWriter(lake.storage, lake.storage.fileset(None, "a test")) as writer:
        for each in ids:
            writer.put("/own/" + each, [b"mine"], datum=each, append=True)
            writer.put("/same", [b"both"], datum=each, append=True)
        body = changes.encode(writer.finish())
    results = [DatumResult(each, DatumState.SUCCESS) for each in ids]
    with pytest.raises(Conflict) as error:
        lake.pps.claims.hand_in(claim.set_id, claim.fence, body, results)
    return lake, ids, error.value


def test_the_job_fails_at_once_and_names_both(clashed):
    """One datum has not even run; the worker drops its claim."""
    lake, (first, second), error = clashed
    job = lake.job("up")
    lake.run()

    assert ErrorKind.CLAIM_LOST is error.kind
    assert JobState.FAILURE is job.state
    assert f"file /same was written by two datums, {first} and {second}; let each datum write" in job.reason
    assert [] == lake.taken()
    assert {} == lake.files("up")


def test_all_of_it_runs_again_when_the_code_is_mended(clashed):
    """Nothing of such a job counts as done."""
    lake, *_ = clashed

    lake.pipeline("up", "in", update=True, description="mended")
    lake.run()

    assert ["/a", "/b", "/c"] == lake.taken()
    assert {"/a": b"ONE", "/b": b"TWO", "/c": b"THREE"} == lake.files("up")
