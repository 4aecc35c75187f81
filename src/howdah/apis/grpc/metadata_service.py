# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""`metadata.API`: editing the keys and values that users keep on things. All edits of a call happen, or none."""

from howdah.apis.grpc import pickers
from howdah.apis.grpc.bridge import Bridge, Context
from howdah.errors import BadRequest, ErrorKind
from howdah.pfs import labels
from howdah.pfs.catalog import Catalog
from howdah.pfs.work import Work
from howdah.pps.labels import edit_pipeline
from howdah.wire.stubs import metadata_pb2 as pb

__all__ = ["MetadataService"]


class MetadataService:
    """The servicer of `metadata.API`."""

    def __init__(self, bridge: Bridge, catalog: Catalog) -> None:
        self._bridge = bridge
        self._catalog = catalog

    async def EditMetadata(self, request: pb.EditMetadataRequest, context: Context) -> pb.EditMetadataResponse:
        """Apply the edits in their order; later ones see what earlier ones did."""

        def edit() -> pb.EditMetadataResponse:
            with self._catalog.work() as work:
                for each in request.edits:
                    _apply(work, each)
            return pb.EditMetadataResponse()

        return await self._bridge.unary(context, edit)


def _apply(work: Work, message: pb.Edit) -> None:
    edit = _edit(message)
    match message.WhichOneof("target"):
        case "project":
            labels.edit_project(work, pickers.project(message.project), edit)
        case "repo":
            labels.edit_repo(work, pickers.repo(message.repo), edit)
        case "branch":
            labels.edit_branch(work, pickers.branch(message.branch), edit)
        case "commit":
            labels.edit_commit(work, pickers.commit(message.commit), edit)
        case "pipeline":
            edit_pipeline(work, pickers.pipeline(message.pipeline), edit)
        case "cluster":
            labels.edit_lake(work, edit)
        case _:
            raise _bad("an edit has no target; name what it is about")


def _edit(message: pb.Edit) -> labels.Edit:
    match message.WhichOneof("op"):
        case "replace":
            return labels.Replace(dict(message.replace.replacement))
        case "add_key":
            return labels.Add(message.add_key.key, message.add_key.value)
        case "edit_key":
            return labels.Set(message.edit_key.key, message.edit_key.value)
        case "delete_key":
            return labels.Remove(message.delete_key.key)
    raise _bad("an edit has no op; give replace, add_key, edit_key or delete_key")


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, f"validate request: {text}")
