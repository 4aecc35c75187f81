# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802, ARG002 - methods have the protocol's names and arguments
"""Projects, repos and branches over gRPC: what has a name and is changed in one transaction."""

from collections.abc import Iterator

from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc import answers, requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.errors import BadRequest, ErrorKind
from howdah.model.refs import Repo
from howdah.pfs import projects
from howdah.wire.convert import repo_message
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["NameCalls"]


class NameCalls(PfsCalls):
    """The calls of `pfs_v2.API` about projects, repos and branches."""

    async def CreateProject(self, request: pb.CreateProjectRequest, context: Context) -> Empty:
        """Make a project, or with `update` change its description."""

        def create() -> Empty:
            name = requests.project(request.project)
            self._catalog.projects.create(name, requests.words(request), update=request.update)
            return Empty()

        return await self._bridge.unary(context, create)

    async def InspectProject(self, request: pb.InspectProjectRequest, context: Context) -> pb.ProjectInfo:
        """One project."""
        return await self._bridge.unary(context, self._project, request)

    async def InspectProjectV2(
        self, request: pb.InspectProjectV2Request, context: Context
    ) -> pb.InspectProjectV2Response:
        """One project, and its defaults for pipelines: none."""

        def inspect() -> pb.InspectProjectV2Response:
            return pb.InspectProjectV2Response(info=self._project(request), defaults_json="{}")

        return await self._bridge.unary(context, inspect)

    async def ListProject(self, request: pb.ListProjectRequest, context: Context) -> None:
        """All projects."""
        await self._bridge.stream(context, lambda: map(answers.project_info, self._catalog.projects.list()))

    async def DeleteProject(self, request: pb.DeleteProjectRequest, context: Context) -> Empty:
        """Delete a project; one with repos only with `force`."""

        def delete() -> Empty:
            requests.required(request, "project")
            self._catalog.projects.delete(requests.project(request.project), force=request.force)
            return Empty()

        return await self._bridge.unary(context, delete)

    async def CreateRepo(self, request: pb.CreateRepoRequest, context: Context) -> Empty:
        """Make a repo, or with `update` change its description."""

        def create() -> Empty:
            repo = requests.repo(request.repo)
            self._catalog.repos.create(repo, requests.words(request), update=request.update)
            return Empty()

        return await self._bridge.unary(context, create)

    async def InspectRepo(self, request: pb.InspectRepoRequest, context: Context) -> pb.RepoInfo:
        """One repo, with its size."""

        def inspect() -> pb.RepoInfo:
            return answers.repo_info(self._catalog.repos.inspect(requests.repo(request.repo)), details=True)

        return await self._bridge.unary(context, inspect)

    async def ListRepo(self, request: pb.ListRepoRequest, context: Context) -> None:
        """Repos of a type and of some projects, by project and name."""

        def infos() -> Iterator[pb.RepoInfo]:
            names = [requests.project(project) for project in request.projects]
            page = request.page
            found = self._catalog.repos.list(request.type, names, page.page_size, page.page_index)
            return (answers.repo_info(info, details=False) for info in found)

        await self._bridge.stream(context, infos)

    async def DeleteRepo(self, request: pb.DeleteRepoRequest, context: Context) -> pb.DeleteRepoResponse:
        """Delete a repo; `deleted` is false when there was none."""

        def delete() -> pb.DeleteRepoResponse:
            repo = requests.repo(request.repo)
            return pb.DeleteRepoResponse(deleted=self._catalog.repos.delete(repo, force=request.force))

        return await self._bridge.unary(context, delete)

    async def DeleteRepos(self, request: pb.DeleteReposRequest, context: Context) -> pb.DeleteReposResponse:
        """Delete the users' repos of some projects, or of all; each is a transaction of its own."""

        def delete() -> pb.DeleteReposResponse:
            if request.all and request.projects:
                text = "all repos and those of some projects are asked for; give one of the two"
                raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
            deleted = [repo for repo in self._repos(request) if self._catalog.repos.delete(repo, force=request.force)]
            return pb.DeleteReposResponse(repos=[repo_message(repo) for repo in deleted])

        return await self._bridge.unary(context, delete)

    async def CreateBranch(self, request: pb.CreateBranchRequest, context: Context) -> Empty:
        """Make a branch, or change its head and provenance."""

        def create() -> Empty:
            branch = requests.branch(request.branch)
            self._catalog.branches.create(
                branch,
                requests.commit_or_none(request.head, branch.repo),
                [requests.branch(each) for each in request.provenance],
                requests.trigger(request.trigger),
                new_set=request.new_commit_set,
                never=requests.propagated(request.branch_propagation_specs),
            )
            return Empty()

        return await self._bridge.unary(context, create)

    async def InspectBranch(self, request: pb.InspectBranchRequest, context: Context) -> pb.BranchInfo:
        """One branch."""

        def inspect() -> pb.BranchInfo:
            return answers.branch_info(self._catalog.branches.inspect(requests.branch(request.branch)))

        return await self._bridge.unary(context, inspect)

    async def ListBranch(self, request: pb.ListBranchRequest, context: Context) -> None:
        """The branches of a repo, or of all, newest first."""

        def infos() -> Iterator[pb.BranchInfo]:
            repo = requests.repo_or_none(request.repo)
            return map(answers.branch_info, self._catalog.branches.list(repo, reverse=request.reverse))

        await self._bridge.stream(context, infos)

    async def DeleteBranch(self, request: pb.DeleteBranchRequest, context: Context) -> Empty:
        """Delete a branch; its commits stay."""

        def delete() -> Empty:
            self._catalog.branches.delete(requests.branch(request.branch), force=request.force)
            return Empty()

        return await self._bridge.unary(context, delete)

    async def DeleteAll(self, request: Empty, context: Context) -> Empty:
        """Delete every repo, and every project but `default`: all of them or, on an error, none."""

        def delete() -> Empty:
            names = [info.name for info in self._catalog.projects.list()]
            with self._catalog.work() as work:
                for name in names:
                    projects.delete(work, name, force=True)
            return Empty()

        return await self._bridge.unary(context, delete)

    def _project(self, request: pb.InspectProjectRequest | pb.InspectProjectV2Request) -> pb.ProjectInfo:
        return answers.project_info(self._catalog.projects.inspect(requests.project(request.project)))

    def _repos(self, request: pb.DeleteReposRequest) -> list[Repo]:
        """The users' repos that are meant; those of other types go with them."""
        if not request.all and not request.projects:
            return []
        names = [requests.project(project) for project in request.projects]
        return [info.repo for info in self._catalog.repos.list("user", names)]
