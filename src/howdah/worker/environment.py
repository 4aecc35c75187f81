# SPDX-License-Identifier: Apache-2.0
"""The variables that user code sees, and the command line as the nest takes it.

Later ones win: what every program expects (PATH, HOME), who runs it (PPS_*), the spec's own `transform.env`,
secrets, and what is true of this datum alone (PACH_*, and some for each input). This order is that of Pachyderm.
"""

import os
from collections.abc import Mapping
from typing import Final

from howdah.model.spec import PfsInput, pfs_inputs
from howdah.model.spec.keys import key_of
from howdah.worker.values import Claim, Datum, Match, input_of

__all__ = ["DEFAULT_PATH", "datum_variables", "standing_variables", "stdin_bytes"]

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What a command on this machine keeps of the worker's environment, and what it gets where the worker has none.
_KEPT: Final = {"PATH": DEFAULT_PATH, "HOME": "/", "LANG": "C.UTF-8"}


def standing_variables(claim: Claim, own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that all datums of a claim share; `own` is the worker's environment.

    In a container what every program expects is the image's.
    """
    kept = {} if claim.image else {name: own.get(name) or default for name, default in _KEPT.items()}
    return {
        **kept,
        "PACH_IN_WORKER": "true",
        "PPS_PROJECT_NAME": claim.job.pipeline.project,
        "PPS_PIPELINE_NAME": claim.job.pipeline.name,
        "PPS_SPEC_COMMIT": claim.spec_commit_id,
        "PPS_POD_NAME": claim.worker_id,
        **dict(claim.spec.transform.env),
        **{each.env_var: os.fsdecode(each.value) for each in claim.secrets if each.env_var},
        "PACH_JOB_ID": claim.job.id,
        "PACH_OUTPUT_COMMIT_ID": claim.output_commit_id,
    }


def datum_variables(claim: Claim, datum: Datum) -> dict[str, str]:
    """The variables of one datum: of each input the path of its match below `/pfs`, its commit, and its keys.

    Of an input that has many matches, as in a group, they are those of the last.
    """
    variables = {"PACH_DATUM_ID": datum.id}
    keyed = [node for node in pfs_inputs(claim.spec.input) if node.join_on or node.group_by]
    for match in datum.inputs:
        read = input_of(claim, match.name, match.branch)
        assert read is not None, f"datum {datum.id} has an input {match.name} that its job does not read"
        variables[match.name] = f"/pfs/{match.name}{match.path.rstrip('/')}"
        variables[f"{match.name}_COMMIT"] = read.commit_id
        variables |= _keys(match, [node for node in keyed if node.name == match.name])
    return variables


def _keys(match: Match, nodes: list[PfsInput]) -> dict[str, str]:
    """By which keys a match was joined or grouped; of inputs that share a name, the first whose pattern it matches."""
    for node in nodes:
        found = {}
        for name, text in (("JOIN_ON", node.join_on), ("GROUP_BY", node.group_by)):
            key = key_of(match.path, node.glob, text) if text else None
            if key is not None:
                found[f"PACH_DATUM_{match.name}_{name}"] = key
        if found:
            return found
    return {}


def stdin_bytes(lines: tuple[str, ...]) -> bytes:
    """What the command reads: each line with a newline at its end."""
    return "".join([f"{line}\n" for line in lines]).encode()
