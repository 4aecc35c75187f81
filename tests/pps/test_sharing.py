# SPDX-License-Identifier: Apache-2.0
"""How pipelines share the pool, and the states that show it: nobody starves, and who has no work rests."""

from collections import Counter

from howdah.model.states import JobState, PipelineState
from tests.pps.lakes import Lake, pipe


def state_of(lake, name="up"):
    return lake.pps.pipelines.inspect(pipe(name)).state


def busy(lake, name, number=12, **fields):
    """A pipeline of its own repo, with a job of so many sets of one datum."""
    lake.repo(f"{name}-in")
    lake.pipeline(name, f"{name}-in", datumSetSpec={"number": 1}, **fields)
    lake.commit(f"{name}-in", {f"/{n}": b"%d" % n for n in range(number)})
    lake.pps.scheduler.settle()


def test_a_new_pipeline_has_its_share_as_soon_as_a_worker_is_free():
    """A long job has all four workers; those that become free go to the new one until both have two."""
    lake = Lake(workers=4)
    busy(lake, "long", 40)
    first = [lake.pps.claims.claim(f"w{n}") for n in range(4)]
    busy(lake, "new")

    served = []
    for number, claim in enumerate(first):
        lake.hand_in(claim, 0)
        served.append(lake.pps.claims.claim(f"w{number}").job.pipeline.name)

    assert ["new", "new"] == served[:2]
    assert Counter(long=2, new=2) == Counter(served)
    lake.close()


def test_one_worker_goes_round(lake):
    """With a single worker, pipelines with work take turns."""
    for name in ("a", "b", "c"):
        busy(lake, name)

    served = [lake.work().job.pipeline.name for _ in range(6)]

    assert ["a", "b", "c"] * 2 == served


def test_a_share_that_is_bounded_is_left_to_others():
    """A pipeline with a constant of 1 has one worker, and another all the rest."""
    lake = Lake(workers=4)
    busy(lake, "narrow", parallelismSpec={"constant": 1})
    busy(lake, "wide")

    served = Counter(lake.pps.claims.claim(f"w{n}").job.pipeline.name for n in range(4))

    assert {"narrow": 1, "wide": 3} == served
    lake.close()


def test_a_pipeline_with_autoscaling_rests_when_it_has_no_work(lake):
    """RUNNING from the moment at which there is a job until it has ended; each move is told once."""
    moves = []
    lake.db.on_commit(lambda events: moves.extend(each for each in events if each.kind == "moved"))
    lake.repo("in")
    lake.pipeline("up", "in", autoscaling=True)
    lake.run()
    resting = state_of(lake)
    lake.commit("in", {"/a": b"a"})
    lake.pps.scheduler.settle()
    working = state_of(lake)
    lake.run()

    assert (PipelineState.STANDBY, PipelineState.RUNNING) == (resting, working)
    assert PipelineState.STANDBY is state_of(lake)
    assert ["PIPELINE_STANDBY", "PIPELINE_RUNNING", "PIPELINE_STANDBY"] == [
        each.body["state"] for each in moves if each.subject == "pipeline/default/up"
    ]
    assert JobState.SUCCESS is lake.job("up").state


def test_a_pipeline_without_autoscaling_is_always_running(lake):
    """An update may give it autoscaling, and take it away."""
    lake.repo("in")
    lake.pipeline("up", "in")
    states = []
    for autoscaling in (False, True, False):
        lake.pipeline("up", "in", update=True, autoscaling=autoscaling)
        lake.run()
        states.append(state_of(lake))

    assert [PipelineState.RUNNING, PipelineState.STANDBY, PipelineState.RUNNING] == states


def test_who_stopped_a_pipeline_finds_it_stopped(lake):
    """PAUSED is nobody's to change but theirs; started again it rests, having no work."""
    lake.repo("in")
    lake.pipeline("up", "in", autoscaling=True)
    lake.run()
    lake.pps.pipelines.stop(pipe("up"))
    lake.run()
    stopped = state_of(lake)
    lake.pps.pipelines.start(pipe("up"))
    lake.run()

    assert (PipelineState.PAUSED, PipelineState.STANDBY) == (stopped, state_of(lake))
