# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Secrets over gRPC: make, name and delete them. No call answers a value; only the claims of workers have them."""

from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.model.secrets import SecretInfo, parse_secret, secret_name
from howdah.wire.convert import timestamp
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["SecretCalls"]


class SecretCalls(PpsCalls):
    """The calls of `pps_v2.API` about secrets."""

    async def CreateSecret(self, request: pb.CreateSecretRequest, context: Context) -> Empty:
        """Keep a secret, given as Kubernetes has it in JSON."""

        def create() -> None:
            self._pps.secrets.create(parse_secret(request.file))

        await self._bridge.unary(context, create)
        return Empty()

    async def InspectSecret(self, request: pb.InspectSecretRequest, context: Context) -> pb.SecretInfo:
        """Name, type and time of a secret."""
        return await self._bridge.unary(context, lambda: _info(self._pps.secrets.inspect(_name(request.secret))))

    async def ListSecret(self, request: Empty, context: Context) -> pb.SecretInfos:  # noqa: ARG002 - it is empty
        """The same of all secrets, by name."""
        found = await self._bridge.unary(context, self._pps.secrets.list)
        return pb.SecretInfos(secret_info=map(_info, found))

    async def DeleteSecret(self, request: pb.DeleteSecretRequest, context: Context) -> Empty:
        """Delete a secret, also if pipelines ask for it."""
        await self._bridge.unary(context, lambda: self._pps.secrets.delete(_name(request.secret)))
        return Empty()


def _name(message: pb.Secret) -> str:
    return secret_name(message.name)


def _info(info: SecretInfo) -> pb.SecretInfo:
    return pb.SecretInfo(
        secret=pb.Secret(name=info.name), type=info.type, creation_timestamp=timestamp(info.created_at)
    )
