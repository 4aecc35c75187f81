# SPDX-License-Identifier: Apache-2.0
"""Cron inputs as part of a pipeline: the repos of their ticks, and from when on each ticks.

A cron input reads `master` of its tick repo, in which each tick is an empty file named by its time. When it ticks is
in `pps.ticking`; here is what making, changing, starting and deleting a pipeline does about it.
"""

from datetime import datetime
from typing import Final

from howdah.model.names import DEFAULT_BRANCH, USER
from howdah.model.refs import Branch, Pipeline, Repo
from howdah.model.schedules import parse_schedule
from howdah.model.spec import CronInput, PipelineSpec, cron_inputs
from howdah.model.spec.codec import bad_spec
from howdah.pfs import repo_rows, repos
from howdah.pfs.work import Work
from howdah.pps import cron_rows, pipeline_rows
from howdah.pps.cron_rows import CronRow

__all__ = ["MISSED_MAX", "adopt", "remove_repos", "tick_branch"]

# Ticks that are made up for at most, each a commit and a job: every hour of a year, and a bit more.
MISSED_MAX: Final = 10_000


def tick_branch(node: CronInput) -> Branch:
    """Where the ticks of an input are committed."""
    return Branch(_repo(node), DEFAULT_BRANCH)


def adopt(work: Work, pipeline_id: int, spec: PipelineSpec, old: PipelineSpec | None = None) -> None:
    """Give each cron input of a pipeline its repo and its place in time, and forget those that `old` had alone.

    An input goes on where it was, unless its schedule is another one: that is followed from now on, or from `start` if
    that is new too. Repeating it changes nothing. A tick repo and its history stay whatever becomes of the input.

    Raises:
        BadRequest: BAD_SPEC: two inputs with one repo, a repo that a pipeline writes, or more missed ticks since
            `start` than will be made up for.
        NotFound: the project of a repo.
    """
    nodes = cron_inputs(spec.input)
    before = {node.name: node for node in cron_inputs(None if old is None else old.input)}
    known = cron_rows.of_pipeline(work.tx, pipeline_id)
    cron_rows.remove(work.tx, pipeline_id, known.keys() - {node.name for node in nodes})
    if len({_repo(node) for node in nodes}) < len(nodes):
        raise bad_spec("input.cron.repo", "two cron inputs would tick in one repo; give one of them another name")
    for node in nodes:
        row, was = known.get(node.name), before.get(node.name)
        if was is not None and _repo(was) != _repo(node):
            row = was = None
        made = _make_repo(work, Pipeline(spec.project, spec.name), node)
        at = _begin(work.tx.now, node, was, row)
        cron_rows.put(work.tx, CronRow(pipeline_id, node.name, at, made or (row is not None and row.repo_made)))


def remove_repos(work: Work, pipeline_id: int, spec: PipelineSpec, *, force: bool) -> None:
    """Delete the tick repos that were made for a pipeline.

    Raises:
        Refused: HAS_DEPENDANTS: others read one, and `force` is off.
    """
    known = cron_rows.of_pipeline(work.tx, pipeline_id)
    for node in cron_inputs(spec.input):
        if (row := known.get(node.name)) is not None and row.repo_made:
            repos.delete(work, _repo(node), force=force)


def _repo(node: CronInput) -> Repo:
    return Repo(node.project, node.repo, USER)


def _make_repo(work: Work, pipeline: Pipeline, node: CronInput) -> bool:
    """Make the repo of an input's ticks unless it is there; whether it was made."""
    repo = _repo(node)
    if repo_rows.find(work.tx, repo) is None:
        repos.create(work, repo, f"Cron tick repo for pipeline {pipeline}.")
        return True
    if pipeline_rows.find(work.tx, Pipeline(repo.project, repo.name)) is not None:
        why = f"pipeline {repo} writes to that repo, so nothing can tick there; leave the repo out"
        raise bad_spec("input.cron.repo", why)
    return False


def _begin(now: datetime, node: CronInput, was: CronInput | None, row: CronRow | None) -> datetime:
    """The moment after which the first tick comes."""
    if row is not None and was is not None and was.spec == node.spec and was.start == node.start:
        return row.ticked_at
    is_told = node.start is not None and (was is None or was.start != node.start)
    begin = node.start if node.start is not None and is_told else now
    begin = begin.replace(microsecond=0)  # ticks are named by whole seconds
    if not node.overwrite and len(parse_schedule(node.spec).between(begin, now, MISSED_MAX + 1)) > MISSED_MAX:
        why = f"more than {MISSED_MAX:,} ticks were missed since then; begin later, or set overwrite for the newest one"
        raise bad_spec("input.cron.start", why)
    return begin
