# SPDX-License-Identifier: Apache-2.0
"""Incremental jobs make what one full run makes, root for root, whatever happened before."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from howdah.model.states import JobState
from tests.pps.lakes import Failure, Lake

PATHS = st.sampled_from(["/a", "/b", "/a-b", "/d/x", "/d/y", "/e/z"])
CONTENTS = st.sampled_from([b"one", b"two", b"three", b"bad", b""])
CHANGES = st.dictionaries(PATHS, st.none() | CONTENTS, min_size=1, max_size=4)
NAMES = count()
QUICK = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def lake():
    made = Lake()
    yield made
    made.close()


def code(parts):
    """Outputs whose paths depend on the content too; some datums fail, some write nothing."""
    found = sorted((path, data) for files in parts.values() for path, data in files.items())
    if any(data == b"bad" for _, data in found):
        raise Failure("bad")
    where = "/".join(path.strip("/").replace("/", "_") for part in sorted(parts) for path in sorted(parts[part]))
    return {f"/{len(data)}/{where}/{path.replace('/', '_')}": data * 2 for path, data in found if data}


def run_history(lake, history):
    """Pipelines that saw the commits one by one, with bad files mended in the end, and one that sees all at once."""
    number = next(NAMES)
    names = [f"in{number}-{each}" for each in range(len(history[0]))]
    files = [{} for _ in names]
    for name in names:
        lake.repo(name)
    lake.pipeline(f"up{number}", *names)
    for commit in [*history, [{}] * len(names)]:
        for at, name in enumerate(names):
            changes = commit[at] or {path: b"good" for path, data in files[at].items() if data == b"bad"}
            if changes:
                lake.commit(name, changes)
                files[at] = {path: data for path, data in (files[at] | changes).items() if data is not None}
        lake.run(code)
    lake.pipeline(f"full{number}", *names)
    lake.run(code)
    return lake.job(f"up{number}"), lake.job(f"full{number}")


def root(lake, commit):
    return lake.pfs.files.view(commit).fileset.root


@QUICK
@given(st.lists(st.tuples(CHANGES), min_size=1, max_size=5))
def test_any_history_gives_what_a_full_run_gives(lake, history):
    """Files come, change and go, datums fail and are mended; the files, their datums and their cuts are the same."""
    step_by_step, at_once = run_history(lake, history)

    assert JobState.SUCCESS is step_by_step.state is at_once.state
    assert root(lake, at_once.output_commit) == root(lake, step_by_step.output_commit)
    assert [each.id for each in lake.pps.datums.list(at_once.job)] == [
        each.id for each in lake.pps.datums.list(step_by_step.job)
    ]


@settings(QUICK, max_examples=4)
@given(st.lists(st.tuples(CHANGES, CHANGES), min_size=1, max_size=3))
def test_any_history_of_a_cross_gives_what_a_full_run_gives(lake, history):
    """Two inputs, each with a history of its own."""
    step_by_step, at_once = run_history(lake, history)

    assert JobState.SUCCESS is step_by_step.state is at_once.state
    assert root(lake, at_once.output_commit) == root(lake, step_by_step.output_commit)


@settings(QUICK, max_examples=4)
@given(st.lists(st.tuples(CHANGES), min_size=1, max_size=4))
def test_the_meta_repo_has_exactly_the_datums_that_are_done(lake, history):
    """For each datum its record, what it read, and what it wrote; nothing is left of those that vanished."""
    job, _ = run_history(lake, history)

    view = lake.pfs.files.view(job.meta_commit)
    found = [entry.path for entry in view.files("/")] if view.fileset.total.files else []
    ids = [datum.id for datum in lake.pps.datums.list(job.job)]
    assert [f"/meta/{each}/meta" for each in ids] == [path for path in found if path.startswith("/meta")]
    outputs = [path.split("/out", 1)[1] for path in found if "/out/" in path]
    assert sorted(outputs) == list(lake.files(job.job.pipeline.name))
