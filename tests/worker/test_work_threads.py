# SPDX-License-Identifier: Apache-2.0
"""What goes on beside the command: claims are kept, logs are sent."""

import threading
from types import SimpleNamespace

import pytest

from howdah.errors import Conflict, ErrorKind, NotFound, Unavailable
from howdah.kit.clock import SystemClock
from howdah.model.logs import LogLevel
from howdah.testing import ManualClock
from howdah.worker import logs as logs_module
from howdah.worker.backoff import delays
from howdah.worker.logs import ErrorLine, Logs
from howdah.worker.renewal import Renewals
from howdah.worker.values import Held

LIFETIME = 30.0
LOST = Conflict(ErrorKind.CLAIM_LOST, "claim lost")
AWAY = Unavailable(ErrorKind.UNREACHABLE, "server is away")


def claim(job="job"):
    """As much of a claim as these parts look at."""
    return SimpleNamespace(lifetime=LIFETIME, set_id=1, job=job)


class Server:
    """Answers renewals by what the test says, and remembers when they came."""

    def __init__(self, clock):
        self.clock = clock
        self.answer = None
        self.asked = []
        self.watched = []
        self.told = None

    def renew(self, claim):
        self.asked.append(self.clock.monotonic())
        if self.answer is not None:
            raise self.answer

    def watch(self, claim, told):
        self.watched.append(self.clock.monotonic())
        self.told = told
        return lambda: self.watched.append("ended")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def server(clock):
    return Server(clock)


@pytest.fixture
def held():
    return Held(claim())


@pytest.fixture
def renewals(server, clock, held):
    renewals = Renewals(server.renew, clock, server.watch)
    renewals.keep(held, clock.monotonic())
    return renewals


def pass_time(renewals, clock, seconds, step=0.5):
    """Let time go on as the thread would see it."""
    for _ in range(int(seconds / step)):
        clock.advance(step)
        renewals.step()


def test_a_claim_is_renewed_after_each_third_of_its_lifetime(renewals, server, clock, held):
    """Two renewals may be missed."""
    pass_time(renewals, clock, 35)

    assert [10, 20, 30] == server.asked
    assert not held.over


def test_the_thread_is_told_when_to_come_back(renewals, clock):
    """To watch, then to renew, and not before; not at all without a claim."""
    first = renewals.step()
    clock.advance(1)

    assert (0.5, 10) == (first, renewals.step())
    assert Renewals(lambda claim: None, clock, lambda claim, told: None).step() is None


def test_a_claim_that_the_server_gave_away_is_lost(renewals, server, clock, held):
    """It is not asked for again, and everybody is told once."""
    told = []
    held.when_over(lambda: told.append(held.lost))
    server.answer = LOST

    pass_time(renewals, clock, 60)

    assert [10] == server.asked
    assert [True] == told


def test_a_server_that_is_away_for_a_while_costs_nothing(renewals, server, clock, held):
    """Renewals are tried more often then."""
    server.answer = AWAY
    pass_time(renewals, clock, 20)
    server.answer = None
    pass_time(renewals, clock, 30)

    assert not held.over
    assert [10, 11.5, 13] == server.asked[:3]


def test_a_claim_is_lost_when_no_renewal_came_through_for_its_lifetime(renewals, server, clock, held):
    """By then the server has given it to somebody else."""
    server.answer = AWAY

    pass_time(renewals, clock, LIFETIME - 1)
    before = held.over
    pass_time(renewals, clock, 2)

    assert (False, True) == (before, held.lost)


def test_a_claim_is_watched_as_long_as_it_lasts(renewals, server, clock, held):
    """Not at once, for most are over quickly; each answer of the server begins another watch."""
    pass_time(renewals, clock, 3)
    server.told(None)
    pass_time(renewals, clock, 3)

    assert [0.5, 3.5] == server.watched
    assert not held.over


def test_a_watched_claim_is_lost_as_soon_as_the_server_says_so(renewals, server, clock, held):
    """Long before the next renewal; and it is not asked for again."""
    pass_time(renewals, clock, 1)
    server.told(LOST)
    renewals.step()
    lost = held.lost

    pass_time(renewals, clock, 60)

    assert (True, [], 0.5) == (lost, server.asked, server.watched[0])


def test_a_watch_that_failed_is_begun_again_after_a_renewal(renewals, server, clock, held):
    """So a server that is away is asked by renewals alone."""
    pass_time(renewals, clock, 1)
    server.told(AWAY)
    pass_time(renewals, clock, 11)

    assert [0.5, 10.5] == server.watched
    assert not held.over


def test_answers_that_come_at_once_begin_no_storm(server, clock, held):
    """The next watch is begun half a second later."""

    def watch(claim, told):
        server.watch(claim, told)
        told(None)
        return lambda: None

    renewals = Renewals(server.renew, clock, watch)
    renewals.keep(held, clock.monotonic())
    pass_time(renewals, clock, 2, step=0.1)

    assert 4 == len(server.watched)


def test_the_watch_of_a_dropped_claim_ends(renewals, server, clock, held):
    """And what it tells then concerns nobody."""
    pass_time(renewals, clock, 1)

    renewals.drop(held)
    server.told(LOST)
    renewals.step()

    assert [0.5, "ended"] == server.watched
    assert not held.lost


def test_a_dropped_claim_is_not_renewed(renewals, server, clock, held):
    """All its work is handed in."""
    renewals.drop(held)

    pass_time(renewals, clock, 60)

    assert [] == server.asked


def test_the_thread_renews_by_itself(held):
    """With the real clock: a claim of a short life stays alive until it is dropped."""
    renewed = threading.Semaphore(0)
    short = Held(SimpleNamespace(lifetime=0.03, set_id=1, job="job"))
    clock = SystemClock()
    renewals = Renewals(lambda claim: renewed.release(), clock, lambda claim, told: lambda: None)
    renewals.start()

    renewals.keep(short, clock.monotonic())
    came = [renewed.acquire(timeout=10) for _ in range(3)]
    renewals.close()

    assert [True] * 3 == came


def test_who_asks_late_is_told_at_once(held):
    """A claim that is over stays so."""
    told = []
    held.leave()

    held.when_over(lambda: told.append(1))
    held.lose()

    assert [1] == told
    assert held.lost


class Sink:
    """Takes lines as a server does."""

    def __init__(self):
        self.sent = []
        self.answers = []
        self.came = threading.Semaphore(0)

    def __call__(self, job, lines):
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            self.came.release()
            raise answer
        self.sent.append((job, [line.message for line in lines]))
        self.came.release()


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def logs(sink):
    logs = Logs(sink)
    yield logs
    logs.close()


def test_lines_are_sent_together(logs, sink, held):
    """In their order; a flush waits for none but those before it."""
    for number in range(100):
        logs.add(held, "d", f"{number}")

    logs.flush(held)

    assert [("job", [str(number) for number in range(100)])] == sink.sent


def test_a_line_is_sent_though_nobody_asks(logs, sink, held):
    """Within a second or so: whoever follows a log sees it grow."""
    logs.add(held, "d", "hello")

    assert sink.came.acquire(timeout=10)
    assert [("job", ["hello"])] == sink.sent


def test_jobs_are_kept_apart(logs, sink, held):
    """Lines of two jobs go in two calls."""
    other = Held(claim("other"))
    logs.add(held, "d", "one")
    logs.add(other, "d", "two")

    logs.flush(other)

    assert [("job", ["one"]), ("other", ["two"])] == sink.sent


def test_output_need_not_be_text(sink, held):
    """Bytes that are no UTF-8 are shown as well as can be, and marked as user code's."""
    lines = []
    logs = Logs(lambda job, some: lines.extend(some))
    logs.add(held, "d", b"caf\xe9")
    logs.add(held, "d", "said by the worker")
    logs.close()

    assert [("caf\N{REPLACEMENT CHARACTER}", True), ("said by the worker", False)] == [
        (line.message, line.user) for line in lines
    ]


def test_a_datum_that_prints_too_much_is_cut_off_and_says_so(held):
    """Once; the worker's own lines still come, and so does what the next datum prints."""
    lines = []
    logs = Logs(lambda job, some: lines.extend(some), datum_bytes_max=10)
    for datum, text in (("d", b"12345"), ("d", b"67890"), ("d", b"!"), ("d", b"?"), ("d", ErrorLine("failed"))):
        logs.add(held, datum, text)
    logs.add(held, "e", b"next")
    logs.close()

    assert ["12345", "67890", "failed", "next"] == [lines[at].message for at in (0, 1, 3, 4)]
    cut = lines[2]
    assert (False, LogLevel.ERROR, "d") == (cut.user, cut.level, cut.datum_id)
    assert cut.message.startswith("datum printed more than 10B; what follows is not kept")
    assert 5 == len(lines)


def test_lines_outlive_a_server_that_is_away(logs, sink, held):
    """They are sent again."""
    sink.answers = [AWAY]
    logs.add(held, "d", "hello")

    logs.flush(held)

    assert [("job", ["hello"])] == sink.sent


def test_lines_of_a_job_that_is_gone_are_dropped(logs, sink, held):
    """And those that follow are sent."""
    sink.answers = [NotFound(ErrorKind.JOB_NOT_FOUND, "no such job")]
    logs.add(held, "d", "one")
    logs.flush(held)
    logs.add(held, "d", "two")
    logs.flush(held)

    assert [("job", ["two"])] == sink.sent


def test_whoever_writes_too_fast_waits(sink, held, monkeypatch):
    """Memory is bounded; the wait ends with the claim."""
    monkeypatch.setattr(logs_module, "PENDING_BYTES_MAX", 1000)
    sink.answers = [AWAY] * 1000
    logs = Logs(sink)
    held.when_over(logs.wake)
    added = []

    def write():
        for _ in range(100):
            logs.add(held, "d", "x" * 100)
            added.append(1)

    thread = threading.Thread(target=write)
    thread.start()
    assert sink.came.acquire(timeout=10)
    waiting = thread.is_alive() and len(added) < 10
    held.lose()
    thread.join(10)
    logs.close()

    assert waiting
    assert not thread.is_alive()


def test_delays_double_up_to_the_longest():
    """And stay there."""
    some = delays(0.1, 0.5)

    assert [0.1, 0.2, 0.4, 0.5, 0.5] == [next(some) for _ in range(5)]
