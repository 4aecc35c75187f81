# SPDX-License-Identifier: Apache-2.0
"""Labels of pipelines: the user's own keys and values. Those of everything else, and what an edit is: `pfs.labels`."""

from howdah.model.refs import Pipeline
from howdah.pfs.labels import Edit, edited
from howdah.pfs.work import Work
from howdah.pps import pipeline_rows
from howdah.pps.subjects import pipeline_subject

__all__ = ["edit_pipeline"]


def edit_pipeline(work: Work, pipeline: Pipeline, edit: Edit) -> None:
    """Edit the labels of a pipeline; no job starts by it.

    Raises:
        NotFound: PIPELINE_NOT_FOUND.
        Refused, BadRequest: as `pfs.labels.edited`.
    """
    row = pipeline_rows.get(work.tx, pipeline)
    pipeline_rows.set_labels(work.tx, row.id, edited(row.metadata, edit, f"pipeline {pipeline}"))
    work.tx.emit(pipeline_subject(pipeline), "updated")
