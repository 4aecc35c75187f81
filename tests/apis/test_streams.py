# SPDX-License-Identifier: Apache-2.0
"""The bounded queues of the gRPC edge, without a connection: bounds and closing."""

import asyncio
from collections.abc import Iterator

import pytest

from howdah.apis.grpc.streams import WAITING_BYTES, Inbox, Outbox
from howdah.errors import ErrorKind, Unavailable


def test_filling_rests_at_the_bound_and_goes_on_when_all_is_taken() -> None:
    """`fill` returns to its thread pool when enough waits; the next one resumes the same iterator."""
    made: list[int] = []

    def source() -> Iterator[bytes]:
        for n in range(5):
            made.append(n)
            yield bytes(WAITING_BYTES // 2)

    async def main() -> list[int]:
        box, counts = Outbox(source), []
        while not box.ended:
            assert box.claim()
            box.fill()
            counts.append(len(await box.take()))
        return counts

    assert [2, 2, 1] == asyncio.run(main())
    assert [0, 1, 2, 3, 4] == made


def test_empty_messages_are_bounded_too() -> None:
    """A stream of empty messages does not fill the memory."""

    async def main() -> int:
        box = Outbox(lambda: iter(lambda: b"", None))
        assert box.claim()
        box.fill()
        return len(await box.take())

    assert asyncio.run(main()) <= WAITING_BYTES // 64


def test_a_box_has_one_filler_at_a_time() -> None:
    """Two threads never run one iterator."""

    async def main() -> list[bool]:
        box = Outbox(lambda: iter([b"a"]))
        first, second = box.claim(), box.claim()
        box.fill()
        return [first, second, box.claim()]

    assert [True, False, False] == asyncio.run(main())


def test_an_iterator_that_was_never_begun_can_be_closed() -> None:
    """A client that leaves before the first message costs nothing."""

    async def main() -> bool:
        box = Outbox(lambda: iter([b"a"]))
        due = box.close()
        box.release()
        return due and not box.claim()

    assert asyncio.run(main())


def test_a_broken_inbox_raises_before_what_still_waits() -> None:
    """The consumer learns at its next step, not after megabytes."""

    async def main() -> None:
        box: Inbox[bytes] = Inbox()
        await box.put(b"a")
        await box.put(b"b")
        assert b"a" == next(box)
        box.break_off()
        box.end()
        with pytest.raises(Unavailable) as error:
            next(box)
        assert ErrorKind.CANCELLED == error.value.kind

    asyncio.run(main())


def test_an_ended_inbox_gives_all_and_then_ends_for_good() -> None:
    """A later break changes nothing: the client had said all it wanted to say."""

    async def main() -> list[bytes]:
        box: Inbox[bytes] = Inbox()
        await box.put(b"a")
        box.end()
        box.break_off()
        return [*box, *box]

    assert [b"a"] == asyncio.run(main())
