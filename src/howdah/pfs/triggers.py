# SPDX-License-Identifier: Apache-2.0
"""Triggers: when a branch moves to what another branch of its repo has, and doing it.

A trigger is decided by what is there: the newest good commit of its source, the head of its own branch, and the time.
So deciding may be repeated, and nothing is lost if nobody decided for a while. Who decides, and when, is
`pfs.trigger_watch`. A branch adopts the commit itself; what follows from the move gets a commit set of its own.
"""

from datetime import datetime

from howdah.db.transaction import Transaction
from howdah.errors import BadRequest, ErrorKind
from howdah.model.infos import Trigger
from howdah.model.names import branch_name
from howdah.model.refs import Branch
from howdah.model.schedules import parse_schedule
from howdah.model.units import parse_size
from howdah.pfs import branch_rows, commit_lines, commit_rows, trigger_rows
from howdah.pfs.branch_rows import BranchRow
from howdah.pfs.commit_rows import CommitRow
from howdah.pfs.trigger_rows import TriggerRow
from howdah.pfs.work import Work

__all__ = ["attach", "check", "decided_by_hand", "has_ticked", "next_tick", "pull", "wanted"]


def check(branch: Branch, trigger: Trigger) -> None:
    """Refuse a trigger that is wrong whatever the lake holds.

    Raises:
        BadRequest: BAD_ARGUMENT or BAD_NAME.
    """
    if not trigger.branch:
        raise _bad(f"triggers must specify a branch to trigger on; name one for branch {branch}")
    branch_name(trigger.branch)
    if trigger.commits < 0:
        raise _bad(f"can't trigger on a negative number of commits; give branch {branch} 1 or more")
    if trigger.size:
        parse_size(trigger.size)
    if trigger.rate_limit_spec:
        parse_schedule(trigger.rate_limit_spec)
    if trigger.cron_spec:
        parse_schedule(trigger.cron_spec)
        if trigger.commits or trigger.size or trigger.rate_limit_spec:
            text = f"a cron trigger takes no other condition (branch {branch})"
            raise _bad(f"{text}; leave out the others, or use a rate limit instead of cron")


def attach(work: Work, row: BranchRow, trigger: Trigger) -> None:
    """Give a branch a trigger, which watches from now on. The same one again does nothing.

    Raises:
        NotFound: BRANCH_NOT_FOUND: the branch that it watches.
        BadRequest: DAG_INVALID: triggers that would follow each other round.
    """
    tx = work.tx
    if row.trigger == trigger:
        return
    _check_loop(tx, row, trigger)
    source = branch_rows.find(tx, row.repo_id, trigger.branch)
    if source is None:
        raise branch_rows.missing(Branch(row.branch.repo, trigger.branch))
    branch_rows.set_trigger(tx, row, trigger)
    trigger_rows.watch(tx, row.id, _newest(tx, source))


def decided_by_hand(tx: Transaction, row: BranchRow) -> None:
    """Somebody moved a branch with a trigger: it stays there until its source has something newer than now."""
    if row.trigger is not None and (source := branch_rows.find(tx, row.repo_id, row.trigger.branch)) is not None:
        trigger_rows.see(tx, row.id, _newest(tx, source))


def wanted(tx: Transaction, found: TriggerRow) -> CommitRow | None:
    """The commit that the branch shall have by its trigger now; None if it shall stay where it is."""
    source = branch_rows.find(tx, found.branch.repo_id, found.trigger.branch)
    if source is None or source.head_id is None:
        return None
    newest = commit_lines.last_good(tx, source.head_id, past_open=True)
    if newest is None or newest.id == found.branch.head_id:
        return None
    if found.trigger.cron_spec:
        return newest if has_ticked(found, tx.now) else None
    return newest if newest.id > found.seen and _holds(tx, found, newest) else None


def pull(work: Work, found: TriggerRow, to: CommitRow | None) -> None:
    """Move the branch, and what follows it; without a commit only the tick of its schedule is taken."""
    if to is not None:
        work.new_set()
        branch_rows.move_head(work.tx, found.branch, to.id)
        work.moved(found.branch.id)
    trigger_rows.note(work.tx, found.branch.id, found.seen if to is None else to.id)


def has_ticked(found: TriggerRow, now: datetime) -> bool:
    """Whether the schedule of a cron trigger ticked since it was asked last."""
    tick = next_tick(found) if found.trigger.cron_spec else None
    return tick is not None and tick <= now


def next_tick(found: TriggerRow) -> datetime | None:
    """When time may pull the trigger; None if time alone never does."""
    spec = found.trigger.cron_spec or found.trigger.rate_limit_spec
    return parse_schedule(spec).next_after(found.ticked_at) if spec else None


def _holds(tx: Transaction, found: TriggerRow, newest: CommitRow) -> bool:
    """Whether the conditions hold: one of them, or all of them if the trigger says so."""
    trigger, head_id = found.trigger, found.branch.head_id
    conditions: list[bool] = []
    if trigger.size:
        head = None if head_id is None else commit_rows.by_ids(tx, [head_id])[head_id]
        old = 0 if head is None else head.size_bytes or 0
        conditions.append((newest.size_bytes or 0) - old >= parse_size(trigger.size))
    if trigger.rate_limit_spec:
        tick = next_tick(found)
        conditions.append(tick is not None and tick <= tx.now)
    if trigger.commits:
        conditions.append(commit_lines.distance(tx, newest.id, head_id, trigger.commits) >= trigger.commits)
    return all(conditions) if trigger.all else any(conditions)


def _newest(tx: Transaction, source: BranchRow) -> int:
    """The key of the newest good commit of a branch; 0 if there is none."""
    newest = None if source.head_id is None else commit_lines.last_good(tx, source.head_id, past_open=True)
    return 0 if newest is None else newest.id


def _check_loop(tx: Transaction, row: BranchRow, trigger: Trigger) -> None:
    name: str = trigger.branch
    while True:
        if name == row.branch.name:
            raise BadRequest(
                ErrorKind.DAG_INVALID,
                f"triggers cannot form a loop: branch {row.branch} would follow itself; trigger on another branch",
            )
        above = branch_rows.find(tx, row.repo_id, name)
        if above is None or above.trigger is None:
            return
        name = above.trigger.branch


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)
