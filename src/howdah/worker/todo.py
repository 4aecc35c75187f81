# SPDX-License-Identifier: Apache-2.0
"""The datums of a claim, read from the fileset that the planner stored: file `/<datum id>`, its content JSON."""

import json
from collections.abc import Iterator
from typing import Any

from howdah.errors import Damaged, ErrorKind
from howdah.storage import rows
from howdah.storage.rows import Entry
from howdah.storage.slices import slice_rows
from howdah.storage.storage import Storage
from howdah.worker.small_files import SmallFiles
from howdah.worker.values import Claim, Datum, Match

__all__ = ["datums"]


def datums(storage: Storage, claim: Claim) -> Iterator[Datum]:
    """The datums of a claim in order, read as they are asked for.

    Raises:
        Damaged: the list of datums is missing or cannot be understood.
    """
    referrer = f"the datums of job {claim.job}"
    small = SmallFiles(storage)
    for batch in slice_rows(storage.fileset(claim.todo_root, referrer), claim.first, claim.count):
        for entry in rows.entries(batch):
            yield _datum(entry, small.read(entry, referrer), referrer)


def _datum(entry: Entry, content: bytes, referrer: str) -> Datum:
    try:
        inputs = json.loads(content)["inputs"]
        return Datum(entry.path[1:], tuple(_match(each) for each in inputs))
    except (ValueError, KeyError, TypeError) as error:
        text = f"{referrer}: {entry.path} cannot be understood ({error!r}); reprocess the pipeline"
        raise Damaged(ErrorKind.OBJECT_CORRUPT, text) from error


def _match(part: dict[str, Any]) -> Match:
    return Match(str(part["name"]), str(part["path"]), str(part.get("branch", "")))
