# SPDX-License-Identifier: Apache-2.0
"""Owner of the table `pipeline_execution`. What its values mean: `pps.executions`."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import and_, bindparam, insert, select, update

from howdah.db import tables
from howdah.db.batches import batches
from howdah.db.transaction import Transaction
from howdah.pps.executions import AS_PROCESS, CONTAINER, Execution

__all__ = ["add", "contained", "get", "of_versions", "set_digest"]

_E: Final = tables.pipeline_execution.c
_P: Final = tables.pipeline.c
_VALUES: Final = (_E.kind, _E.image, _E.digest, _E.note)
_GET: Final = select(*_VALUES).where(_E.pipeline_id == bindparam("key"), _E.version == bindparam("number"))
# Only of pipelines that have such versions, however many others there are.
_CONTAINED: Final = (
    select(_E.pipeline_id, _E.version)
    .join(tables.pipeline, and_(_P.id == _E.pipeline_id, _P.version == _E.version))
    .where(_E.kind == CONTAINER, _P.stopped.is_(False))
    .order_by(_E.pipeline_id)
)


def add(tx: Transaction, key: int, number: int, execution: Execution) -> None:
    """Keep how a new version runs. A process of which there is nothing to say has no row."""
    if execution == AS_PROCESS:
        return
    values: dict[str, Any] = {"kind": execution.kind, "image": execution.image, "digest": execution.digest}
    tx.execute(
        insert(tables.pipeline_execution),
        {"pipeline_id": key, "version": number, **values, "note": execution.note},
    )


def get(tx: Transaction, key: int, number: int) -> Execution:
    """How a version runs."""
    row = tx.execute(_GET, {"key": key, "number": number}).one_or_none()
    return AS_PROCESS if row is None else Execution(*row)


def of_versions(tx: Transaction, wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], Execution]:
    """How these versions run, by pipeline and number; those without a row are left out."""
    found: dict[tuple[int, int], Execution] = {}
    for keys in batches({key for key, _ in wanted}):
        rows = tx.execute(select(_E.pipeline_id, _E.version, *_VALUES).where(_E.pipeline_id.in_(keys)))
        found |= {(key, number): Execution(*rest) for key, number, *rest in rows}
    return {each: found[each] for each in wanted if each in found}


def contained(tx: Transaction) -> list[tuple[int, int]]:
    """The pipelines that are not stopped and whose present version runs in a container, each with that version."""
    return [(key, number) for key, number in tx.execute(_CONTAINED)]


def set_digest(tx: Transaction, key: int, number: int, digest: str) -> None:
    """Keep which image exactly a version runs in; one that is known stays."""
    same = and_(_E.pipeline_id == key, _E.version == number, _E.digest == "")
    tx.execute(update(tables.pipeline_execution).where(same).values(digest=digest))
