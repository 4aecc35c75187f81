# SPDX-License-Identifier: Apache-2.0
"""How a job's datums are cut into the sets that workers claim: by the spec, else by how long datums took lately."""

from types import SimpleNamespace

import pytest

from howdah.model.spec import parse_spec
from howdah.pps.sharing import datum_sets
from tests.pps.lakes import copy


def sizes(total, workers=2, seconds=None, **fields):
    """The sizes of the sets of so many datums."""
    read = {"pfs": {"repo": "in", "glob": "/*"}}
    spec = parse_spec({"pipeline": {"name": "p"}, "transform": {"cmd": ["a"]}, "input": read, **fields})
    todo = SimpleNamespace(total=SimpleNamespace(files=total))
    sets = datum_sets(None, spec, todo, workers, seconds)
    assert total == sum(count for _, count in sets)
    return [count for _, count in sets]


@pytest.mark.parametrize(
    ("seconds", "size"),
    [(None, 500), (0.5, 10), (5.0, 1), (60.0, 1), (0.01, 500), (0.001, 5_000), (0.0, 5_000)],
)
def test_a_set_lasts_about_as_long_whatever_a_datum_takes(seconds, size):
    """Some seconds by what was measured; a fixed number before anything was."""
    assert size == sizes(1_000_000, seconds=seconds)[0]


def test_each_worker_gets_some_sets(lake):
    """Few datums are spread, however short they are."""
    assert [5] * 8 == sizes(40, seconds=0.001)
    assert [1] * 3 == sizes(3)


def test_what_the_spec_says_comes_first():
    """A number of datums, or of sets for each worker."""
    assert [7, 7, 6] == sizes(20, seconds=60.0, datumSetSpec={"number": 7})
    assert [10, 10] == sizes(20, seconds=0.001, datumSetSpec={"perWorker": 1})


def test_the_next_job_goes_by_the_time_of_the_last(lake):
    """Datums of 7 ms are claimed by hundreds; slow ones, measured, one by one."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {f"/{number}": b"x" for number in range(40)})
    lake.pps.scheduler.settle()
    first = lake.work()
    lake.run()
    lake.process_ms = 30_000
    lake.commit("in", {f"/slow{number}": b"x" for number in range(40)})
    lake.run()
    lake.commit("in", {f"/next{number}": b"x" for number in range(40)})
    lake.pps.scheduler.settle()
    third = lake.work(copy)

    assert (10, 1) == (first.count, third.count)
