# SPDX-License-Identifier: Apache-2.0
"""Projects: namespaces of repos and pipelines. The project `default` always exists."""

from collections.abc import Iterator
from typing import Final

from howdah.db.engine import Database
from howdah.errors import AlreadyExists, ErrorKind, Refused
from howdah.model.infos import ProjectInfo
from howdah.model.names import DEFAULT_PROJECT, project_name
from howdah.pfs import project_rows, repo_rows, repos
from howdah.pfs.subjects import project_subject
from howdah.pfs.work import Work, Works

__all__ = ["Projects", "create", "delete"]

_PAGE: Final = 200


def create(work: Work, name: str, description: str = "", *, update: bool = False) -> None:
    """Make a project; with `update` one that is there gets the description instead.

    Raises:
        BadRequest: BAD_NAME.
        AlreadyExists: PROJECT_EXISTS.
    """
    project_name(name)
    found = project_rows.find_id(work.tx, name)
    if found is None:
        project_rows.insert_project(work.tx, name, description)
        work.tx.emit(project_subject(name), "created")
        return
    if not update:
        raise AlreadyExists(
            ErrorKind.PROJECT_EXISTS,
            f"project {name} already exists; choose another name, or update it: howdah update project {name}",
        )
    project_rows.set_description(work.tx, found, description)
    work.tx.emit(project_subject(name), "updated")


def delete(work: Work, name: str, *, force: bool = False) -> None:
    """Delete a project without repos; with `force` its repos go first. `default` is left, empty and fresh.

    Raises:
        NotFound: PROJECT_NOT_FOUND.
        Refused: HAS_DEPENDANTS: repos are left, or a guard forbids it.
    """
    tx = work.tx
    project_id = project_rows.get_id(tx, name)
    if not force and (left := repo_rows.of_project(tx, name, limit=1)):
        text = f"project {name} cannot be deleted: repo {left[0]} still exists; delete it first, or all by force"
        raise Refused(ErrorKind.HAS_DEPENDANTS, text)
    for guard in work.hooks.project_guards:
        guard(tx, name)
    for repo in repo_rows.of_project(tx, name):
        repos.delete(work, repo, force=True)
    project_rows.remove(tx, project_id)
    tx.emit(project_subject(name), "deleted")
    if name == DEFAULT_PROJECT:
        create(work, name)


class Projects:
    """The projects of a lake. Each method is one transaction."""

    def __init__(self, db: Database, works: Works) -> None:
        self._db = db
        self._works = works
        self.guards = works.hooks.project_guards

    def create(self, name: str, description: str = "", *, update: bool = False) -> None:
        """As the function `create`."""
        with self._works.open() as work:
            create(work, name, description, update=update)

    def delete(self, name: str, *, force: bool = False) -> None:
        """As the function `delete`."""
        with self._works.open() as work:
            delete(work, name, force=force)

    def inspect(self, name: str) -> ProjectInfo:
        """What is known of a project.

        Raises:
            NotFound: PROJECT_NOT_FOUND.
        """
        with self._db.read() as tx:
            return project_rows.info(tx, project_rows.get_id(tx, name))

    def list(self) -> Iterator[ProjectInfo]:
        """All projects by name. Each page is read when it is reached, as things are then."""
        after = ""
        while True:
            with self._db.read() as tx:
                page = project_rows.page(tx, after, _PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].name
