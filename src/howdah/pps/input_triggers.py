# SPDX-License-Identifier: Apache-2.0
"""The branches by which inputs with a trigger are read: made, changed and deleted with their pipeline.

Such an input reads a branch of its own, `<pipeline>-trigger-<n>`, which follows another one of the repo by a trigger
(`pfs.triggers`). What is on that other branch already does not count: the first job of the pipeline finds nothing.
"""

import re
from contextlib import suppress

from howdah.errors import NotFound, Refused
from howdah.model.infos import Trigger
from howdah.model.refs import Branch
from howdah.model.spec import PfsInput, PipelineSpec, pfs_inputs
from howdah.pfs import branch_rows, branches, repo_rows
from howdah.pfs.work import Work
from howdah.pps.input_keys import branch_of

__all__ = ["make_trigger_branches", "remove_trigger_branches"]


def make_trigger_branches(work: Work, spec: PipelineSpec) -> None:
    """Make the branches that inputs with a trigger read, or give them their trigger as it is now.

    Raises:
        NotFound: a repo.
        BadRequest: a branch has provenance and can have no trigger; DAG_INVALID: triggers that follow each other round.
    """
    for node in pfs_inputs(spec.input):
        if node.trigger is None:
            continue
        source = Branch(branch_of(node).repo, node.trigger.branch)
        repo = repo_rows.get(work.tx, source.repo)
        if branch_rows.find(work.tx, repo.id, source.name) is None:
            branches.create(work, source)
        branches.create(work, branch_of(node), trigger=_trigger(node))


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
