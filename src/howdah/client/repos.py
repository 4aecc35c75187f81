# SPDX-License-Identifier: Apache-2.0
"""Calls on repos."""

from collections.abc import Iterator, Sequence

from howdah.client import read_pfs
from howdah.client.caller import Caller
from howdah.client.coerce import RepoLike, a_repo
from howdah.model.infos import RepoInfo
from howdah.model.names import USER
from howdah.wire.convert import project_message, repo_message
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["Repos"]


class Repos(Caller):
    """Versioned folder trees."""

    def create_repo(self, repo: RepoLike, *, description: str = "", update: bool = False) -> None:
        """Make a repo; with `update` one that exists gets the new description.

        Raises:
            AlreadyExists: it exists, and `update` is off.
            NotFound: its project does not exist.
            BadRequest: BAD_NAME.
        """
        message = repo_message(a_repo(repo, self.project))
        request = pb.CreateRepoRequest(repo=message, description=description, update=update)
        self._wire.call(self._wire.pfs.CreateRepo, request)

    def inspect_repo(self, repo: RepoLike) -> RepoInfo:
        """A repo. Raises NotFound."""
        request = pb.InspectRepoRequest(repo=repo_message(a_repo(repo, self.project)))
        return read_pfs.repo_info(self._wire.call(self._wire.pfs.InspectRepo, request))

    def list_repos(
        self, *, repo_type: str = USER, projects: Sequence[str] | None = None, page_size: int = 0, page: int = 0
    ) -> Iterator[RepoInfo]:
        """Repos in order of project and name, of one type or, with an empty `repo_type`, of all.

        `projects` are those to look in: this client's own for None, all for an empty one. With a `page_size` only
        that page of them, counted from 0.
        """
        wanted = [self.project] if projects is None else projects
        request = pb.ListRepoRequest(
            type=repo_type,
            projects=[project_message(name) for name in wanted],
            page=pb.RepoPage(page_size=page_size, page_index=page) if page_size else None,
        )
        return map(read_pfs.repo_info, self._wire.stream(self._wire.pfs.ListRepo, request))

    def delete_repo(self, repo: RepoLike, *, force: bool = False) -> bool:
        """Remove a repo with all its commits; False if there is none.

        Raises:
            Refused: others depend on its branches, and `force` is off; or it is a pipeline's.
        """
        request = pb.DeleteRepoRequest(repo=repo_message(a_repo(repo, self.project)), force=force)
        return self._wire.call(self._wire.pfs.DeleteRepo, request).deleted
