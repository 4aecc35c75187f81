# SPDX-License-Identifier: Apache-2.0
"""Lines of logs as each of three services sends them. What was asked: `log_requests`."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, TypeVar

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

from howdah.apis.grpc.bridge import Page
from howdah.model.logs import LogLevel
from howdah.pps.infos import LogLine
from howdah.pps.log_reader import FoundLines
from howdah.pps.log_rows import Dropped
from howdah.wire.convert import timestamp
from howdah.wire.stubs import howdah_v1_pb2 as hd
from howdah.wire.stubs import logs_pb2 as lg
from howdah.wire.stubs import pps_v2_pb2 as pps

__all__ = ["PAGE_LINES", "dropped_lake", "dropped_pps", "follower", "in_lake", "in_logs", "in_pps"]

PAGE_LINES: Final = 1_000
"""Lines after which one read of a followed log sends what it has."""

M = TypeVar("M")


def in_pps(line: LogLine) -> pps.LogMessage:
    """A line as `pps_v2` has it. One of the server itself has no more than a time and a text.

    `data`, the files of the line's datum, stays empty: each line would have to read the plan of its job for it. Who
    wants the lines of some files asks for them (`data_filters`), and who wants the files of a datum inspects it.
    """
    message = pps.LogMessage(
        job_id=line.job_id,
        worker_id=line.worker_id,
        datum_id=line.datum_id,
        user=line.user,
        ts=timestamp(line.at),
        message=line.message.rstrip("\r\n"),
    )
    if line.pipeline is not None:
        message.project_name, message.pipeline_name = line.pipeline.project, line.pipeline.name
        message.master = not line.user and not line.worker_id
    return message


def in_lake(line: LogLine) -> hd.ReadLogsResponse:
    """A line as `howdah.v1` has it."""
    return hd.ReadLogsResponse(line=in_pps(line), level=(line.level or LogLevel.INFO).wire_name)


def in_logs(line: LogLine) -> lg.GetLogsResponse:
    """A line as `logs` has it: verbatim, as an object if it is one in JSON, and as `pps_v2` has it."""
    at = timestamp(line.at)
    verbatim = lg.VerbatimLogMessage(line=line.message.encode(), timestamp=at)
    log = lg.LogMessage(native_timestamp=at, verbatim=verbatim)
    if (value := _object(line.message)) is not None:
        log.object.CopyFrom(value)
    if line.pipeline is not None:
        log.pps_log_message.CopyFrom(in_pps(line))
    return lg.GetLogsResponse(log=log)


def dropped_pps(dropped: Dropped) -> pps.LogMessage:
    """What is said of lines that are not there any more, where there is no other word for it than a line."""
    text = f"{dropped.lines} lines until {dropped.until:%Y-%m-%d %H:%M:%S} UTC are not kept any more"
    return pps.LogMessage(master=True, ts=timestamp(dropped.until), message=f"{text} (howdah server --logs-keep)")


def dropped_lake(dropped: Dropped) -> hd.ReadLogsResponse:
    """The same for those who know a better word."""
    return hd.ReadLogsResponse(dropped_lines=dropped.lines, dropped_until=timestamp(dropped.until))


def follower(found: FoundLines, past: Iterator[M], message: Callable[[LogLine], M]) -> Callable[[int], Page[M, int]]:
    """What `Bridge.follow` reads: first what is there, then what comes after it, from the place `found.place` on."""

    def read(place: int) -> Page[M, int]:
        if there := list(islice(past, PAGE_LINES)):
            return Page(there, place)
        place, lines = found.after(place, PAGE_LINES)
        return Page([message(line) for line in lines], place)

    return read


def _object(text: str) -> Struct | None:
    if not text.startswith("{"):
        return None
    try:
        value: Any = json.loads(text)
        return json_format.ParseDict(value, Struct())
    except (ValueError, RecursionError, json_format.ParseError):
        return None
