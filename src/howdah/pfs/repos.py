# SPDX-License-Identifier: Apache-2.0
"""Repos: the folders that are versioned. A pipeline's repo has siblings of the types `meta` and `spec`."""

from collections.abc import Iterator, Sequence
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import AlreadyExists, BadRequest, ErrorKind
from howdah.model.infos import RepoInfo
from howdah.model.names import USER, new_repo_name, repo_type
from howdah.model.refs import Repo
from howdah.pfs import branch_rows, closing, commit_rows, project_rows, provenance, repo_rows
from howdah.pfs.branch_rows import BranchRow
from howdah.pfs.infos import repo_infos
from howdah.pfs.repo_rows import RepoRow
from howdah.pfs.subjects import commit_subject, repo_subject
from howdah.pfs.work import Work, Works, dependants

__all__ = ["Repos", "create", "delete"]

_PAGE: Final = 200
_OFFSET_MAX: Final = 2**63 - 1


def create(work: Work, repo: Repo, description: str = "", *, update: bool = False) -> None:
    """Make a repo; with `update` one that is there gets the description instead.

    Raises:
        BadRequest: BAD_NAME.
        NotFound: PROJECT_NOT_FOUND; or REPO_NOT_FOUND: a repo of the type `meta` or `spec` needs its user repo first.
        AlreadyExists: REPO_EXISTS.
    """
    new_repo_name(repo.name)
    repo_type(repo.type)
    tx = work.tx
    project_id = project_rows.get_id(tx, repo.project)
    if (row := repo_rows.find(tx, repo)) is not None:
        _update(tx, row, description, allowed=update)
        return
    if repo.type != USER:
        repo_rows.get(tx, Repo(repo.project, repo.name))
    repo_rows.insert_repo(tx, project_id, repo, description)
    tx.emit(repo_subject(repo), "created")


def delete(work: Work, repo: Repo, *, force: bool = False) -> bool:
    """Delete a repo with its branches and commits, and with a user's repo its siblings; False if there is none.

    With `force` it goes even if branches of other repos depend on it; those keep their commits and lose that
    provenance.

    Raises:
        Refused: HAS_DEPENDANTS, or what a guard says.
    """
    tx = work.tx
    if (row := repo_rows.find(tx, repo)) is None:
        return False
    rows = [row, *(repo_rows.siblings(tx, repo) if repo.type == USER else ())]
    for each in rows:
        for guard in work.hooks.repo_guards:
            guard(tx, each.repo)
    branches = branch_rows.of_repos(tx, [each.id for each in rows])
    if not force:
        _check_dependants(work, repo, branches)
    _remove(tx, rows, branches)
    return True


class Repos:
    """The repos of a lake. Each method is one transaction."""

    def __init__(self, db: Database, works: Works) -> None:
        self._db = db
        self._works = works
        self.guards = works.hooks.repo_guards

    def create(self, repo: Repo, description: str = "", *, update: bool = False) -> None:
        """As the function `create`."""
        with self._works.open() as work:
            create(work, repo, description, update=update)

    def delete(self, repo: Repo, *, force: bool = False) -> bool:
        """As the function `delete`."""
        with self._works.open() as work:
            return delete(work, repo, force=force)

    def inspect(self, repo: Repo) -> RepoInfo:
        """What is known of a repo.

        Raises:
            NotFound: REPO_NOT_FOUND.
        """
        with self._db.read() as tx:
            return repo_infos(tx, [repo_rows.get(tx, repo)])[0]

    def list(
        self, kind: str = "", projects: Sequence[str] = (), page_size: int = 0, page_index: int = 0
    ) -> Iterator[RepoInfo]:
        """Repos by project, name and type; of one type, or of all when it is empty; of some projects, or of all.

        With a `page_size`, only that page (the first is 0), from one moment. Otherwise pages are read as they
        are reached, each as things are then.

        Raises:
            BadRequest: BAD_NAME for the type; BAD_ARGUMENT for a negative page.
        """
        kind = repo_type(kind) if kind else ""
        if page_size < 0 or page_index < 0:
            raise BadRequest(
                ErrorKind.BAD_ARGUMENT, f"page {page_index} of size {page_size} does not exist; count from 0"
            )
        if page_size:
            with self._db.read() as tx:
                # No lake has so many, and a database can count no further.
                offset = min(page_size * page_index, _OFFSET_MAX)
                rows = repo_rows.page_at(tx, offset, page_size, kind, projects)
                return iter(repo_infos(tx, rows))
        return self._all(kind, projects)

    def _all(self, kind: str, projects: Sequence[str]) -> Iterator[RepoInfo]:
        after: Repo | None = None
        while True:
            with self._db.read() as tx:
                page = repo_infos(tx, repo_rows.page(tx, after, _PAGE, kind, projects))
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].repo


def _update(tx: Transaction, row: RepoRow, description: str, *, allowed: bool) -> None:
    if not allowed:
        raise AlreadyExists(
            ErrorKind.REPO_EXISTS,
            f"repo {row.repo} already exists; choose another name, or update it: howdah update repo {row.repo}",
        )
    repo_rows.set_description(tx, row.id, description)
    tx.emit(repo_subject(row.repo), "updated")


def _check_dependants(work: Work, repo: Repo, branches: Sequence[BranchRow]) -> None:
    tx = work.tx
    ids = {row.id for row in branches}
    below = provenance.branches_below(tx, ids) if ids else {}
    others = {key for keys in below.values() for key in keys} - ids
    if others:
        raise dependants(work, f"repo {repo}", branch_rows.by_ids(tx, others).values())


def _remove(tx: Transaction, rows: Sequence[RepoRow], branches: Sequence[BranchRow]) -> None:
    """Take everything of these repos away, in the order that references allow."""
    ids = [row.id for row in rows]
    provenance.cut_below_branches(tx, [row.id for row in branches])
    branch_rows.remove(tx, branches)
    waiting = provenance.waiting_for_repos(tx, ids)
    # Nobody waits for a commit that is finished, so only the open ones are worth an event.
    for commit in commit_rows.open_in(tx, ids):
        tx.emit(commit_subject(commit.commit), "deleted", {"branch": commit.branch_name})
    provenance.cut_below_repos(tx, ids)
    commit_rows.remove_of(tx, ids)
    repo_rows.remove(tx, ids)
    for row in rows:
        tx.emit(repo_subject(row.repo), "deleted")
    closing.mark_ready(tx, provenance.ready_among(tx, waiting) if waiting else ())
