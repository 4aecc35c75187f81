# SPDX-License-Identifier: Apache-2.0
"""The branches by which inputs with a trigger are read: made, changed and deleted with their pipeline.

Such an input reads a branch of its own, `<pipeline>-trigger-<n>`, which follows another one of the repo by a trigger
(`pfs.triggers`). What is on that other branch already does not count: the first job of the pipeline finds nothing.
"""

import re
from contextlib import suppress

from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.model.infos import Trigger
from howdah.model.refs import Branch
from howdah.model.spec import PfsInput, PipelineSpec, pfs_inputs
from howdah.pfs import branch_rows, branches, provenance, repo_rows
from howdah.pfs.resolve import head_of
from howdah.pfs.work import Work
from howdah.pps.input_keys import branch_of

__all__ = ["make_trigger_branches", "remove_trigger_branches"]


def make_trigger_branches(work: Work, spec: PipelineSpec) -> None:
    """Make the branches that inputs with a trigger read, or give them their trigger as it is now.

    Raises:
        NotFound: a repo.
        BadRequest: DAG_INVALID: such a branch has provenance, or triggers would follow each other round.
    """
    for node in pfs_inputs(spec.input):
        if node.trigger is None:
            continue
        branch = branch_of(node)
        repo = repo_rows.get(work.tx, branch.repo)
        head = None
        if branch_rows.find(work.tx, repo.id, node.trigger.branch) is None:
            source = Branch(branch.repo, node.trigger.branch)
            branches.create(work, source)
            # A repo has one commit in a commit set: both branches begin with the same empty one.
            head = head_of(work.tx, source)
        there = branch_rows.find(work.tx, repo.id, branch.name)
        if there is not None and provenance.edges_of_branches(work.tx, [there.id]):
            text = f"input {node.name}: branch {branch} has provenance and cannot have a trigger"
            raise BadRequest(ErrorKind.DAG_INVALID, f"{text}; leave input.pfs.branch out")
        branches.create(work, branch, None if head is None else head.commit, trigger=_trigger(node))


def remove_trigger_branches(work: Work, old: PipelineSpec, new: PipelineSpec | None) -> None:
    """Delete the branches that were made for the inputs of a spec and that the new one, None for none, has no use for.

    One that somebody else came to depend on stays.
    """
    kept = {branch_of(node) for node in pfs_inputs(None if new is None else new.input)}
    own = re.compile(rf"{re.escape(old.name)}-trigger-[0-9]+")
    for node in pfs_inputs(old.input):
        branch = branch_of(node)
        if node.trigger is not None and own.fullmatch(branch.name) and branch not in kept:
            with suppress(NotFound, Refused):
                branches.delete(work, branch)


def _trigger(node: PfsInput) -> Trigger:
    given = node.trigger
    assert given is not None
    return Trigger(given.branch, given.all, given.rate_limit_spec, given.size, given.commits, given.cron_spec)
