# SPDX-License-Identifier: Apache-2.0
"""Listings of datums by state, from any marker, forwards and backwards, against a plain list of all."""

from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import text

from howdah.model.states import DatumState, JobState
from howdah.pps import datums as listing
from howdah.pps.handed_in import HandIn, Outcomes, decode_hand_in, encode_hand_in
from howdah.pps.infos import DatumResult, ProcessStats
from howdah.pps.records import record_batch, stored
from howdah.pps.results import results_of
from howdah.pps.rewriting import rewrite
from howdah.storage.filesets import EMPTY_ROOT
from tests.pps.lakes import Failure, Lake, pipe

COUNT = 60


def code(parts):
    """Every seventh fails."""
    [path] = [path for files in parts.values() for path in files]
    if int(path[1:]) % 7 == 0:
        raise Failure(f"it was {path}")
    return {path: b"made"}


@pytest.fixture(scope="module")
def jobs():
    """The lake with jobs as they are at different moments, by name. Nothing changes them any more."""
    lake = Lake()
    lake.repo("in")
    lake.commit("in", {f"/{n}": b"old %d" % n for n in range(20)})
    found = {}
    for name in ("planned", "running", "killed", "ended"):
        lake.pipeline(name, "in", datum_set_spec={"number": 9})
    lake.run()
    lake.commit("in", {f"/{n}": b"new" for n in range(15, COUNT)})
    lake.pps.scheduler.settle()
    while (claim := lake.pps.claims.claim("w1")) is not None:
        name = claim.job.pipeline.name
        share = {"planned": 0, "running": 5, "killed": 4, "ended": claim.count}[name]
        for number in range(share):
            lake.hand_in(claim, number, code)
        found[name] = claim.job
    lake.pps.jobs.stop(found["killed"])
    lake.pps.scheduler.settle()
    yield lake, found
    lake.close()


def test_the_jobs_are_as_the_tests_need_them(jobs):
    """Each has datums in all states that it can have."""
    lake, found = jobs
    left = {name: lake.job(name).state for name in found}

    states = {name: {datum.state.name for datum in lake.pps.datums.list(job)} for name, job in found.items()}

    assert {"planned": "RUNNING", "running": "RUNNING", "killed": "KILLED", "ended": "FAILURE"} == {
        name: state.name for name, state in left.items()
    }
    assert {
        "planned": {"SKIPPED", "STARTING"},
        "running": {"SKIPPED", "STARTING", "SUCCESS", "FAILED"},
        "killed": {"SKIPPED", "UNKNOWN", "SUCCESS", "FAILED"},
        "ended": {"SKIPPED", "SUCCESS", "FAILED"},
    } == states
    assert JobState.FAILURE is left["ended"]


@pytest.mark.parametrize("name", ["planned", "running", "killed", "ended"])
@pytest.mark.parametrize("page", [1, 7, 1_000])
def test_any_filter_and_marker_gives_what_a_plain_list_gives(jobs, name, page, monkeypatch):
    """Forwards and backwards, with and without a limit, in pages of any size; counts and results agree."""
    monkeypatch.setattr(listing, "_PAGE", page)
    lake, found = jobs
    job = found[name]
    every = list(lake.pps.datums.list(job))
    assert [COUNT, sorted(each.id for each in every)] == [len(every), [each.id for each in every]]
    markers = ["", "0", every[0].id, every[31].id, every[-1].id, "g"]
    filters = [(state,) for state in DatumState] + [(), (DatumState.FAILED, DatumState.SKIPPED)]

    for states, marker, number, reverse in product(filters, markers, (0, 3), (False, True)):
        listed = list(lake.pps.datums.list(job, states=states, after=marker, number=number, reverse=reverse))

        wanted = [each for each in every if not states or each.state in states]
        if reverse:
            wanted = [each for each in reversed(wanted) if not marker or each.id < marker]
        else:
            wanted = [each for each in wanted if each.id > marker]
        assert wanted[: number or None] == listed, (states, marker, number, reverse)


@pytest.mark.parametrize("name", ["running", "killed", "ended"])
def test_results_are_told_whether_collected_or_not(jobs, name):
    """Reason, tries and times; and the same by the datum's id."""
    lake, found = jobs

    for datum in lake.pps.datums.list(found[name]):
        path = datum.inputs[0].file.path
        told = (datum.state, datum.reason, datum.tries, datum.stats.process_ms)
        if datum.state is DatumState.FAILED:
            assert (DatumState.FAILED, f"it was {path}", 1, 7) == told
        elif datum.state is DatumState.SUCCESS:
            assert (DatumState.SUCCESS, "", 1, 7) == told
        else:
            assert (datum.state, "", 0, 0) == told
        assert datum == lake.pps.datums.inspect(found[name], datum.id)


def test_a_listing_goes_on_while_its_job_ends():
    """Each page is as things are when it is reached; no datum is told twice or left out."""
    lake = Lake()
    lake.repo("in")
    lake.pipeline("up", "in", datum_set_spec={"number": 500})
    lake.commit("in", {f"/{n}": b"x" for n in range(1_500)})
    lake.pps.scheduler.settle()
    lake.work()
    infos = lake.pps.datums.list(lake.job("up").job)

    first = [next(infos) for _ in range(1_000)]
    lake.run()
    rest = list(infos)

    assert (500, 500) == tuple(
        [each.state for each in first].count(state) for state in (DatumState.SUCCESS, DatumState.STARTING)
    )
    assert {DatumState.SUCCESS} == {each.state for each in rest}
    assert 1_500 == len({each.id for each in first + rest})
    lake.close()


RESULTS = [
    DatumResult("0" * 32, DatumState.SUCCESS, "", 1, ProcessStats(1, 2, 3, 4, 5, 6, 7)),
    DatumResult("1" * 32, DatumState.FAILED, 'said "no"\n', 3, ProcessStats(upload_bytes=1 << 62)),
    DatumResult("2" * 32, DatumState.RECOVERED, "", 2),
]


@pytest.mark.parametrize("results", [RESULTS, RESULTS[:1], []])
def test_a_hand_in_comes_back_from_its_bytes(results):
    """Results, who gave them, and the change behind them."""
    found = decode_hand_in(encode_hand_in(HandIn(Outcomes.of(results), "w1", "folder", b"HWX1 and more")))

    assert ("w1", "folder", b"HWX1 and more") == (found.worker, found.containment, found.change)
    assert results == [found.outcomes.at(number) for number in range(len(found.outcomes))]
    assert [each.id for each in results] == found.outcomes.ids


def test_a_hand_in_of_an_older_howdah_is_understood():
    """It has a JSON header with everything."""
    stats = '{"download_ms":1,"process_ms":2,"upload_ms":3,"download_bytes":4,"upload_bytes":5}'
    header = f'{{"results":[{{"id":"{"0" * 32}","state":"SUCCESS","reason":"","tries":1,"stats":{stats}}}],'
    data = (header + '"worker":"w","containment":"c"}').encode()

    found = decode_hand_in(len(data).to_bytes(4, "little") + data + b"change")

    result = replace(RESULTS[0], stats=ProcessStats(1, 2, 3, 4, 5))
    assert (result, "w", "c", b"change") == (found.outcomes.at(0), found.worker, found.containment, found.change)


@pytest.mark.parametrize("older", [False, True])
def test_results_are_found_by_state_as_they_lie_now_and_lay_before(jobs, older):
    """Older ones stand together, with the state as their tag."""
    lake, _ = jobs
    pairs = [(f"{n:032x}", "FAILED" if n % 3 else "SUCCESS") for n in range(30)]
    paths = [f"/{datum}" if older else f"/{state}/{datum}" for datum, state in pairs]
    order = sorted(range(30), key=lambda n: paths[n])
    batch = record_batch([paths[n] for n in order], [pairs[n][1] for n in order], [b"{}"] * 30)
    put = stored(lake.storage, [batch])
    root = rewrite(lake.storage.filesets, EMPTY_ROOT, batch.column(0).slice(0, 0), put, "a test", replace=True).root
    results = lake.storage.fileset(root, "a test")

    def found(state, lower="", upper=None):
        return [path[1:] for each in results_of(results, state, lower, upper) for path in each.column(0).to_pylist()]

    failed = [datum for datum, state in pairs if state == "FAILED"]
    assert failed == found(DatumState.FAILED)
    assert failed[3:5] == found(DatumState.FAILED, f"/{failed[3]}", f"/{failed[5]}")
    assert [] == found(DatumState.RECOVERED)


def test_hand_ins_are_forgotten_with_the_states_that_are_in_them(jobs):
    """Once they are collected nothing of them is left in the database."""
    lake, found = jobs
    states = "SELECT count(*) FROM datum_result_state s JOIN job j ON j.id = s.job_id WHERE j.set_id = :key"

    def count(name):
        with lake.db.read() as tx:
            wanted = states + " AND j.pipeline_id = (SELECT id FROM pipeline WHERE name = :name)"
            return tx.execute(text(wanted), {"key": found[name].id, "name": pipe(name).name}).scalar_one()

    assert (0, 0) == (count("ended"), count("killed"))
    assert count("running") > 0
