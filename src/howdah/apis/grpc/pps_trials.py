# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""Datums of an input that is only tried out, handed out as the caller asks for more: `CreateDatum`."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

from howdah.apis.grpc import pps_answers, pps_requests
from howdah.apis.grpc.bridge import Context
from howdah.apis.grpc.convert_pps_spec import input_tree
from howdah.apis.grpc.pps_base import PpsCalls
from howdah.errors import BadRequest, ErrorKind
from howdah.model.spec import parse_input
from howdah.pps.datums import Datums
from howdah.pps.infos import DatumInfo
from howdah.pps.input_warnings import Warnings
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["TrialCalls"]

_BATCH: Final = 100  # what a caller gets who names no number


class TrialCalls(PpsCalls):
    """The call of `pps_v2.API` that tries an input out."""

    async def CreateDatum(self, requests: AsyncIterator[pb.CreateDatumRequest], context: Context) -> None:
        """As many datums as the first message asks for, then as many as the next ones do, until there are no more."""
        trial = _Trial(self._pps.datums)
        await self._bridge.turns(context, trial.answer, lambda: trial.over, requests)
        pps_answers.attach_warnings(context, trial.warnings)


class _Trial:
    """One call: its input, once that is known, and what of it was not asked for yet."""

    def __init__(self, datums: Datums) -> None:
        self._datums = datums
        self._warnings = Warnings()
        self._left: Iterator[DatumInfo] | None = None
        # The next datum: one is always looked for ahead, so that the end is known when it is reached.
        self._next: DatumInfo | None = None

    @property
    def over(self) -> bool:
        """Whether there are no more datums."""
        return self._left is not None and self._next is None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the input, as far as it was read."""
        return self._warnings.texts

    def answer(self, request: pb.CreateDatumRequest) -> Iterator[pb.DatumInfo]:
        """The datums that a message asks for.

        Raises:
            BadRequest: BAD_ARGUMENT: the first message does not start, or a later one does.
        """
        kind = request.WhichOneof("body")
        if (kind == "start") == (self._left is not None) or kind is None:
            text = "a stream of CreateDatum begins with `start` and goes on with `continue`; send them in this order"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        asked = pps_requests.page("number", getattr(request, kind).number) or _BATCH
        if self._left is None:
            root = parse_input(input_tree(request.start.input), glob="/")
            self._left = self._datums.preview(root, self._warnings.add)
            self._next = next(self._left, None)
        for _ in range(asked):
            if (found := self._next) is None:
                return
            self._next = next(self._left, None)
            yield pps_answers.datum_info(found)
