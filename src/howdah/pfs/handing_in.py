# SPDX-License-Identifier: Apache-2.0
"""Check a change that somebody else made: that its paths are good, and that what it names is in the store."""

import pyarrow as pa
import pyarrow.compute as pc

from howdah.errors import BadRequest, Damaged, ErrorKind
from howdah.model import paths
from howdah.storage import changes
from howdah.storage.changes import Change
from howdah.storage.chunks import chunk_key
from howdah.storage.extents import NAME_BYTES
from howdah.storage.storage import Storage

__all__ = ["checked"]

# What `paths.clean` would change or refuse, as far as RE2 can say it; the lengths are compared apart.
_BAD = r"^[^/]|/$|//|/\.\.?(/|$)|[\x00-\x1f\x7f]"
_COMPONENT_BYTES = 255


def checked(storage: Storage, change: Change, referrer: str) -> Change:
    """The change itself, if all is well.

    Raises:
        BadRequest: BAD_PATH, or BAD_ARGUMENT: it names a range, node or chunk that is not in the store.
    """
    for layer in change:
        for path in (*layer.directories, *(path for path, _ in layer.deletes)):
            paths.clean(path)
    seen: set[bytes] = set()
    try:
        for batch in changes.extents_of(storage.filesets, change, referrer):
            _check_paths(batch.column(0))
            for name in _chunk_names(batch.column(5)) - seen:
                seen.add(name)
                if not storage.store.exists(chunk_key(name)):
                    raise Damaged(ErrorKind.OBJECT_MISSING, f"object {chunk_key(name)} is missing")
    except Damaged as error:
        text = f"{referrer} cannot be taken: {error.message}; store its objects, and sync, before handing it in"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text) from error
    return change


def _chunk_names(column: pa.BinaryArray) -> set[bytes]:
    return {
        names[at : at + NAME_BYTES]
        for names in pc.unique(column).to_pylist()
        for at in range(0, len(names), NAME_BYTES)
    }


def _check_paths(column: pa.StringArray) -> None:
    suspects = pc.or_(pc.match_substring_regex(column, _BAD), pc.greater(pc.binary_length(column), _COMPONENT_BYTES))
    if not pc.any(suspects).as_py():
        return
    for path in column.filter(suspects).to_pylist():
        if paths.clean(path) != path:
            text = f"path {path!r} of the change is not in its clean form {paths.clean(path)!r}; clean it first"
            raise BadRequest(ErrorKind.BAD_PATH, text)
