# SPDX-License-Identifier: Apache-2.0
"""All rows, in the order in which they are measured: what needs the disk to itself comes first."""

from bench import (
    rows_commits,
    rows_containers,
    rows_edits,
    rows_files,
    rows_history,
    rows_jobs,
    rows_listings,
    rows_logs,
    rows_million,
    rows_official,
    rows_overlap,
    rows_pipelines,
    rows_planned,
    rows_s3,
    rows_server,
    rows_storage,
    rows_tasks,
    rows_upkeep,
    rows_versions,
)

__all__ = ["ROWS"]

ROWS = [
    *rows_files.ROWS,
    *rows_official.ROWS,
    *rows_s3.ROWS,
    *rows_edits.ROWS,
    *rows_versions.ROWS,
    *rows_commits.ROWS,
    *rows_million.ROWS,
    *rows_history.ROWS,
    *rows_upkeep.ROWS,
    *rows_pipelines.ROWS,
    *rows_overlap.ROWS,
    *rows_containers.ROWS,
    *rows_planned.ROWS,
    *rows_jobs.ROWS,
    *rows_tasks.ROWS,
    *rows_listings.ROWS,
    *rows_logs.ROWS,
    *rows_server.ROWS,
    *rows_storage.ROWS,
]
