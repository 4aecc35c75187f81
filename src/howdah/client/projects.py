# SPDX-License-Identifier: Apache-2.0
"""Calls on projects, and on the server itself."""

from collections.abc import Iterator

from google.protobuf.empty_pb2 import Empty

from howdah.client import read_pfs
from howdah.client.caller import Caller
from howdah.client.values import ServerVersion
from howdah.errors import Unsupported
from howdah.model.infos import ProjectInfo
from howdah.wire.convert import project_message
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import transaction_v2_pb2 as tx

__all__ = ["Projects"]

_PROTOCOL = "2.12"  # what every howdah server speaks


class Projects(Caller):
    """Name spaces of repos and pipelines."""

    def server_version(self) -> ServerVersion:
        """Which server answers.

        Raises:
            Unavailable: UNREACHABLE: none does.
        """
        try:
            lake = self._wire.call(self._wire.lake.GetLake, hd.GetLakeRequest())
        except Unsupported:
            return ServerVersion(_PROTOCOL, "", "", "")
        return ServerVersion(_PROTOCOL, lake.server_version, lake.lake_id, lake.store_url)

    def create_project(self, name: str, *, description: str = "", update: bool = False) -> None:
        """Make a project; with `update` one that exists gets the new description.

        Raises:
            AlreadyExists: it exists, and `update` is off.
            BadRequest: BAD_NAME.
        """
        request = pb.CreateProjectRequest(project=project_message(name), description=description, update=update)
        self._wire.call(self._wire.pfs.CreateProject, request)

    def inspect_project(self, name: str) -> ProjectInfo:
        """A project. Raises NotFound."""
        request = pb.InspectProjectRequest(project=project_message(name))
        return read_pfs.project_info(self._wire.call(self._wire.pfs.InspectProject, request))

    def list_projects(self) -> Iterator[ProjectInfo]:
        """All projects."""
        answers = self._wire.stream(self._wire.pfs.ListProject, pb.ListProjectRequest())
        return map(read_pfs.project_info, answers)

    def delete_project(self, name: str, *, force: bool = False) -> None:
        """Remove a project; with `force` also the repos that are in it.

        Raises:
            NotFound: there is none.
            Refused: HAS_DEPENDANTS: repos are in it, and `force` is off.
        """
        request = pb.DeleteProjectRequest(project=project_message(name), force=force)
        self._wire.call(self._wire.pfs.DeleteProject, request)

    def delete_everything(self) -> None:
        """Remove all transactions, pipelines, repos and projects, in this order; `default` is left, empty.

        A failure in between leaves what was not reached; a repetition goes on.
        """
        self._wire.call(self._wire.transactions.DeleteAll, tx.DeleteAllRequest())
        self._wire.call(self._wire.pps.DeleteAll, Empty())
        self._wire.call(self._wire.pfs.DeleteAll, Empty())
