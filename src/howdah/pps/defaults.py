# SPDX-License-Identifier: Apache-2.0
"""Defaults of specs, for all pipelines and for those of a project, and the effective specs over them.

A spec becomes effective when it is given: later defaults change no pipeline, unless whoever sets them asks that those
that they concern are made anew (`regenerate`). All of that is one transaction and one commit set. How layers are
merged: `model.spec.layers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import Conflict, ErrorKind, HowdahError
from howdah.kit import fail
from howdah.model.names import DEFAULT_PROJECT
from howdah.model.refs import Pipeline
from howdah.model.spec import (
    PipelineSpec,
    is_same,
    layered_spec,
    parse_defaults,
    project_of,
    require_supported,
    spec_tree,
)
from howdah.pfs import project_rows
from howdah.pfs.catalog import Catalog
from howdah.pps import default_rows, pipeline_rows
from howdah.pps.default_rows import StoredDefaults
from howdah.pps.pipeline_rows import PipelineRow
from howdah.pps.pipelines import Pipelines

__all__ = ["Defaults"]

_ATTEMPTS: Final = 10  # times that pipelines may change while their new specs are stored
_PAGE: Final = 200

Tree = Mapping[str, Any]
Versions = dict[Pipeline, int]


@dataclass(frozen=True, slots=True)
class _Change:
    """A pipeline that new defaults concern, and the spec that it has under them."""

    pipeline: Pipeline
    spec: PipelineSpec
    user_spec: str


class Defaults:
    """The defaults of a lake. Safe for many threads."""

    def __init__(self, db: Database, catalog: Catalog, pipelines: Pipelines) -> None:
        self._db = db
        self._catalog = catalog
        self._pipelines = pipelines

    def get(self, project: str | None = None) -> StoredDefaults:
        """The defaults of a project as they were given, or for None of all; `{}` if there are none.

        Raises:
            NotFound: PROJECT_NOT_FOUND.
        """
        with self._db.read() as tx:
            return default_rows.get(tx, _scope(tx, project))

    def effective(self, spec: str | bytes | Tree, project: str = DEFAULT_PROJECT) -> PipelineSpec:
        """The effective spec over the defaults as they are now; `project` is used where it names none.

        Raises:
            BadRequest: BAD_SPEC or BAD_NAME; the message names the field.
        """
        tree = spec_tree(spec)
        with self._db.read() as tx:
            layers = _layers(tx, project_of(tree, project))
        return layered_spec(tree, layers, project=project)

    def set(
        self,
        text: str,
        project: str | None = None,
        *,
        regenerate: bool = False,
        reprocess: bool = False,
        dry_run: bool = False,
    ) -> tuple[Pipeline, ...]:
        """Replace the defaults of a project, or for None of all. Empty ones (`{}`) are none.

        With `regenerate` each pipeline whose effective spec is another one under them gets a new version, with
        `reprocess` of which all datums run again; these pipelines are answered, oldest first. Either all of it
        happens or nothing. `dry_run` answers the same and changes nothing.

        Raises:
            BadRequest: BAD_SPEC: the defaults, or a pipeline under them; the message names field and pipeline.
            NotFound: PROJECT_NOT_FOUND.
            Conflict: WRITE_CONFLICT: pipelines were changed all the time.
            HowdahError: what an update of a pipeline raises.
        """
        tree = parse_defaults(text)
        for _ in range(_ATTEMPTS):
            seen, changes = self._concerned(tree, project) if regenerate else ({}, [])
            if dry_run:
                self.get(project)
                break
            if self._made(text if tree else "", project, seen, changes, reprocess=reprocess, regenerate=regenerate):
                break
        else:
            why = "pipelines were changed all the time while their new versions were made; try again"
            raise Conflict(ErrorKind.WRITE_CONFLICT, why)
        return tuple(change.pipeline for change in changes)

    def _concerned(self, tree: Tree, project: str | None) -> tuple[Versions, list[_Change]]:
        """The versions of all pipelines that the defaults are for, and what changes for which of them."""
        seen: Versions = {}
        changes: list[_Change] = []
        with self._db.read() as tx:
            _scope(tx, project)
            below: dict[str, list[Tree]] = {}
            for row in _pipelines(tx, project):
                seen[row.pipeline] = row.version
                name = row.pipeline.project
                if name not in below:
                    below[name] = _layers(tx, name)
                    below[name][0 if project is None else 1] = tree
                version = pipeline_rows.version(tx, row, row.version)
                spec = _under(row.pipeline, version.user_spec, below[name])
                if not is_same(pipeline_rows.spec_of(version.effective_spec), spec, row.salt):
                    changes.append(_Change(row.pipeline, spec, version.user_spec))
        return seen, changes[::-1]

    def _made(
        self,
        text: str,
        project: str | None,
        seen: Versions,
        changes: list[_Change],
        *,
        reprocess: bool,
        regenerate: bool,
    ) -> bool:
        """Set defaults and update pipelines; False, and nothing has changed, if others changed pipelines meanwhile."""
        stored = [(change, self._pipelines.store(change.spec, change.user_spec)) for change in changes]
        fail.here("pps.defaults.stored")
        with self._catalog.work() as work:
            scope = _scope(work.tx, project)
            if regenerate and seen != {row.pipeline: row.version for row in _pipelines(work.tx, project)}:
                return False
            if text:
                default_rows.put(work.tx, scope, text)
            else:
                default_rows.remove(work.tx, scope)
            for change, files in stored:
                self._pipelines.create_in(work, change.spec, change.user_spec, files, update=True, reprocess=reprocess)
        return True


def _scope(tx: Transaction, project: str | None) -> int | None:
    """The key of a project's row; None for all projects.

    Raises:
        NotFound: PROJECT_NOT_FOUND.
    """
    return None if project is None else project_rows.get_id(tx, project)


def _layers(tx: Transaction, project: str) -> list[Tree]:
    """The defaults of all, and those of the project; a project that is not there has none."""
    key = project_rows.find_id(tx, project)
    own = StoredDefaults() if key is None else default_rows.get(tx, key)
    return [_tree(default_rows.get(tx, None).text), _tree(own.text)]


def _pipelines(tx: Transaction, project: str | None) -> list[PipelineRow]:
    """All pipelines of a project, or of all; newest first."""
    projects = () if project is None else (project,)
    found = page = pipeline_rows.page(tx, None, _PAGE, projects)
    while len(page) == _PAGE:
        page = pipeline_rows.page(tx, page[-1].id, _PAGE, projects)
        found = [*found, *page]
    return found


def _under(pipeline: Pipeline, user_spec: str, layers: list[Tree]) -> PipelineSpec:
    try:
        spec = layered_spec(user_spec, layers, project=pipeline.project)
        require_supported(spec)
    except HowdahError as error:
        text = f"pipeline {pipeline} would not be good under these defaults: {error.message}"
        raise type(error)(error.kind, text) from error
    return spec


@lru_cache(maxsize=64)
def _tree(text: str) -> Tree:
    """Stored defaults, read. Nobody may change what is answered."""
    return parse_defaults(text)
