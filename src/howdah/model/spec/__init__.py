# SPDX-License-Identifier: Apache-2.0
"""Pipeline specs: what a pipeline shall do, as text and as frozen values.

`parse_spec` turns JSON or YAML into the *effective* spec, all defaults filled in, and checks it;
`PipelineSpec.to_json` writes it back. `require_supported` refuses what this version cannot do.

    text     JSON and YAML to trees           inputs, values   the frozen values
    codec    trees to values and back         rules            defaults and checks
    layers   specs over defaults              compare          what an update changes
    schema   the shape for editors            faults           all that is wrong with one
"""

from howdah.model.spec.compare import is_same, reruns_all
from howdah.model.spec.inputs import (
    CronInput,
    CrossInput,
    GroupInput,
    Input,
    JoinInput,
    PfsInput,
    UnionInput,
    as_pfs,
    cron_inputs,
    encode_input,
    pfs_inputs,
    walk_inputs,
)
from howdah.model.spec.layers import layered_spec, merged, parse_defaults
from howdah.model.spec.parse import parse_input, parse_spec, parse_specs, project_of, spec_tree
from howdah.model.spec.rules import DATUM_TRIES, DEFAULT_IMAGE, require_supported
from howdah.model.spec.values import DatumSetSpec, PipelineSpec, SecretMount, Transform

__all__ = [
    "DATUM_TRIES",
    "DEFAULT_IMAGE",
    "CronInput",
    "CrossInput",
    "DatumSetSpec",
    "GroupInput",
    "Input",
    "JoinInput",
    "PfsInput",
    "PipelineSpec",
    "SecretMount",
    "Transform",
    "UnionInput",
    "as_pfs",
    "cron_inputs",
    "encode_input",
    "is_same",
    "layered_spec",
    "merged",
    "parse_defaults",
    "parse_input",
    "parse_spec",
    "parse_specs",
    "pfs_inputs",
    "project_of",
    "require_supported",
    "reruns_all",
    "spec_tree",
    "walk_inputs",
]
