# SPDX-License-Identifier: Apache-2.0
"""What user code cost: told for each datum, summed up for a job, kept in records; 0 for what an older howdah ran."""

import json
import struct
from dataclasses import replace

from howdah.model.states import DatumState
from howdah.pps.handed_in import HandIn, Outcomes, decode_hand_in, encode_hand_in, result_of
from howdah.pps.infos import DatumResult, ProcessStats

COSTS = [(1_500, 7 << 20), (250, 90 << 20), (1, 2 << 20)]
OLD_STATS = {"download_ms": 1, "process_ms": 2, "upload_ms": 3, "download_bytes": 4, "upload_bytes": 5}


def took(cpu_us, memory):
    return ProcessStats(1, 2, 3, 4, 5, cpu_us, memory)


def test_a_job_has_the_sum_of_cpu_time_and_the_most_memory(lake):
    """While it runs and afterwards, as its datums have their own."""
    lake.repo("in")
    lake.pipeline("up", "in")
    lake.commit("in", {f"/{n}": b"x" for n in range(3)})
    lake.pps.scheduler.settle()
    while (claim := lake.pps.claims.claim("w1")) is not None:
        for number in range(claim.count):
            lake.hand_in(claim, number, stats=took(*COSTS[len(lake.ran)]))
    running = lake.job("up")
    datums = [each.stats for each in lake.pps.datums.list(running.job)]

    lake.run()
    ended = lake.job("up")

    assert ProcessStats(3, 6, 9, 12, 15, 1_751, 90 << 20) == running.stats == ended.stats
    assert sorted(COSTS) == sorted((each.cpu_us, each.memory_max_bytes) for each in datums)
    assert datums == [each.stats for each in lake.pps.datums.list(ended.job)]
    records = [json.loads(data) for path, data in lake.files("up", "meta").items() if path.startswith("/meta/")]
    assert sorted(COSTS) == sorted((each["stats"]["cpu_us"], each["stats"]["memory_max_bytes"]) for each in records)


def test_a_hand_in_before_costs_were_told_is_understood():
    """Its columns are as wide as the widest number may be, and there are five of times and bytes."""
    ids = ["0" * 32, "1" * 32]
    header = b'{"worker":"w","containment":"c","reasons":{"1":"no"}}'
    stats = [(1, 10), (2, 20), (3, 30), (4, 40), (5, 1 << 62)]
    body = b"HWD1" + struct.pack("<2I", 2, len(header)) + bytes.fromhex("".join(ids)) + bytes([2, 1])
    body += struct.pack("<2I", 1, 3) + struct.pack("<10q", *(each for row in stats for each in row))

    found = decode_hand_in(body + header + b"change")

    assert ("w", "c", b"change") == (found.worker, found.containment, found.change)
    assert [
        DatumResult(ids[0], DatumState.SUCCESS, "", 1, ProcessStats(1, 2, 3, 4, 5)),
        DatumResult(ids[1], DatumState.FAILED, "no", 3, ProcessStats(10, 20, 30, 40, 1 << 62)),
    ] == [found.outcomes.at(number) for number in (0, 1)]


def test_a_record_before_costs_were_told_is_understood():
    """What is not known is 0."""
    found = result_of("0" * 32, "SUCCESS", {"reason": "", "tries": 1, "stats": OLD_STATS})

    assert DatumResult("0" * 32, DatumState.SUCCESS, "", 1, ProcessStats(1, 2, 3, 4, 5)) == found


def test_a_hand_in_takes_no_more_room_for_costs_than_it_took_without():
    """A million small datums are handed in as columns of numbers that need few bytes."""
    usual = ProcessStats(3, 12, 1, 40_000, 900, 8_400, 14 << 20)
    results = [
        DatumResult(f"{n:032x}", DatumState.SUCCESS, "", 1, replace(usual, process_ms=n % 50)) for n in range(1_000)
    ]

    size = len(encode_hand_in(HandIn(Outcomes.of(results), "w", "namespaces", b"")))

    assert size <= 1_000 * (16 + 1 + 4 + 5 * 8)


def test_numbers_that_cannot_be_are_brought_into_reach():
    """A confused worker breaks no column: nothing is below zero, or too large for the database."""
    [found] = [Outcomes.of([DatumResult("0" * 32, DatumState.SUCCESS, stats=took(-1, 1 << 64))]).at(0)]

    assert took(0, (1 << 63) - 1) == found.stats
