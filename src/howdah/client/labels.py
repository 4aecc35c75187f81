# SPDX-License-Identifier: Apache-2.0
"""Calls on metadata: the keys and values that users keep on things."""

from collections.abc import Iterator, Mapping

from howdah.client import pickers
from howdah.client.caller import Caller
from howdah.client.coerce import a_branch, a_commit, a_pipeline, a_repo
from howdah.client.values import MetadataEdit
from howdah.errors import BadRequest, ErrorKind
from howdah.model.texts import one_line
from howdah.wire.stubs import admin_v2_pb2
from howdah.wire.stubs import metadata_pb2 as pb

__all__ = ["Labels"]

_KINDS = ("project", "repo", "branch", "commit", "pipeline", "cluster")


class Labels(Caller):
    """Metadata of projects, repos, branches, commits, pipelines and of the lake as a whole."""

    def edit_metadata(self, *edits: MetadataEdit) -> None:
        """Apply edits in their order: all of them, or none if one is refused.

        Raises:
            NotFound: what an edit is about.
            Refused: LABEL_EXISTS: a key that is to be added is there.
            BadRequest: an edit of an unknown kind, or an empty key.
        """
        messages = [message for edit in edits for message in self._messages(edit)]
        self._wire.call(self._wire.metadata.EditMetadata, pb.EditMetadataRequest(edits=messages))

    def cluster_metadata(self) -> Mapping[str, str]:
        """The metadata of the lake as a whole; that of everything else is in its info."""
        info = self._wire.call(self._wire.admin.InspectCluster, admin_v2_pb2.InspectClusterRequest())
        return dict(info.metadata)

    def _messages(self, edit: MetadataEdit) -> Iterator[pb.Edit]:
        if edit.replace is not None:
            yield self._target(edit, pb.Edit(replace=pb.Edit.Replace(replacement=edit.replace)))
        for key in edit.delete:
            yield self._target(edit, pb.Edit(delete_key=pb.Edit.DeleteKey(key=key)))
        for key, value in edit.add.items():
            yield self._target(edit, pb.Edit(add_key=pb.Edit.AddKey(key=key, value=value)))
        for key, value in edit.edit.items():
            yield self._target(edit, pb.Edit(edit_key=pb.Edit.EditKey(key=key, value=value)))

    def _target(self, edit: MetadataEdit, message: pb.Edit) -> pb.Edit:
        """The message with what it is about."""
        match edit.kind:
            case "project":
                message.project.CopyFrom(pickers.project(edit.name or self.project))
            case "repo":
                message.repo.CopyFrom(pickers.repo(a_repo(edit.name, self.project)))
            case "branch":
                message.branch.CopyFrom(pickers.branch(a_branch(edit.name, self.project)))
            case "commit":
                message.commit.CopyFrom(pickers.commit(a_commit(edit.name, self.project)))
            case "pipeline":
                message.pipeline.CopyFrom(pickers.pipeline(a_pipeline(edit.name, self.project)))
            case "cluster":
                message.cluster.CopyFrom(pb.ClusterPicker())
            case _:
                text = f"nothing of kind {one_line(edit.kind)} has metadata; use one of {', '.join(_KINDS)}"
                raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        return message
