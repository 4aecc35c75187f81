# SPDX-License-Identifier: Apache-2.0
"""Defaults of specs in a lake: what they change, when, and that they change all or nothing."""

import json

import pytest

from howdah.errors import BadRequest, Conflict, ErrorKind, HowdahError, NotFound
from howdah.kit import fail
from howdah.model.refs import Pipeline
from howdah.pps.sharing import workers_of
from tests.pps.lakes import pipe


def given(**fields):
    return json.dumps({"createPipelineRequest": fields})


def create(lake, name="up", update=False, **fields):
    """A pipeline of a spec that is laid over the defaults, as the protocol makes it."""
    spec = {
        "pipeline": {"name": name},
        "transform": {"cmd": ["run"]},
        "input": {"pfs": {"repo": "in", "glob": "/*"}},
        **fields,
    }
    effective = lake.pps.defaults.effective(spec)
    return lake.pps.pipelines.create(effective, json.dumps(spec), update=update)


def inspect(lake, name="up"):
    return lake.pps.pipelines.inspect(pipe(name))


@pytest.fixture
def lake(lake):
    lake.repo("in")
    return lake


def test_there_are_none_at_first(lake):
    """Neither of all nor of a project, which must be there."""
    assert ("{}", None) == (lake.pps.defaults.get().text, lake.pps.defaults.get("default").created_at)
    with pytest.raises(NotFound):
        lake.pps.defaults.get("nowhere")


def test_defaults_are_kept_as_they_were_given(lake):
    """Word for word, with their time; empty ones take them away."""
    text = '{ "create_pipeline_request": {"datum_tries": "4"} }'

    lake.pps.defaults.set(text)
    lake.pps.defaults.set(given(salt="s"), "default")
    found = lake.pps.defaults.get(), lake.pps.defaults.get("default")
    lake.pps.defaults.set("{}")

    assert (text, lake.clock.now()) == (found[0].text, found[0].created_at)
    assert given(salt="s") == found[1].text
    assert "{}" == lake.pps.defaults.get().text


def test_a_spec_that_comes_later_has_them(lake):
    """Those of the project before those of all, and what it says itself before both."""
    lake.pps.defaults.set(given(datumTries=7, jobTimeout="1h", description="all"))
    lake.pps.defaults.set(given(jobTimeout="2h", description="project"), "default")

    spec = create(lake, description="own").spec

    assert (7, 7200, "own") == (spec.datum_tries, spec.job_timeout.total_seconds(), spec.description)


def test_defaults_of_a_project_are_not_those_of_another(lake):
    """Nor do they change pipelines there."""
    lake.pfs.catalog.projects.create("other")
    lake.pps.defaults.set(given(datumTries=7), "other")

    assert 3 == create(lake).spec.datum_tries
    assert () == lake.pps.defaults.set(given(datumTries=8), "other", regenerate=True)


def test_pipelines_that_are_there_stay_unless_that_is_asked(lake):
    """Without `regenerate` their versions are what they were."""
    create(lake)

    affected = lake.pps.defaults.set(given(datumTries=7))

    assert ((), 1, 3) == (affected, inspect(lake).version, inspect(lake).spec.datum_tries)


def test_regenerating_makes_new_versions_of_those_that_change(lake):
    """In one commit set, oldest first; one that says the field itself stays."""
    create(lake, "first")
    create(lake, "own", datumTries=4)
    create(lake, "last")

    affected = lake.pps.defaults.set(given(datumTries=7), regenerate=True)

    assert (pipe("first"), pipe("last")) == affected
    assert [(2, 7), (1, 4), (2, 7)] == [
        (inspect(lake, name).version, inspect(lake, name).spec.datum_tries) for name in ("first", "own", "last")
    ]
    assert 1 == len({inspect(lake, name).spec_commit.id for name in ("first", "last")})
    assert () == lake.pps.defaults.set(given(datumTries=7), regenerate=True)


def test_regenerated_pipelines_run_again_if_asked(lake):
    """What had succeeded stays without `reprocess`, and with it all datums run."""
    create(lake)
    lake.commit("in", {"/a": b"a", "/b": b"b"})
    lake.run()
    assert ["/a", "/b"] == lake.taken()

    lake.pps.defaults.set(given(datumTries=7), regenerate=True)
    lake.run()
    assert [] == lake.taken()

    lake.pps.defaults.set(given(datumTries=8), regenerate=True, reprocess=True)
    lake.run()
    assert ["/a", "/b"] == lake.taken()


def test_a_dry_run_says_the_same_and_changes_nothing(lake):
    """And it says what would be wrong."""
    create(lake)

    affected = lake.pps.defaults.set(given(datumTries=7), regenerate=True, dry_run=True)

    assert ((pipe("up"),), "{}", 1) == (affected, lake.pps.defaults.get().text, inspect(lake).version)
    with pytest.raises(BadRequest):
        lake.pps.defaults.set(given(datumTries=-1), dry_run=True)
    with pytest.raises(NotFound):
        lake.pps.defaults.set("{}", "nowhere", dry_run=True)


def test_one_pipeline_that_would_be_bad_keeps_all_as_they_are(lake):
    """The error names it, and the field."""
    create(lake, "fine")
    create(lake, "bad", datumSetSpec={"number": 3})

    with pytest.raises(HowdahError) as error:
        lake.pps.defaults.set(given(datumSetSpec={"sizeBytes": 5}), regenerate=True)

    assert ErrorKind.BAD_SPEC == error.value.kind
    assert "pipeline default/bad would not be good under these defaults: datumSetSpec" in error.value.message
    assert ("{}", 1, 1) == (lake.pps.defaults.get().text, inspect(lake, "fine").version, inspect(lake, "bad").version)


def test_a_pipeline_that_changes_meanwhile_is_looked_at_again(lake):
    """Its newest spec is laid over the defaults, not the one that was looked at."""
    create(lake)
    changes = iter([lambda: create(lake, update=True, description="new")])

    with fail.during("pps.defaults.stored", lambda: next(changes, lambda: None)()):
        affected = lake.pps.defaults.set(given(datumTries=7), regenerate=True)

    assert ((pipe("up"),), 3, "new", 7) == (
        affected,
        inspect(lake).version,
        inspect(lake).spec.description,
        inspect(lake).spec.datum_tries,
    )


def test_pipelines_that_change_all_the_time_are_told_of(lake):
    """It is not tried for ever, and nothing has changed."""
    create(lake)
    numbers = iter(range(100))

    with (
        fail.during("pps.defaults.stored", lambda: create(lake, update=True, description=str(next(numbers)))),
        pytest.raises(Conflict),
    ):
        lake.pps.defaults.set(given(datumTries=7), regenerate=True)

    assert "{}" == lake.pps.defaults.get().text


def test_defaults_go_with_their_project(lake):
    """A project of the same name begins without."""
    lake.pfs.catalog.projects.create("other")
    lake.pps.defaults.set(given(datumTries=7), "other")

    lake.pfs.catalog.projects.delete("other")
    lake.pfs.catalog.projects.create("other")

    assert "{}" == lake.pps.defaults.get("other").text


def test_a_stopped_pipeline_is_regenerated_and_stays_stopped(lake):
    """As by any update."""
    create(lake)
    lake.pps.pipelines.stop(Pipeline("default", "up"))

    lake.pps.defaults.set(given(datumTries=7), regenerate=True)

    assert (2, True) == (inspect(lake).version, inspect(lake).stopped)


def test_an_update_in_other_words_changes_nothing_but_the_words(lake):
    """The same effective spec, no new version; the words count when defaults change."""
    create(lake, datumTries=3)

    info = create(lake, update=True)
    lake.pps.defaults.set(given(datumTries=7), regenerate=True)

    assert (1, 7) == (info.version, inspect(lake).spec.datum_tries)


def test_an_update_without_the_salt_keeps_it(lake):
    """The first one may be chosen; leaving it out later is no change."""
    create(lake, salt="mine")

    same = create(lake, update=True)
    other = create(lake, update=True, salt="other")

    assert (("mine", 1), ("other", 2)) == ((same.salt, same.version), (other.salt, other.version))


def test_other_code_runs_all_again_if_the_spec_says_so(lake):
    """`onCodeChange`: a change of the command, but not one of a timeout."""
    create(lake, onCodeChange="rerun")
    lake.commit("in", {"/a": b"a"})
    lake.run()
    lake.taken()

    create(lake, update=True, onCodeChange="rerun", datumTimeout="1h")
    lake.run()
    assert [] == lake.taken()

    create(lake, update=True, onCodeChange="rerun", datumTimeout="1h", transform={"cmd": ["other"]})
    lake.run()
    assert ["/a"] == lake.taken()

    create(lake, update=True, transform={"cmd": ["run"]})
    lake.run()
    assert [] == lake.taken()


def test_a_crash_before_the_change_leaves_everything(lake):
    """New specs are in the store, and nothing names them."""
    create(lake)

    class Crash(Exception):
        pass

    def crash():
        raise Crash

    with fail.during("pps.defaults.stored", crash), pytest.raises(Crash):
        lake.pps.defaults.set(given(datumTries=7), regenerate=True)
    lake.restart()

    assert ("{}", 1) == (lake.pps.defaults.get().text, inspect(lake).version)
    assert (pipe("up"),) == lake.pps.defaults.set(given(datumTries=7), regenerate=True)


def test_workers_may_be_a_default(lake):
    """A pipeline that says nothing has the default's number; without any it may use all."""
    silent, own = json.dumps({"pipeline": {"name": "up"}}), json.dumps({"parallelismSpec": {"constant": 1}})

    lake.pps.defaults.set(given(parallelismSpec={"constant": 3}))
    parallelism = create(lake).spec.parallelism

    assert (3, None, 1) == (workers_of(silent, parallelism), workers_of(silent), workers_of(own, parallelism))
