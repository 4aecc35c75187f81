# SPDX-License-Identifier: Apache-2.0
"""What the groups of a pattern matched, for whole columns of paths: RE2 does the work where it can say the pattern."""

import pyarrow as pa
import pyarrow.compute as pc

from howdah.model.glob_captures import Template
from howdah.model.globs import Glob

__all__ = ["captures", "filled"]


def captures(paths: pa.StringArray, pattern: Glob) -> list[pa.StringArray]:
    """For each group of the pattern a column with what it matched in each path; as `Glob.captures`.

    A path that does not match gives null. A directory's path has no slash at its end.
    """
    if not pattern.groups:
        return []
    if pattern.regex_is_exact:
        found = pc.extract_regex(paths, pattern.named_regex())
        gone = pc.is_null(found)
        columns = (pc.struct_field(found, f"g{number + 1}") for number in range(pattern.groups))
        return [pc.if_else(gone, pa.scalar(None, pa.string()), column) for column in columns]
    rows = [pattern.captures(path) for path in paths.to_pylist()]
    return [pa.array([row and row[n] for row in rows], pa.string()) for n in range(pattern.groups)]


def filled(paths: pa.StringArray, pattern: Glob, template: Template) -> pa.StringArray:
    """The template with what the groups matched in each path; null where the path does not match."""
    columns = captures(paths, pattern)
    if not columns:
        return pa.array([template.filled(()) if pattern.matches(path) else None for path in paths.to_pylist()])
    # At least one column is there, so that a template without references is null in the right places too.
    empty = pc.if_else(pc.is_null(columns[0]), pa.scalar(None, pa.string()), pa.scalar(""))
    parts = [columns[part] if isinstance(part, int) else pa.scalar(part) for part in template.parts]
    return pc.binary_join_element_wise(empty, *parts, "")
