# SPDX-License-Identifier: Apache-2.0
"""How user code gets the files of an input: whole, as names without content, or as pipes that are fed when read.

The pipeline's spec says it for each input (`empty_files`, `lazy`). What is a pipe in `/pfs` is told by `pipes`.
"""

from collections.abc import Mapping
from enum import StrEnum, unique

from howdah.model.spec import PipelineSpec, pfs_inputs

__all__ = ["Mode", "modes_of"]


@unique
class Mode(StrEnum):
    """How the files of an input are there."""

    WHOLE = "whole"
    EMPTY = "empty"
    PIPES = "pipes"


def modes_of(spec: PipelineSpec) -> Mapping[str, Mode]:
    """The mode of each input by its name below `/pfs`; those that are not here are whole."""
    found = {}
    for node in pfs_inputs(spec.input):
        if node.empty_files:
            found[node.name] = Mode.EMPTY
        elif node.lazy:
            found[node.name] = Mode.PIPES
    return found
