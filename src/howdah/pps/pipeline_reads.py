# SPDX-License-Identifier: Apache-2.0
"""What is told of the pipelines of a lake: one, all of them, at present or at an earlier version."""

from collections.abc import Collection, Iterator
from typing import Final

from howdah.db.engine import Database
from howdah.model.refs import Pipeline
from howdah.pps import execution_rows, job_lists, pipeline_rows
from howdah.pps.executions import Execution
from howdah.pps.infos import PipelineInfo
from howdah.pps.pipeline_infos import filled, info_of, infos_of, version_in

__all__ = ["PipelineReads"]

_PAGE: Final = 200


class PipelineReads:
    """The reads of `pps.pipelines.Pipelines`. Safe for many threads."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def inspect(self, pipeline: Pipeline, back: int = 0) -> PipelineInfo:
        """What is known of a pipeline, at its present version or at the one `back` before.

        Raises:
            NotFound: PIPELINE_NOT_FOUND: there is none, or it has no such version.
        """
        with self._db.read() as tx:
            row = pipeline_rows.get(tx, pipeline)
            return info_of(tx, row, pipeline_rows.version(tx, row, row.version - back))

    def list(
        self, pipeline: Pipeline | None = None, *, projects: tuple[str, ...] = (), history: int = 0
    ) -> Iterator[PipelineInfo]:
        """Pipelines, newest first; of each also `history` older versions, all of them for -1.

        Pages are read as they are reached, each as things are then.

        Raises:
            NotFound: PIPELINE_NOT_FOUND for the one that is asked for.
        """
        if pipeline is None:
            return self._pages(projects, history)
        with self._db.read() as tx:
            return iter(infos_of(tx, [pipeline_rows.get(tx, pipeline)], history))

    def any_there(self) -> bool:
        """Whether there is a pipeline at all."""
        with self._db.read() as tx:
            return pipeline_rows.any_there(tx)

    def effective_specs(self, wanted: Collection[tuple[Pipeline, int]]) -> dict[tuple[Pipeline, int], str]:
        """The effective specs of versions of pipelines, as JSON; those that are gone are left out."""
        with self._db.read() as tx:
            return pipeline_rows.effective_specs(tx, wanted)

    def execution(self, pipeline: Pipeline, number: int = 0) -> Execution:
        """How a version of a pipeline runs; the present one for 0.

        Raises:
            NotFound: PIPELINE_NOT_FOUND: there is none, or it has no such version.
        """
        with self._db.read() as tx:
            row = pipeline_rows.get(tx, pipeline)
            wanted = min(number, row.version + 1) or row.version  # one from a message may be too big for a database
            return execution_rows.get(tx, row.id, pipeline_rows.version(tx, row, wanted).version)

    def of_set(self, set_id: str, *, projects: tuple[str, ...] = ()) -> tuple[PipelineInfo, ...]:
        """The pipelines that a commit set was made by, newest first, each at the version that it had then."""
        found: list[PipelineInfo] = []
        with self._db.read() as tx:
            page = pipeline_rows.page(tx, None, _PAGE, projects)
            while page:
                states = job_lists.newest_states(tx, [row.id for row in page])
                versions = [(row, at) for row in page if (at := version_in(tx, row, set_id)) is not None]
                how = execution_rows.of_versions(tx, {(row.id, at.version) for row, at in versions})
                found += [filled(row, at, states.get(row.id), how.get((row.id, at.version))) for row, at in versions]
                page = pipeline_rows.page(tx, page[-1].id, _PAGE, projects) if len(page) == _PAGE else []
        return tuple(found)

    def _pages(self, projects: tuple[str, ...], history: int) -> Iterator[PipelineInfo]:
        before: int | None = None
        while True:
            with self._db.read() as tx:
                page = pipeline_rows.page(tx, before, _PAGE, projects)
                infos = infos_of(tx, page, history)
            yield from infos
            if len(page) < _PAGE:
                return
            before = page[-1].id
