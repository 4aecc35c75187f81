# SPDX-License-Identifier: Apache-2.0
"""What people see of datums: their states while a job runs and after, in pages; where a file came from."""

import pytest

from howdah.errors import ErrorKind, NotFound, Unavailable
from howdah.model.refs import File, Job
from howdah.model.spec import parse_input
from howdah.model.states import DatumState, JobState
from tests.pps.lakes import Failure, master, pipe


def ten(lake, *, run=True, **fields):
    """A pipeline over ten files."""
    lake.repo("in")
    lake.pipeline("up", "in", **fields)
    lake.commit("in", {f"/{n}": b"%d" % n for n in range(10)})
    if run:
        lake.run()
    return lake.job("up").job if run else None


def test_datums_are_listed_by_id_in_pages(lake):
    """The marker is left out; in reverse it bounds from above."""
    job = ten(lake)
    ids = [datum.id for datum in lake.pps.datums.list(job)]

    assert sorted(ids) == ids
    assert len(ids) == 10
    assert ids[4:7] == [datum.id for datum in lake.pps.datums.list(job, after=ids[3], number=3)]
    assert ids[2::-1] == [datum.id for datum in lake.pps.datums.list(job, after=ids[3], reverse=True)]
    assert ids[:-3:-1] == [datum.id for datum in lake.pps.datums.list(job, number=2, reverse=True)]


def test_a_datum_tells_what_it_read(lake):
    """Name, commit, path, size and hash of each part, and the time that it took."""
    job = ten(lake)

    [datum] = [each for each in lake.pps.datums.list(job) if each.inputs[0].file.path == "/7"]

    assert ("in", 1) == (datum.inputs[0].name, datum.inputs[0].file.size_bytes)
    assert lake.pfs.files.view(master("in")).inspect("/7") == datum.inputs[0].file
    assert lake.pfs.catalog.commits.resolve(master("in")) == datum.inputs[0].commit
    assert (DatumState.SUCCESS, 7) == (datum.state, datum.stats.process_ms)
    assert datum == lake.pps.datums.inspect(job, datum.id)


def test_states_are_known_while_a_job_runs(lake):
    """Handed in, waiting, and skipped, told apart."""
    ten(lake)
    lake.commit("in", {"/new": b"1", "/other": b"2"})
    lake.pps.scheduler.settle()
    lake.work()

    states = [datum.state for datum in lake.pps.datums.list(lake.job("up").job)]

    assert (10, 1, 1) == tuple(map(states.count, (DatumState.SKIPPED, DatumState.SUCCESS, DatumState.STARTING)))


def test_datums_are_filtered_by_state(lake):
    """Failed ones with their reason."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"1", "/b": b"2"})

    def code(parts):
        if "/b" in parts["in"]:
            raise Failure("exit code 3")
        return {}

    lake.run(code)

    [bad] = lake.pps.datums.list(lake.job("up").job, states={DatumState.FAILED})
    assert ("/b", "exit code 3") == (bad.inputs[0].file.path, bad.reason)


def test_a_job_that_is_not_planned_has_no_datums(lake):
    """It is no error to ask."""
    lake.repo("in")
    lake.pipeline("up", "in")

    assert [] == list(lake.pps.datums.list(lake.job("up").job))


def test_missing_things_are_named(lake):
    """A job, a datum."""
    job = ten(lake)

    with pytest.raises(NotFound) as error:
        lake.pps.datums.inspect(job, "f" * 32)
    assert ErrorKind.DATUM_NOT_FOUND == error.value.kind
    assert "not found" in error.value.message
    with pytest.raises(NotFound) as error:
        lake.pps.datums.list(Job(pipe("up"), "0" * 32))
    assert ErrorKind.JOB_NOT_FOUND == error.value.kind


def test_an_input_is_tried_out_without_a_pipeline(lake):
    """The ids are those that jobs give; the state is not known."""
    job = ten(lake)

    found = list(lake.pps.datums.preview(parse_input({"pfs": {"repo": "in", "glob": "/*"}})))

    assert [datum.id for datum in lake.pps.datums.list(job)] == sorted(datum.id for datum in found)
    assert {DatumState.UNKNOWN} == {datum.state for datum in found}
    assert found[0].inputs == lake.pps.datums.inspect(job, found[0].id).inputs


def test_a_files_provenance_is_the_job_that_made_it(lake):
    """Also where later jobs carried it over, under later versions of the pipeline."""
    first = ten(lake)
    commit = lake.pfs.catalog.commits.resolve(master("in"))
    lake.pipeline("up", "in", update=True, description="other")
    lake.commit("in", {"/new": b"1"})
    lake.run()

    made = lake.pps.datums.provenance(File(master("up"), "/7"))

    assert (first, 1, ("run",), "") == (made.job, made.version, made.cmd, made.image)
    assert [("in", commit, "/7")] == [(part.name, part.commit, part.file.path) for part in made.inputs]
    assert 2 == lake.pps.datums.provenance(File(master("up"), "/new")).version


def test_provenance_of_a_file_that_may_still_be_made(lake):
    """Whose commit waits for its job: it is told to wait for that."""
    ten(lake)
    lake.commit("in", {"/new": b"1"})

    with pytest.raises(Unavailable) as error:
        lake.pps.datums.provenance(File(master("up"), "/new"))

    assert ErrorKind.COMMIT_OPEN == error.value.kind
    assert "howdah wait commit default/up@" in error.value.message


def test_provenance_of_what_no_pipeline_made(lake):
    """A user's file, and a file that is not there."""
    ten(lake)

    with pytest.raises(NotFound) as error:
        lake.pps.datums.provenance(File(master("in"), "/7"))
    assert ErrorKind.DATUM_NOT_FOUND == error.value.kind
    with pytest.raises(NotFound) as error:
        lake.pps.datums.provenance(File(master("up"), "/nothing"))
    assert ErrorKind.FILE_NOT_FOUND == error.value.kind


def test_a_deleted_job_is_gone(lake):
    """Its output stays, and so does what it did."""
    job = ten(lake)

    lake.pps.jobs.delete(job)
    lake.taken()
    lake.commit("in", {"/new": b"1"})
    lake.run()

    with pytest.raises(NotFound):
        lake.pps.jobs.inspect(job)
    assert (["/new"], 11, JobState.SUCCESS) == (lake.taken(), len(lake.files("up")), lake.job("up").state)
