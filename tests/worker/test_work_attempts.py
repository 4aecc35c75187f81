# SPDX-License-Identifier: Apache-2.0
"""The tries of a datum: what the command is given, when it has failed, and what is said of it."""

import os
import threading
from dataclasses import replace

import pytest

from howdah.errors import BadRequest, Damaged, ErrorKind, Unavailable
from howdah.worker.attempts import Attempts
from howdah.worker.below import empty
from howdah.worker.environment import datum_variables, standing_variables
from howdah.worker.folders import Folders
from howdah.worker.materialise import Materialiser
from howdah.worker.nest import Outcome
from howdah.worker.prefetch import Ready, make_ready
from howdah.worker.values import Cost, Datum, Held, Match
from tests.worker.scripted import COMMIT_ID, JOB_ID, SPEC_ID, Lake

DATUM = Datum("d" * 32, (Match("in", "/a"),))
WAY_OUT = f"; logs: howdah logs -j default/edges@{JOB_ID} --datum {DATUM.id}"


def outcome(exit_code=0, **fields):
    values = {"signal": None, "timed_out": False, "cancelled": False, "error": "", **fields}
    return Outcome(exit_code=exit_code, seconds=0.5, cpu_seconds=0.1, memory_max_bytes=1, **values)


class Bench:
    """A datum and a nest that answers what the test says."""

    def __init__(self, lake, folder, **spec):
        self.lake = lake
        self.claim = lake.value({"in": {"/a": b"one"}}, [], **spec)
        self.held = Held(self.claim)
        self.folders = Folders(folder / "work", reuse=True)
        self.materialiser = Materialiser(lake.storage, self.claim)
        self.commands, self.said, self.pauses, self.answers = [], [], [], []

    def run(self, *answers, ready=None):
        """Try the datum; each answer is an outcome, or a function of the command that gives one."""
        self.answers = list(answers)
        attempts = Attempts(
            self.held,
            self.folders,
            self.materialiser,
            self._run,
            lambda datum_id, line: self.said.append(line),
            self._pause,
        )
        return attempts.run(ready or make_ready(DATUM, self.folders, self.materialiser))

    def _run(self, command):
        self.commands.append(command)
        answer = self.answers.pop(0)
        return answer(command) if callable(answer) else answer

    def _pause(self, seconds):
        self.pauses.append(seconds)
        return self.held.over


@pytest.fixture
def bench(tmp_path):
    lake = Lake(tmp_path)
    made = []

    def make(**spec):
        made.append(Bench(lake, tmp_path, **spec))
        return made[-1]

    yield make
    for each in made:
        each.folders.close()
    lake.storage.close()


def test_a_command_that_succeeds_runs_once(bench):
    """Its folder goes on to be collected."""
    bench = bench()

    ran = bench.run(outcome())

    assert ("", 1, 0.5, 3) == (ran.reason, ran.tries, ran.process_seconds, ran.download_bytes)
    assert str(bench.commands[0].pfs) == ran.folder
    finished = "datum finished in 0.500 s (0.100 s of CPU, at most 0 MB in one process)"
    assert ["datum started: /pfs/in/a", finished] == bench.said


def test_the_command_is_what_the_spec_says(bench):
    """Words, lines of stdin, folder to start in, time limit."""
    transform = {"cmd": ["sh", "-x"], "stdin": ["one", "two"], "workingDir": "/srv"}
    bench = bench(transform=transform, datumTimeout="90s")

    bench.run(outcome())

    command = bench.commands[0]
    assert (("sh", "-x"), b"one\ntwo\n", "/srv", 90.0) == (command.argv, command.stdin, command.cwd, command.timeout)


def test_the_variables_are_those_of_pachyderm(bench):
    """Each input's path and commit, the job, the datum, the pipeline."""
    bench = bench()

    bench.run(outcome())

    env = bench.commands[0].env
    assert {
        "in": "/pfs/in/a",
        "in_COMMIT": COMMIT_ID,
        "PACH_DATUM_ID": DATUM.id,
        "PACH_JOB_ID": JOB_ID,
        "PACH_OUTPUT_COMMIT_ID": JOB_ID,
        "PACH_IN_WORKER": "true",
        "PPS_PIPELINE_NAME": "edges",
        "PPS_PROJECT_NAME": "default",
        "PPS_SPEC_COMMIT": SPEC_ID,
        "PPS_POD_NAME": "",
    } == {name: value for name, value in env.items() if name not in ("PATH", "HOME", "LANG")}


def test_a_matched_directory_is_named_without_its_slash(bench):
    """The root of an input is its folder."""
    claim = bench().claim

    variables = [datum_variables(claim, Datum("d", (Match("in", path),)))["in"] for path in ("/", "/b/", "/b/c")]

    assert ["/pfs/in", "/pfs/in/b", "/pfs/in/b/c"] == variables


def test_the_specs_variables_stand_between_the_usual_and_the_datums(bench):
    """They may change PATH, and not what is true of the datum."""
    claim = bench(transform={"cmd": ["x"], "env": {"PATH": "/mine", "MORE": "1", "PACH_JOB_ID": "lie"}}).claim

    variables = standing_variables(claim, {"PATH": "/bin", "HOME": "/home/ana", "SECRET": "s"})

    assert ("/mine", "/home/ana", "1", JOB_ID) == tuple(
        variables[name] for name in ("PATH", "HOME", "MORE", "PACH_JOB_ID")
    )
    assert "SECRET" not in variables


def test_a_worker_without_path_and_home_has_some(bench):
    """A server started by a bare system service still runs commands."""
    variables = standing_variables(bench().claim, {})

    assert "/usr/bin" in variables["PATH"].split(":")
    assert "/" == variables["HOME"]


def test_a_failing_command_is_tried_again_in_a_fresh_folder(bench):
    """Inputs are what they were and out is empty, whatever the failed try did."""
    bench = bench()
    seen = []

    def spoil(command):
        seen.append(((command.pfs / "in/a").read_bytes(), os.listdir(command.pfs / "out")))
        (command.pfs / "in/a").write_bytes(b"spoilt")
        (command.pfs / "out/half").write_bytes(b"half")
        bench.folders.discard("/nonexistent")  # the cleaner is busy with others meanwhile
        return outcome(1 if len(seen) < 3 else 0)

    ran = bench.run(spoil, spoil, spoil)

    assert ("", 3) == (ran.reason, ran.tries)
    assert [(b"one", [])] * 3 == seen


def test_what_all_tries_took_is_added_up(bench):
    """CPU time is summed, the recovery command's too; of memory it is the most."""
    bench = bench(transform={"cmd": ["x"], "errCmd": ["y"]})
    tries = [replace(outcome(1), cpu_seconds=2**n, memory_max_bytes=memory) for n, memory in enumerate([5, 3, 9, 4])]

    ran = bench.run(*tries, outcome(0))

    assert ("", Cost(15.1, 9), 3) == (ran.reason, ran.cost, ran.tries)


def test_pauses_between_tries_grow(bench):
    """Something busy gets time, and a bug costs little."""
    bench = bench(datumTries=4)

    bench.run(*[outcome(1)] * 4)

    assert [0.2, 0.4, 0.8] == bench.pauses


def test_a_datum_that_fails_to_the_end_says_why_and_where_its_logs_are(bench):
    """Each try has its line in the log; the reason is that of the last."""
    bench = bench()

    ran = bench.run(outcome(1), outcome(2), outcome(3))

    assert "" == ran.folder
    assert f"datum {DATUM.id} failed: its command exited with code 3 on attempt 3 of 3{WAY_OUT}" == ran.reason
    assert "datum failed: its command exited with code 1 on attempt 1 of 3" == bench.said[1]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (outcome(137, signal=9, timed_out=True), "exceeded its time limit of 30 s (datum_timeout)"),
        (outcome(139, signal=11), "failed: its command was killed by signal 11"),
        (outcome(127, error="no such program: 'x'"), "could not start its command: no such program: 'x'"),
        (None, "was killed together with the process that runs commands; has this machine enough memory?"),
    ],
)
def test_a_reason_names_what_happened(bench, answer, text):
    """A time limit, a signal, no program, no memory."""
    bench = bench(datumTries=1, datumTimeout="30s")

    ran = bench.run(answer)

    assert f"datum {DATUM.id} {text} on attempt 1 of 1{WAY_OUT}" == ran.reason


def test_a_command_that_nobody_can_run_fails_its_datum(bench):
    """The nest refuses it by an error."""
    bench = bench(datumTries=1)

    def refuse(command):
        raise BadRequest(ErrorKind.BAD_ARGUMENT, "command has a NUL")

    assert "cannot be run: command has a NUL on attempt 1 of 1" in bench.run(refuse).reason


@pytest.mark.parametrize(("exit_code", "expected"), [(0, ""), (3, ""), (4, ""), (5, "code 5")])
def test_accepted_codes_are_success(bench, exit_code, expected):
    """0 is always one of them."""
    bench = bench(transform={"cmd": ["x"], "acceptReturnCode": [3, 4]}, datumTries=1)

    assert expected in bench.run(outcome(exit_code)).reason


def test_a_time_limit_is_no_success_whatever_the_code(bench):
    """A killed command's code may be among the accepted ones."""
    bench = bench(transform={"cmd": ["x"], "acceptReturnCode": [137]}, datumTries=1, datumTimeout="1s")

    assert "time limit of 1 s" in bench.run(outcome(137, signal=9, timed_out=True)).reason


def test_inputs_that_cannot_be_had_are_a_failed_try(bench):
    """The next try may find them."""
    bench = bench()
    error = Damaged(ErrorKind.OBJECT_MISSING, "no room")

    ran = bench.run(outcome(), ready=Ready(DATUM, "", 0, 0.0, error))

    assert ("", 2) == (ran.reason, ran.tries)
    assert "datum has no inputs: no room on attempt 1 of 3" == bench.said[1]


def test_inputs_that_a_former_datum_left_no_room_for_are_no_failed_try(bench):
    """They were fetched ahead while that one had the disk full; its files are gone when this one's turn comes."""
    bench = bench(datumTries=1)
    error = Unavailable(ErrorKind.NO_SPACE, "no room")

    ran = bench.run(outcome(), ready=Ready(DATUM, "", 0, 0.0, error))

    assert ("", 1) == (ran.reason, ran.tries)


def test_what_filled_the_disk_is_gone_before_anything_else_runs(bench, monkeypatch):
    """However slowly folders are cleaned: neither the next try nor the next datum fails by the files of this one."""
    running = threading.Event()
    monkeypatch.setattr("howdah.worker.attempts.is_full", lambda folder: True)
    monkeypatch.setattr("howdah.worker.folders.empty", lambda inside: (running.wait(0.1), empty(inside)))
    bench = bench(datumTries=2)
    left = []

    def fill(command):
        left.append(command.pfs / "out" / "big")
        left[0].write_bytes(b"all")
        return outcome(1)

    def succeed(command):
        running.set()
        left.append(left[0].exists())
        return outcome()

    ran = bench.run(fill, succeed)

    assert ("", 2) == (ran.reason, ran.tries)
    assert left[1] is False


def test_nothing_is_answered_when_the_claim_is_over(bench):
    """Neither result nor another try: somebody else does it."""
    bench = bench()

    def lose(command):
        bench.held.lose()
        return outcome(137, signal=9, cancelled=True)

    assert bench.run(lose) is None
    assert 1 == len(bench.commands)


def test_no_pause_outlasts_the_claim(bench):
    """A claim that is lost between two tries is not tried again."""
    bench = bench()

    assert bench.run(lambda command: outcome(1), lambda command: outcome(1), outcome(1)) is not None
    bench.held.lose()
    assert bench.run(outcome(1)) is None


def test_lines_of_user_code_stay_bytes(bench):
    """What the command prints is told apart from what the worker says."""
    bench = bench()

    def speak(command):
        command.on_output(b"hello \xff")
        return outcome()

    bench.run(speak)

    assert [b"hello \xff"] == [line for line in bench.said if isinstance(line, bytes)]


RECOVERY = {"cmd": ["main"], "errCmd": ["mend", "it"], "errStdin": ["why"]}


def test_a_recovery_command_that_succeeds_ends_the_tries(bench):
    """It runs where the command failed, with the same variables; the datum is recovered and has no output."""
    bench = bench(transform=RECOVERY)

    ran = bench.run(outcome(3), outcome())

    main, mend = bench.commands
    assert (("mend", "it"), b"why\n", main.pfs, main.env) == (mend.argv, mend.stdin, mend.pfs, mend.env)
    assert (True, "", 1) == (ran.recovered, ran.folder, ran.tries)
    assert "exited with code 3 on attempt 1 of 3" in ran.reason
    assert "datum recovered: err_cmd succeeded, so the job goes on without its output" == bench.said[-1]


def test_a_recovery_command_that_fails_leaves_the_next_try(bench):
    """Command and recovery in turn, as often as there are tries; then the datum has failed by the command's fault."""
    bench = bench(transform=RECOVERY, datumTries=2)

    ran = bench.run(outcome(3), outcome(4), outcome(5), outcome(6))

    assert [("main",), ("mend", "it")] * 2 == [command.argv for command in bench.commands]
    assert (False, 2) == (ran.recovered, ran.tries)
    assert "its command exited with code 5 on attempt 2 of 2" in ran.reason
    assert "the recovery command (err_cmd) did not help: it failed: its command exited with code 6" in bench.said


def test_a_try_that_succeeds_needs_no_recovery(bench):
    """Also after one that failed in vain."""
    bench = bench(transform=RECOVERY)

    ran = bench.run(outcome(3), outcome(4), outcome())

    assert (False, "", 2) == (ran.recovered, ran.reason, ran.tries)


@pytest.mark.parametrize("code", [0, 7])
def test_codes_that_are_accepted_are_good_for_both_commands(bench, code):
    """`accept_return_code` says what success is."""
    bench = bench(transform=RECOVERY | {"acceptReturnCode": [7]})

    assert bench.run(outcome(3), outcome(code)).recovered
    assert "" == bench.run(outcome(code)).reason


def test_a_datum_that_takes_too_long_may_be_recovered(bench):
    """The recovery command has as much time again."""
    bench = bench(transform=RECOVERY, datumTimeout="2s")

    ran = bench.run(outcome(137, timed_out=True), outcome())

    assert (True, 2.0) == (ran.recovered, bench.commands[1].timeout)


def test_nothing_is_recovered_when_the_claim_is_over(bench):
    """Somebody else does the datum."""
    bench = bench(transform=RECOVERY)

    def lose(command):
        bench.held.lose()

    assert bench.run(outcome(3), lose) is None


def test_a_pipeline_with_debug_hears_more(bench):
    """What each try begins with, in the log of the datum."""
    bench = bench(transform={"cmd": ["x"], "debug": True}, datumTries=2)

    bench.run(outcome(1), outcome())

    assert 2 == len([line for line in bench.said if line.startswith("inputs: 3 bytes in ")])
