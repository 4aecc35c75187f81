# SPDX-License-Identifier: Apache-2.0
"""Lines of logs: who finds them, wherever they are; how they move into objects, and when they go."""

from datetime import timedelta

import pytest

from howdah.errors import Damaged, ErrorKind, NotFound
from howdah.kit import fail
from howdah.model.logs import LogLevel, Speaker
from howdah.model.refs import Job
from howdah.model.upkeep import Fault
from howdah.pps.infos import LogLine
from howdah.pps.log_format import BLOCK_BYTES
from howdah.pps.log_patterns import line_pattern
from howdah.pps.log_query import LogQuery
from howdah.storage.chunks import CHUNK_PREFIX
from howdah.upkeep import Upkeep
from tests.pps.lakes import new_id, pipe


@pytest.fixture
def job(lake):
    """A job that nobody works on, and whose only line so far is the planner's."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {"/a": b"1", "/b": b"2"})
    lake.pps.scheduler.settle()
    return lake.job("up").job


def say(lake, job, *texts, worker="w1", **fields):
    """Lines that a worker sends together, a millisecond apart."""
    lines = []
    for text in texts:
        lake.clock.advance(0.001)
        lines.append(LogLine(lake.clock.now(), text, **{"user": True, **fields}))
    lake.pps.logs.append(job, worker, lines)


def texts(lake, newest_first=False, **query):
    return [line.message for line in lake.pps.logs.find(LogQuery(**query)).lines(newest_first=newest_first)]


@pytest.fixture(params=["rows", "objects", "both"])
def told(request, lake, job):
    """A log with lines of all kinds: in rows, in objects, or some here and some there."""
    say(lake, job, "one", '{"level": "error", "msg": "two"}', datum_id="d1")
    if request.param == "both":
        lake.pps.logs.mover.move(everything=True)
    say(lake, job, "three", worker="w2", datum_id="d2")
    say(lake, job, "datum d2 failed", worker="w2", user=False, datum_id="d2", level=LogLevel.ERROR)
    if request.param == "objects":
        lake.pps.logs.mover.move(everything=True)
    return job


def test_lines_are_found_by_whose_they_are(lake, told):
    """Of the job, of its pipeline, job set and project, and of everybody: the same, in their order."""
    user = frozenset({Speaker.USER})
    expected = ["one", '{"level": "error", "msg": "two"}', "three"]

    for whose in ({"job": told}, {"pipeline": told.pipeline}, {"job_set": told.id}, {"project": "default"}, {}):
        assert expected == texts(lake, **whose, speakers=user)
        assert expected[::-1] == texts(lake, newest_first=True, **whose, speakers=user)
    lines = list(lake.pps.logs.find(LogQuery(job=told)).lines())
    assert {(told.pipeline, told.id)} == {(line.pipeline, line.job_id) for line in lines}
    assert [] == texts(lake, server=True)


def test_lines_are_found_by_all_that_is_known_of_them(lake, told):
    """Datum, worker, speaker, level, pattern with and without, and time with both ends."""
    lines = {line.message: line for line in lake.pps.logs.find(LogQuery(job=told)).lines()}
    two = '{"level": "error", "msg": "two"}'

    assert ["one", two] == texts(lake, job=told, datum="d1")
    assert ["three", "datum d2 failed"] == texts(lake, job=told, worker="w2")
    assert ["datum d2 failed"] == texts(lake, job=told, speakers=frozenset({Speaker.WORKER}))
    assert "to run" in "".join(texts(lake, job=told, speakers=frozenset({Speaker.MASTER})))
    assert [two, "datum d2 failed"] == texts(lake, job=told, level=LogLevel.ERROR)
    assert ["one", "three"] == texts(lake, job=told, pattern=line_pattern("^[a-z]+$"))
    assert [two, "datum d2 failed"] == texts(lake, job=told, pattern=line_pattern("^[op]|e$"), negate=True)
    assert [two, "three"] == texts(lake, job=told, since=lines[two].at, until=lines["three"].at)


def test_the_last_lines_and_those_that_come_after_them(lake, told):
    """Nothing twice and nothing lost, though lines move while they are followed."""
    found = lake.pps.logs.find(LogQuery(job=told))
    last = [line.message for line in found.tail(2)]
    say(lake, told, "four")
    place, first = found.after(found.place, 10)
    say(lake, told, "five")
    lake.pps.logs.mover.move(everything=True)
    say(lake, told, "six")
    place, second = found.after(place, 10)

    assert ["three", "datum d2 failed"] == last
    assert (["four"], ["five", "six"]) == tuple([line.message for line in some] for some in (first, second))
    assert (place, []) == found.after(place, 10)
    assert [] == found.tail(0)


def test_lines_that_move_while_they_are_read_are_found(lake, job):
    """Where they are was looked up before; the reader goes after them."""
    for number in range(200):
        say(lake, job, f"{number}")
    found = lake.pps.logs.find(LogQuery(job=job, speakers=frozenset({Speaker.USER}))).lines()
    first = next(found)

    assert 1 == lake.pps.logs.mover.move(everything=True)
    assert [f"{number}" for number in range(200)] == [first.message, *(line.message for line in found)]


def test_lines_are_in_the_order_of_their_times(lake, job):
    """A worker that was cut off sends late what it heard early."""
    early = lake.clock.now()
    say(lake, job, "late")
    lake.pps.logs.mover.move(everything=True)
    lake.pps.logs.append(job, "w2", [LogLine(early, "early", True)])

    assert ["early", "late"] == texts(lake, job=job, speakers=frozenset({Speaker.USER}))


def test_a_log_is_found_by_the_files_that_datums_read(lake, job):
    """By path and by hash; all that are named must be read."""
    by_path = {info.inputs[0].file.path: info for info in lake.pps.datums.list(job)}
    a, b = by_path["/a"], by_path["/b"]
    say(lake, job, "of a", datum_id=a.id)
    say(lake, job, "of b", datum_id=b.id)

    assert ["of a"] == texts(lake, job=job, files=("/a",))
    assert ["of b"] == texts(lake, pipeline=job.pipeline, files=(b.inputs[0].file.hash.hex(),))
    assert [] == texts(lake, job=job, files=("/a", "/b"))


def test_a_log_outlives_its_job_and_its_pipeline(lake, told):
    """It is found by the names that they had."""
    lake.pps.jobs.delete(told)
    assert "three" in texts(lake, job=told)
    lake.pps.pipelines.delete(pipe("up"))

    assert "three" in texts(lake, job=told)
    assert "three" in texts(lake, pipeline=pipe("up"))


def test_who_never_was_is_not_found(lake, job):
    """No lines are no excuse for a name that is wrong."""
    for query, kind in (
        (LogQuery(job=Job(pipe("up"), new_id())), ErrorKind.JOB_NOT_FOUND),
        (LogQuery(pipeline=pipe("nope")), ErrorKind.PIPELINE_NOT_FOUND),
        (LogQuery(job_set=new_id()), ErrorKind.JOB_NOT_FOUND),
        (LogQuery(project="nope"), ErrorKind.PROJECT_NOT_FOUND),
    ):
        with pytest.raises(NotFound) as error:
            lake.pps.logs.find(query)
        assert kind == error.value.kind


def test_the_server_has_a_log_of_its_own(lake, job):
    """Pipelines know nothing of it."""
    lake.pps.logs.append_own([LogLine(lake.clock.now(), "serving", level=LogLevel.INFO)])
    lake.pps.logs.mover.move(everything=True)
    lake.clock.advance(1)
    lake.pps.logs.append_own([LogLine(lake.clock.now(), "stopping")])

    assert ["serving", "stopping"] == texts(lake, server=True)
    assert "serving" not in texts(lake)


def fill(lake, job, blocks):
    """A log of so many blocks, each of which fills a part."""
    text = "x" * 1_000
    for number in range(blocks):
        say(lake, job, *[f"{number} {text}"] * (BLOCK_BYTES // 1_000), datum_id=f"d{number}")


def chunks(lake):
    return [info.key for info in lake.store.list(CHUNK_PREFIX)]


def test_full_segments_move_and_the_rest_waits(lake, job):
    """A segment has what one read brings; what is too little for one moves when it is old."""
    heard = []
    lake.pps.logs.mover.when_full(lambda: heard.append(len(heard)))
    before = chunks(lake)
    fill(lake, job, 40)

    assert (2, 2) == (lake.pps.logs.mover.move(), len(chunks(lake)) - len(before))
    assert heard
    assert 0 == lake.pps.logs.mover.move()
    lake.clock.advance(7 * 3600)
    assert 1 == lake.pps.logs.mover.move()
    assert ["7", "39"] == [text.split()[0] for text in [*texts(lake, datum="d7")[:1], *texts(lake, datum="d39")[-1:]]]


def test_a_datum_is_found_without_reading_the_others(lake, job):
    """Which parts may have it is known; only their objects are read."""
    fill(lake, job, 40)
    lake.pps.logs.mover.move(everything=True)
    keys = chunks(lake)
    found = lake.pps.logs.find(LogQuery(job=job, datum="d3"))
    read = []
    get = lake.store.get
    lake.store.get = lambda key: read.append(key) or get(key)

    assert BLOCK_BYTES // 1_000 == len(list(found.lines()))
    assert 1 == len([key for key in read if key in keys])


def test_what_is_too_old_or_too_much_is_dropped_and_said(lake, job):
    """The oldest first; who asks for that time is told, and who asks for later lines is not."""
    fill(lake, job, 40)
    middle = lake.clock.now()
    lake.pps.logs.mover.move(everything=True)
    lake.clock.advance(3600)
    say(lake, job, "new")
    mover = lake.pps.logs.mover

    assert 0 == mover.drop(keep=timedelta(hours=2), bytes_max=1 << 40)
    assert 0 < mover.drop(bytes_max=1)
    gone = lake.pps.logs.find(LogQuery(job=job)).dropped
    assert (40 * (BLOCK_BYTES // 1_000), middle) == (gone.lines - 1, gone.until)
    assert ["new"] == texts(lake, job=job)
    assert lake.pps.logs.find(LogQuery(job=job, since=lake.clock.now())).dropped is None
    lake.clock.advance(3600)
    assert 1 == mover.drop(keep=timedelta(minutes=30))
    assert [] == texts(lake, job=job)


def test_whose_lines_there_were_is_forgotten_with_the_job(lake, told):
    """A job that is gone and has no lines is a name that never was."""
    lake.pps.jobs.delete(told)
    lake.clock.advance(3600)
    lake.pps.logs.mover.move(everything=True)

    lake.pps.logs.mover.drop(keep=timedelta(minutes=1))

    with pytest.raises(NotFound):
        texts(lake, job=told)


def test_objects_of_logs_are_kept_from_the_garbage_and_given_to_it(lake, told):
    """As long as a row names them; not a moment longer."""
    lake.pps.logs.mover.move(everything=True)
    collector = Upkeep.open(lake.pfs).collector
    lake.clock.advance(2 * 86_400)
    before = texts(lake, job=told)

    collector.collect(keep_seconds=0)
    assert before == texts(lake, job=told)
    lake.pps.logs.mover.drop(keep=timedelta(days=1))
    collector.collect(keep_seconds=0)
    assert [] == texts(lake, job=told)


def test_a_log_whose_object_is_lost_says_so(lake, told):
    """The error names the object; a check of the lake finds it too."""
    lake.pps.logs.mover.move(everything=True)
    for key in chunks(lake):
        lake.store.delete(key)
    lake.restart()

    with pytest.raises(Damaged) as error:
        texts(lake, job=told)
    faults = [each for each in Upkeep.open(lake.pfs).fsck.check() if isinstance(each, Fault)]

    assert any("log_segment" in str(each) for each in faults)
    assert ErrorKind.OBJECT_MISSING == error.value.kind
    assert "a log" in error.value.message


@pytest.mark.parametrize("place", ["logs.stored", "logs.moved", "db.before_commit"])
def test_a_move_that_breaks_off_leaves_every_line_once(lake, told, place):
    """Before the change of places nothing has happened, after it all."""
    say(lake, told, "more")
    before = texts(lake, job=told)

    class Stop(Exception):
        pass

    def stop():
        raise Stop

    with fail.during(place, stop), pytest.raises(Stop):
        lake.pps.logs.mover.move(everything=True)

    assert before == texts(lake, job=told)
    lake.pps.logs.mover.move(everything=True)
    assert before == texts(lake, job=told)


def test_a_line_that_is_too_long_is_cut(lake, job):
    """And a worker may send as much as a message can hold."""
    say(lake, job, "x" * 300_000, *["y" * 60_000] * 20)

    found = texts(lake, job=job, speakers=frozenset({Speaker.USER}))

    assert 21 == len(found)
    assert found[0].endswith("more characters were cut off)")
