# SPDX-License-Identifier: Apache-2.0
"""States and the moves of jobs."""

import pytest

from howdah.errors import ErrorKind, Refused
from howdah.model.files import FileInfo
from howdah.model.refs import Job, Pipeline
from howdah.model.states import JOB_MOVES, CommitState, DatumState, JobState, PipelineState, is_terminal, move_job

JOB = Job(Pipeline("default", "edges"), "0123456789ab4def0123456789abcdef")


def test_states_have_the_numbers_and_names_of_the_protocol():
    """So that an API needs no table."""
    assert (9, "JOB_UNRUNNABLE") == (JobState.UNRUNNABLE, JobState.UNRUNNABLE.wire_name)
    assert (7, "PIPELINE_CRASHING") == (PipelineState.CRASHING, PipelineState.CRASHING.wire_name)
    assert (3, "SKIPPED") == (DatumState.SKIPPED, DatumState.SKIPPED.wire_name)
    assert CommitState.STARTED < CommitState.READY < CommitState.FINISHING < CommitState.FINISHED


def test_every_job_state_has_its_moves_and_can_be_reached():
    """No state is forgotten in the table; all but the first follow from another."""
    reached = {to for moves in JOB_MOVES.values() for to in moves}

    assert set(JobState) == set(JOB_MOVES)
    assert set(JobState) - {JobState.CREATED} == reached


def test_a_job_runs_through_its_states():
    """The long way to success, with egress."""
    state = JobState.CREATED
    for to in (JobState.STARTING, JobState.RUNNING, JobState.EGRESSING, JobState.FINISHING, JobState.SUCCESS):
        state = move_job(state, to, job=JOB)

    assert is_terminal(state)


def test_a_finished_job_stays_finished():
    """The message begins as clients know it."""
    with pytest.raises(Refused) as error:
        move_job(JobState.KILLED, JobState.RUNNING, job=JOB)

    assert ErrorKind.JOB_FINISHED == error.value.kind
    assert error.value.message.startswith(f"job {JOB} has already finished")


def test_a_move_that_does_not_exist_is_refused():
    """The message says which ones do."""
    with pytest.raises(Refused) as error:
        move_job(JobState.CREATED, JobState.SUCCESS, job=JOB)

    assert ErrorKind.BAD_MOVE == error.value.kind
    assert "it can go to JOB_KILLED, JOB_STARTING, JOB_UNRUNNABLE" in error.value.message


def test_a_file_info_knows_its_name():
    """A directory's slash is not part of it."""
    assert "b" == FileInfo("/a/b/", True, 0, b"").name
    assert "c" == FileInfo("/a/b/c", False, 0, b"").name
