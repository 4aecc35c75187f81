# SPDX-License-Identifier: Apache-2.0
"""Many pipelines and many jobs: more than a page of each, and more than one look around takes in."""

import pytest

from howdah.errors import BadRequest, ErrorKind
from howdah.model.states import JobState, is_terminal
from howdah.pps import jobs, pipeline_reads
from tests.pps.lakes import branch, pipe

READERS = 70


@pytest.mark.slow
def test_many_pipelines_read_one_repo(lake):
    """Each has a job for a commit, each job a worker; and the rules of DAGs hold as they do for few."""
    lake.repo("in")
    for number in range(READERS):
        lake.pipeline(f"up{number}", "in", parallelismSpec={"constant": 1}, datumSetSpec={"number": 1})
    lake.run()
    commit = lake.commit("in", {"/a": b"1", "/b": b"2"})
    lake.pps.scheduler.settle()

    claims = [lake.pps.claims.claim(f"w{number}") for number in range(READERS + 1)]

    assert READERS == len({claim.job for claim in claims[:-1]})
    assert claims[-1] is None
    assert READERS == len(lake.pps.jobs.of_set(commit.id))
    lake.clock.advance(31)
    lake.run()
    assert {JobState.SUCCESS} == {job.state for job in lake.pps.jobs.of_set(commit.id)}
    create = lake.pfs.catalog.branches.create
    create(branch("in", "other"))
    for name in ("second", "third"):
        lake.repo(name)
    for above in ([branch("up5"), branch("in", "other")], [branch("in", "other"), branch("up69"), branch("second")]):
        with pytest.raises(BadRequest) as error:
            create(branch("third"), provenance=above)
        assert ErrorKind.DAG_INVALID is error.value.kind
    create(branch("third"), provenance=[branch("up5"), branch("up69"), branch("second")])
    with pytest.raises(BadRequest) as error:
        create(branch("third", "fourth"), provenance=[branch("in")])
    assert ErrorKind.DAG_INVALID is error.value.kind


def test_listings_go_on_past_a_page(lake, monkeypatch):
    """Pipelines with their versions, the jobs of a set, and jobs by number."""
    monkeypatch.setattr(pipeline_reads, "_PAGE", 2)
    monkeypatch.setattr(jobs, "_PAGE", 2)
    lake.repo("in")
    names = [f"up{number}" for number in range(5)]
    for name in names:
        lake.pipeline(name, "in")
    lake.pipeline("up2", "in", update=True, description="again")
    commit = lake.commit("in", {"/a": b"1"})

    listed = [(info.pipeline.name, info.version) for info in lake.pps.pipelines.list()]
    versions = [(info.pipeline.name, info.version) for info in lake.pps.pipelines.list(history=-1)]

    now = [("up4", 1), ("up3", 1), ("up2", 2), ("up1", 1), ("up0", 1)]
    assert now == listed
    assert [*now[:3], ("up2", 1), *now[3:]] == versions
    assert names == [job.job.pipeline.name for job in lake.pps.jobs.of_set(commit.id)]
    assert [11, 3, 2] == [len(list(lake.pps.jobs.list(number=number))) for number in (0, 3, 2)]


def test_specs_of_jobs_are_found_together(lake):
    """Of present and of older versions; those of pipelines that are gone are left out."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.pipeline("other", "in")
    lake.pipeline("up", "in", update=True, description="again")

    found = lake.pps.pipelines.effective_specs({(pipe("up"), 1), (pipe("up"), 2), (pipe("other"), 1), (pipe("no"), 1)})

    assert {("up", 1), ("up", 2), ("other", 1)} == {(pipeline.name, version) for pipeline, version in found}
    assert [False, True] == ['"again"' in found[pipe("up"), version] for version in (1, 2)]


def test_the_sets_of_a_job_that_was_stopped_do_not_stay(lake):
    """Nor do they hold up the next job, whether anything was handed in or not."""
    lake.repo("in")
    lake.pipeline("up", "in", datumSetSpec={"number": 1})
    for content in (b"1", b"2"):
        lake.commit("in", {"/a": content, "/b": content})
        lake.pps.scheduler.settle()
        if content == b"2":
            lake.work()
        lake.pps.jobs.stop(lake.job("up").job)
    lake.taken()
    lake.commit("in", {"/c": b"3"})

    lake.run()

    assert JobState.SUCCESS is lake.job("up").state
    assert 2 == len(lake.taken())  # /c, and what the second job had not done
    assert all(is_terminal(job.state) for job in lake.jobs("up"))
