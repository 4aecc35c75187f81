# SPDX-License-Identifier: Apache-2.0
"""Pipeline specs: what a pipeline shall do, as text and as frozen values.

`parse_spec` turns JSON or YAML into the *effective* spec, all defaults filled in, and checks it;
`PipelineSpec.to_json` writes it back. `require_supported` refuses what this version cannot do.

    text     JSON and YAML to trees           inputs, values   the frozen values
    codec    trees to values and back         rules            defaults and checks
"""

from howdah.model.spec.inputs import (
    CronInput,
    CrossInput,
    GroupInput,
    Input,
    JoinInput,
    PfsInput,
    UnionInput,
    encode_input,
    pfs_inputs,
    walk_inputs,
)
from howdah.model.spec.parse import parse_input, parse_spec, parse_specs
from howdah.model.spec.rules import DATUM_TRIES, DEFAULT_IMAGE, require_supported
from howdah.model.spec.values import DatumSetSpec, PipelineSpec, Transform

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
    "Transform",
    "UnionInput",
    "encode_input",
    "parse_input",
    "parse_spec",
    "parse_specs",
    "pfs_inputs",
    "require_supported",
    "walk_inputs",
]
