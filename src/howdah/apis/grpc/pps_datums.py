# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Datums over gRPC: those of a job, and those that an input would give."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from itertools import dropwhile, islice, takewhile
from typing import Generic, TypeVar

from google.protobuf.message import Message

from howdah.apis.grpc import pps_answers, pps_requests, requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.convert_pps_spec import input_tree
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.errors import BadRequest, ErrorKind
from howdah.model.spec import parse_input
from howdah.pps.infos import DatumInfo
from howdah.pps.input_warnings import Warnings
from howdah.pps.inputs import Warn
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["DatumCalls", "DatumReads"]

M = TypeVar("M", bound=Message)


class DatumReads(PpsCalls, ABC, Generic[M]):
    """The calls that ask for one datum or a list; each is answered as an `M`. `reports` has another one."""

    @abstractmethod
    def _datum(self, info: DatumInfo) -> M:
        """The answer for a datum."""

    async def InspectDatum(self, request: pb.InspectDatumRequest, context: Context) -> M:
        """One datum of a job."""

        def inspect() -> M:
            requests.required(request, "datum")
            job = pps_requests.job(request.datum)
            return self._datum(self._pps.datums.inspect(job, request.datum.id))

        return await self._bridge.unary(context, inspect)

    async def ListDatum(self, request: pb.ListDatumRequest, context: Context) -> None:
        """The datums of a job by id, or those that an input would give if a pipeline had it, in the input's order."""
        warnings = Warnings()
        await self._bridge.stream(context, lambda: map(self._datum, self._datums(request, warnings.add)))
        pps_answers.attach_warnings(context, warnings.texts)

    def _datums(self, request: pb.ListDatumRequest, warn: Warn) -> Iterator[DatumInfo]:
        if request.HasField("job") == request.HasField("input"):
            raise BadRequest(ErrorKind.BAD_ARGUMENT, "must specify a job or an input, and not both; name one of them")
        number, states = pps_requests.page("number", request.number), pps_requests.datum_states(request.filter.state)
        if request.HasField("input"):
            tried = self._pps.datums.preview(parse_input(input_tree(request.input), glob="/"), warn)
            wanted = (info for info in tried if not states or info.state in states)
            return _page(wanted, request.paginationMarker, number, request.reverse)
        return self._pps.datums.list(
            pps_requests.job(request),
            states=states,
            after=request.paginationMarker,
            number=number,
            reverse=request.reverse,
        )


class DatumCalls(DatumReads[pb.DatumInfo]):
    """The calls of `pps_v2.API` about datums."""

    def _datum(self, info: DatumInfo) -> pb.DatumInfo:
        return pps_answers.datum_info(info)


def _page(infos: Iterator[DatumInfo], marker: str, number: int, reverse: bool) -> Iterator[DatumInfo]:
    """The datums behind the marker, or backwards those before it."""
    if reverse:
        before = takewhile(lambda info: info.id != marker, infos)
        return reversed(deque(before, maxlen=number or None))
    behind = dropwhile(lambda info: info.id != marker, infos) if marker else infos
    return islice(behind, bool(marker), number + bool(marker) if number else None)
