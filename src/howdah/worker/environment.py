# SPDX-License-Identifier: Apache-2.0
"""The variables that user code sees, and the command line as the nest takes it.

Later ones win: what every program expects (PATH, HOME), who runs it (PPS_*), the spec's own `transform.env`,
secrets, and what is true of this datum alone (PACH_*, and two for each input). This order is that of Pachyderm.
"""

import os
from collections.abc import Mapping
from typing import Final

from howdah.worker.values import Claim, Datum

__all__ = ["DEFAULT_PATH", "datum_variables", "standing_variables", "stdin_bytes"]

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# What a command on this machine keeps of the worker's environment, and what it gets where the worker has none.
_KEPT: Final = {"PATH": DEFAULT_PATH, "HOME": "/", "LANG": "C.UTF-8"}


def standing_variables(claim: Claim, own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that all datums of a claim share; `own` is the worker's environment."""
    return {
        **{name: own.get(name) or default for name, default in _KEPT.items()},
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
    """The variables of one datum: of each input the path of its match below `/pfs`, and its commit."""
    variables = {"PACH_DATUM_ID": datum.id}
    for match in datum.inputs:
        variables[match.name] = f"/pfs/{match.name}{match.path.rstrip('/')}"
        variables[f"{match.name}_COMMIT"] = claim.inputs[match.name].commit_id
    return variables


def stdin_bytes(lines: tuple[str, ...]) -> bytes:
    """What the command reads: each line with a newline at its end."""
    return "".join([f"{line}\n" for line in lines]).encode()
