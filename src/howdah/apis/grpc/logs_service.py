# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: N802 - methods have the protocol's names
"""`logs.API` and `howdah.v1.Logs`: lines of logs by query, filter and time. The older call for them: `pps_logs`."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from google.protobuf.timestamp_pb2 import Timestamp

from howdah.apis.grpc import log_requests
from howdah.apis.grpc.bridge import Bridge, Context, Page
from howdah.apis.grpc.log_answers import dropped_lake, follower, in_lake, in_logs
from howdah.errors import BadRequest, ErrorKind
from howdah.pps.infos import LogLine
from howdah.pps.log_query import LogQuery
from howdah.pps.log_reader import FoundLines
from howdah.pps.logs import Logs
from howdah.wire.convert import moment, timestamp
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import logs_pb2 as pb

__all__ = ["LakeLogsService", "LogsService"]


class LakeLogsService:
    """The servicer of `howdah.v1.Logs`."""

    def __init__(self, bridge: Bridge, logs: Logs) -> None:
        self._bridge = bridge
        self._logs = logs

    async def ReadLogs(self, request: hd.ReadLogsRequest, context: Context) -> None:
        """The lines that pass; first of all, how many are not there any more."""
        found = await self._bridge.unary(context, lambda: self._logs.find(log_requests.of_lake(request)))

        def past() -> Iterator[hd.ReadLogsResponse]:
            if found.dropped is not None:
                yield dropped_lake(found.dropped)
            yield from map(in_lake, found.tail(request.tail) if request.tail else found.lines())

        if request.follow:
            await self._bridge.follow(context, [found.subject], follower(found, past(), in_lake), found.place)
        else:
            await self._bridge.stream(context, past)


class LogsService:
    """The servicer of `logs.API`."""

    def __init__(self, bridge: Bridge, logs: Logs) -> None:
        self._bridge = bridge
        self._logs = logs

    async def GetLogs(self, request: pb.GetLogsRequest, context: Context) -> None:
        """Lines by time, from either end; a limit makes a page of them, with hints where others are.

        They come oldest first, or newest first if `from` is later than `until`. With `tail` also those that come.
        """
        found, window = await self._bridge.unary(context, self._find, request)
        if request.tail:
            read = follower(found, map(in_logs, window.lines(found)), in_logs)
            await self._bridge.follow(context, [found.subject], _limited(read, window.limit), found.place)
        else:
            await self._bridge.stream(context, lambda: _page(request, found, window))

    def _find(self, request: pb.GetLogsRequest) -> "tuple[FoundLines, _Window]":
        window = _Window.of(request.filter)
        if request.tail and (window.newest_first or request.filter.time_range.HasField("until")):
            raise _bad("a log that is followed has no end; leave out until, or tail")
        if request.tail and request.want_paging_hint:
            raise _bad("a log that is followed has no pages; leave out want_paging_hint, or tail")
        query = log_requests.of_logs(request.query)
        return self._logs.find(window.of_query(log_requests.filtered(query, request.filter))), window


@dataclass(frozen=True, slots=True)
class _Window:
    """Which lines of those that pass: between two moments, from one end, so many after the first so many."""

    begin: datetime | None
    end: datetime | None
    newest_first: bool
    offset: int
    limit: int

    @classmethod
    def of(cls, only: pb.LogFilter) -> "_Window":
        span = only.time_range
        begin = moment(getattr(span, "from")) if span.HasField("from") else None
        end = moment(span.until) if span.HasField("until") else None
        backwards = begin is not None and end is not None and begin > end
        return cls(begin, end, backwards, min(span.offset, sys.maxsize), min(only.limit, sys.maxsize))

    def of_query(self, query: LogQuery) -> LogQuery:
        """The query for that time."""
        since, until = (self.end, self.begin) if self.newest_first else (self.begin, self.end)
        return replace(query, since=since, until=until)

    def lines(self, found: FoundLines) -> Iterator[LogLine]:
        """Its lines."""
        rest = islice(found.lines(newest_first=self.newest_first), self.offset, None)
        return islice(rest, self.limit) if self.limit else rest


class _Ends:
    """The first and the last line of a page, and how many of its lines had the time of each."""

    def __init__(self) -> None:
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.at_first = self.at_last = 0

    def see(self, at: datetime) -> None:
        """Take in the next line."""
        if self.first is None:
            self.first = at
        self.at_first += at == self.first
        self.at_last = self.at_last + 1 if at == self.last else 1
        self.last = at


def _limited(
    read: Callable[[int], Page[pb.GetLogsResponse, int]], limit: int
) -> Callable[[int], Page[pb.GetLogsResponse, int]]:
    """The same pages until there were so many lines; without end for 0."""
    left = [limit]

    def read_some(place: int) -> Page[pb.GetLogsResponse, int]:
        page = read(place)
        if not limit:
            return page
        messages = list(page.messages)[: left[0]]
        left[0] -= len(messages)
        return Page(messages, page.cursor, ended=left[0] == 0)

    return read_some


def _page(request: pb.GetLogsRequest, found: FoundLines, window: _Window) -> Iterator[pb.GetLogsResponse]:
    ends = _Ends()
    for line in window.lines(found):
        ends.see(line.at)
        yield in_logs(line)
    if request.want_paging_hint:
        yield pb.GetLogsResponse(paging_hint=_hint(request, window, ends))


def _hint(request: pb.GetLogsRequest, window: _Window, ends: _Ends) -> pb.PagingHint:
    """The requests for the pages on both sides. A page goes on behind a time, and after so many lines of that time."""
    if ends.first is None or ends.last is None:
        onward, back = request, _turned(request, window.begin or window.end, 0, newest_first=not window.newest_first)
    else:
        # Lines of the time that the page began with and that were left out by its offset count as seen.
        seen = ends.at_last + (window.offset if ends.last == window.begin else 0)
        onward = _onward(request, ends.last, seen)
        back = _turned(request, ends.first, ends.at_first, newest_first=not window.newest_first)
    older, newer = (onward, back) if window.newest_first else (back, onward)
    return pb.PagingHint(older=older, newer=newer)


def _onward(request: pb.GetLogsRequest, at: datetime, offset: int) -> pb.GetLogsRequest:
    """The same from another moment on."""
    made = pb.GetLogsRequest()
    made.CopyFrom(request)
    getattr(made.filter.time_range, "from").CopyFrom(timestamp(at))
    made.filter.time_range.offset = offset
    return made


def _turned(request: pb.GetLogsRequest, at: datetime | None, offset: int, *, newest_first: bool) -> pb.GetLogsRequest:
    """The same in the other direction, without an end."""
    made = pb.GetLogsRequest()
    made.CopyFrom(request)
    made.filter.ClearField("time_range")
    if at is not None:
        getattr(made.filter.time_range, "from").CopyFrom(timestamp(at))
        made.filter.time_range.offset = offset
        if newest_first:
            made.filter.time_range.until.CopyFrom(Timestamp())
    return made


def _bad(text: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)
