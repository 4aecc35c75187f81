# SPDX-License-Identifier: Apache-2.0
"""How specs compare: whether an update changes anything, and whether it changes what runs."""

import dataclasses
from typing import Final

from howdah.model.spec.values import PipelineSpec

__all__ = ["RERUN", "is_same", "reruns_all"]

RERUN: Final = "rerun"


def is_same(old: PipelineSpec, new: PipelineSpec, salt: str) -> bool:
    """Whether an update from one effective spec to the other would change nothing; `salt` is the one in use.

    A spec without a salt keeps the one that there is, and one that names it says nothing new. Which commit a spec was
    restored from is no property of it.
    """
    if new.salt not in ("", salt):
        return False
    return _compared(old) == _compared(new)


def reruns_all(old: PipelineSpec, new: PipelineSpec, *, other_image: bool = False) -> bool:
    """Whether an update asks that what had succeeded runs again: its code is other code, and it says `rerun`.

    `other_image` says that the same name is another image now.
    """
    return new.on_code_change == RERUN and (other_image or _code(old) != _code(new))


def _compared(spec: PipelineSpec) -> PipelineSpec:
    return dataclasses.replace(spec, salt="", spec_commit=None)


def _code(spec: PipelineSpec) -> tuple[object, ...]:
    """What decides what a datum's output is; timeouts, resources and places do not."""
    transform = spec.transform
    return (
        transform.image,
        transform.cmd,
        transform.stdin,
        transform.err_cmd,
        transform.err_stdin,
        transform.env,
        transform.user,
        transform.working_dir,
    )
