# SPDX-License-Identifier: Apache-2.0
"""Checks of pfs inputs that look at more than one field: keys against globs, triggers, names that are shared.

They are part of `model.spec.rules`, which fills defaults in before. What may be right and is odd is no error here
but a warning (`pps.input_warnings`), above all a key without any group to take it from.
"""

import dataclasses

from howdah.errors import BadRequest
from howdah.model import names
from howdah.model.globs import Glob
from howdah.model.schedules import parse_schedule
from howdah.model.spec.codec import bad_spec
from howdah.model.spec.inputs import Input, PfsInput, Trigger, pfs_inputs
from howdah.model.units import parse_size

__all__ = ["check_shared_names", "checked_pfs", "with_source"]


def with_source(trigger: Trigger) -> Trigger:
    """A trigger with the branch that it follows filled in."""
    return dataclasses.replace(trigger, branch=trigger.branch or names.DEFAULT_BRANCH)


def checked_pfs(node: PfsInput, path: str) -> PfsInput:
    """A pfs input with its defaults, if it makes sense by itself.

    Raises:
        BadRequest: BAD_SPEC, naming a field below `path`.
    """
    pattern = Glob.parse(node.glob)
    for field, text in (("joinOn", node.join_on), ("groupBy", node.group_by)):
        try:
            if text and pattern.groups:
                pattern.template(text)
        except BadRequest as error:
            raise bad_spec(f"{path}.{field}", error.message) from error
    if node.trigger is not None:
        _check_trigger(node.trigger, node.branch, f"{path}.trigger")
    return node


def check_shared_names(root: Input, path: str) -> None:
    """Refuse inputs that share a name, as members of a union may, if a file of it could not be told from another's.

    Raises:
        BadRequest: BAD_SPEC.
    """
    seen: dict[str, PfsInput] = {}
    for node in pfs_inputs(root):
        first = seen.setdefault(node.name, node)
        one, other = ((each.project, each.repo, each.branch) for each in (first, node))
        ways, others = ((each.lazy, each.empty_files) for each in (first, node))
        if ways != others or (one != other and any(ways)) or (one == other and first.repo_type != node.repo_type):
            why = f"two inputs of the name {node.name} differ in repoType, lazy or emptyFiles, or in what these are for"
            raise bad_spec(path, f"{why}; give one of them another name")


def _check_trigger(trigger: Trigger, branch: str, path: str) -> None:
    if trigger.branch == branch:
        raise bad_spec(f"{path}.branch", f"{branch} would follow itself; leave input.pfs.branch out")
    if trigger.commits < 0:
        raise bad_spec(f"{path}.commits", "it is negative; give 1 or more")
    if trigger.cron_spec and (trigger.commits or trigger.size or trigger.rate_limit_spec):
        raise bad_spec(path, "a cron trigger takes no other condition; leave out the others, or use rateLimitSpec")
    texts = (
        ("branch", names.branch_name, trigger.branch),
        ("size", parse_size, trigger.size),
        ("rateLimitSpec", parse_schedule, trigger.rate_limit_spec),
        ("cronSpec", parse_schedule, trigger.cron_spec),
    )
    for field, parse, text in texts:
        try:
            if text:
                parse(text)
        except BadRequest as error:
            raise bad_spec(f"{path}.{field}", error.message) from error
