# SPDX-License-Identifier: Apache-2.0
"""The protocol of workers: claims, fences, hand-ins, and what is left of a worker that dies."""

import pytest

from howdah.errors import BadRequest, Conflict, ErrorKind
from howdah.model.states import DatumState, JobState
from howdah.pps.claims import CLAIM_SECONDS
from howdah.pps.infos import DatumResult
from howdah.storage import changes
from howdah.storage.extents import Extents
from howdah.storage.rows import Entry, from_entries
from tests.pps.lakes import Failure


def planned(lake, number, *, set_size, **fields):
    """A running job of so many datums, in sets of a given size."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"number": set_size}, **fields)
    lake.commit("in", {f"/{n}": b"%d" % n for n in range(number)})
    lake.pps.scheduler.settle()


def test_two_workers_never_get_the_same_set(lake):
    """Each set is claimed once, and when all are claimed there is no work."""
    planned(lake, 4, set_size=2)

    claims = [lake.pps.claims.claim(name) for name in ("w1", "w2", "w3")]

    assert [(0, 2), (2, 2)] == [(claim.first, claim.count) for claim in claims[:2]]
    assert claims[2] is None


def test_a_claim_tells_all_that_a_worker_needs(lake):
    """The job, the code, where the datums are and what is read under which name."""
    planned(lake, 1, set_size=1)

    claim = lake.pps.claims.claim("w1")

    assert lake.job("up").job == claim.job
    assert lake.job("up").output_commit == claim.output_commit
    assert '"cmd":["run"]' in claim.spec
    assert [("in", "default/in@master")] == [(each.name, str(each.branch)) for each in claim.inputs]
    assert lake.pfs.files.view(claim.inputs[0].commit).fileset.root == claim.inputs[0].root


def test_a_claim_that_ran_out_goes_to_another_worker(lake):
    """The new claim has another fence, and the old one is refused whatever it is used for."""
    planned(lake, 1, set_size=1)
    old = lake.pps.claims.claim("w1")
    lake.clock.advance(CLAIM_SECONDS + 1)

    new = lake.pps.claims.claim("w2")

    assert (old.set_id, True) == (new.set_id, new.fence > old.fence)
    for call in (lambda: lake.pps.claims.renew(old.set_id, old.fence), lambda: lake.hand_in(old, 0)):
        with pytest.raises(Conflict) as error:
            call()
        assert ErrorKind.CLAIM_LOST == error.value.kind
    lake.hand_in(new, 0)
    lake.run()
    assert JobState.SUCCESS is lake.job("up").state


def test_a_renewed_claim_is_kept(lake):
    """Renewing in time keeps others away; so does handing in."""
    planned(lake, 3, set_size=3)
    claim = lake.pps.claims.claim("w1")
    lake.clock.advance(CLAIM_SECONDS - 1)
    lake.pps.claims.renew(claim.set_id, claim.fence)
    lake.clock.advance(CLAIM_SECONDS - 1)
    lake.hand_in(claim, 0)
    lake.clock.advance(CLAIM_SECONDS - 1)

    assert lake.pps.claims.claim("w2") is None


def test_what_a_dead_worker_handed_in_is_not_done_again(lake):
    """The next worker gets the rest of the set."""
    planned(lake, 3, set_size=3)
    claim = lake.pps.claims.claim("w1")
    lake.hand_in(claim, 0)
    lake.clock.advance(CLAIM_SECONDS + 1)

    rest = lake.pps.claims.claim("w2")

    assert (1, 2) == (rest.first, rest.count)
    lake.hand_in(rest, 0)
    lake.hand_in(rest, 1)
    lake.run()
    assert (3, 3) == (lake.job("up").datums_processed, len(lake.files("up")))


def test_a_server_that_starts_gives_back_all_claims(lake):
    """Its workers are new, so nobody waits for the old ones."""
    planned(lake, 1, set_size=1)
    old = lake.pps.claims.claim("w1")

    assert lake.pps.claims.release(everything=True)

    assert lake.pps.claims.claim("w2").set_id == old.set_id
    with pytest.raises(Conflict):
        lake.hand_in(old, 0)


def test_parallelism_bounds_a_pipelines_share(lake):
    """With a constant of 1, one worker at a time has a set; the next one when that is done."""
    planned(lake, 2, set_size=1, parallelismSpec={"constant": 1})
    first = lake.pps.claims.claim("w1")
    assert lake.pps.claims.claim("w2") is None

    lake.hand_in(first, 0)

    assert lake.pps.claims.claim("w2") is not None


def test_without_parallelism_all_workers_help(lake):
    """A spec that does not say may use the whole pool, and is cut into sets for it."""
    lake.workers = 2
    lake.restart()
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {f"/{n}": b"%d" % n for n in range(16)})
    lake.pps.scheduler.settle()

    claims = [lake.pps.claims.claim(f"w{n}") for n in range(9)]

    assert [2] * 8 == [claim.count for claim in claims if claim]


def test_sets_may_be_cut_by_size(lake):
    """With size_bytes a set ends where its inputs have as many bytes."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"sizeBytes": 10})
    lake.commit("in", {"/a": b"123456", "/b": b"123456", "/c": b"123456"})
    lake.pps.scheduler.settle()

    assert [2, 1] == [lake.pps.claims.claim(name).count for name in ("w1", "w2")]


@pytest.mark.parametrize("ids", [["0" * 32], "reversed", "twice"])
def test_results_come_in_the_order_of_the_set(lake, ids):
    """Strangers, another order, and a datum twice are refused; the set is as it was."""
    planned(lake, 2, set_size=2)
    claim = lake.pps.claims.claim("w1")
    right = [datum.id for datum in lake.pps.datums.list(claim.job)]
    given = {"reversed": right[::-1], "twice": [*right, right[0]]}.get(str(ids), ids)

    results = [DatumResult(datum, DatumState.SUCCESS) for datum in given]

    with pytest.raises(BadRequest) as error:
        lake.pps.claims.hand_in(claim.set_id, claim.fence, b"", results)

    assert "is not the next one of datum set" in error.value.message
    lake.hand_in(claim, 0)
    lake.hand_in(claim, 1, last=True)


def test_a_hand_in_that_is_repeated_counts_once(lake):
    """A worker that did not hear the answer says it again."""
    planned(lake, 2, set_size=2)
    claim = lake.pps.claims.claim("w1")
    lake.hand_in(claim, 0)

    lake.hand_in(claim, 0)
    lake.hand_in(claim, 1)
    lake.run()

    assert (JobState.SUCCESS, 2) == (lake.job("up").state, lake.job("up").datums_processed)
    assert {"/0": b"0", "/1": b"1"} == lake.files("up")


def test_a_set_does_not_end_before_all_its_results_came(lake):
    """`last` with datums left is a mistake of the worker."""
    planned(lake, 2, set_size=2)
    claim = lake.pps.claims.claim("w1")

    with pytest.raises(BadRequest) as error:
        lake.hand_in(claim, 0, last=True)

    assert "has 1 more datums" in error.value.message


def test_a_result_whose_bytes_are_not_in_the_store_is_refused(lake):
    """Objects come first: a change that names a missing chunk is not taken."""
    planned(lake, 1, set_size=1)
    claim = lake.pps.claims.claim("w1")
    [datum] = lake.pps.datums.list(claim.job)
    lost = Entry("/x", datum.id, 1, b"h" * 32, b"", Extents.one(b"c" * 32, 0, 1))
    change = changes.encode((changes.Layer(appends=from_entries([lost])),))

    with pytest.raises(BadRequest) as error:
        lake.pps.claims.hand_in(claim.set_id, claim.fence, change, [DatumResult(datum.id, DatumState.SUCCESS)])

    assert "store its objects" in error.value.message


def test_all_sets_run_though_a_datum_failed(lake):
    """The rest of the job is done, so that it need not be done after the mend."""
    planned(lake, 3, set_size=1)

    def code(parts):
        if "/0" in parts["in"]:
            raise Failure("no")
        return {}

    lake.run(code)

    assert (2, 1) == (lake.job("up").datums_processed, lake.job("up").datums_failed)
    assert JobState.FAILURE is lake.job("up").state


def test_what_failed_wrote_nothing(lake):
    """Output files of a datum that failed are not taken, though they were handed in."""
    planned(lake, 1, set_size=1)
    claim = lake.pps.claims.claim("w1")
    [datum] = lake.pps.datums.list(claim.job)
    half = Entry("/x", datum.id, 0, b"h" * 32, b"", Extents())
    change = changes.encode((changes.Layer(appends=from_entries([half])),))

    lake.pps.claims.hand_in(claim.set_id, claim.fence, change, [DatumResult(datum.id, DatumState.FAILED, "no")])
    lake.pps.scheduler.settle()

    partial = lake.pfs.files.view(lake.job("up").output_commit, partial=True)
    assert 0 == partial.fileset.total.files


def test_how_workers_contain_user_code_is_shown(lake):
    """What the worker told is in the job."""
    planned(lake, 1, set_size=1)
    claim = lake.pps.claims.claim("w1")

    lake.hand_in(claim, 0, containment="folder: no namespaces here")
    lake.pps.scheduler.settle()

    assert "folder: no namespaces here" == lake.job("up").containment
