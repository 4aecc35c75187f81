# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""The cache over `pfs_v2.API`: what callers remember under keys of their own (`howdah.pfs.cache`)."""

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.empty_pb2 import Empty

from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.pfs_base import PfsCalls
from howdah.wire.stubs import pfs_v2_pb2 as pb

__all__ = ["CacheCalls"]


class CacheCalls(PfsCalls):
    """The calls of `pfs_v2.API` that remember values."""

    async def PutCache(self, request: pb.PutCacheRequest, context: Context) -> Empty:
        """Remember a value of any type under a key."""

        def put() -> Empty:
            value = request.value.SerializeToString()
            self._pfs.cache.put(request.key, value, request.file_set_ids, request.tag)
            return Empty()

        return await self._bridge.unary(context, put)

    async def GetCache(self, request: pb.GetCacheRequest, context: Context) -> pb.GetCacheResponse:
        """The value under a key, of the type that it was put with."""

        def get() -> pb.GetCacheResponse:
            return pb.GetCacheResponse(value=AnyMessage.FromString(self._pfs.cache.get(request.key)))

        return await self._bridge.unary(context, get)

    async def ClearCache(self, request: pb.ClearCacheRequest, context: Context) -> Empty:
        """Forget what has a tag that begins so."""

        def clear() -> Empty:
            self._pfs.cache.clear(request.tag_prefix)
            return Empty()

        return await self._bridge.unary(context, clear)
