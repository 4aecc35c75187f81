# SPDX-License-Identifier: Apache-2.0
"""Waiting for events: a waiter is woken by its own subjects, and by nothing else."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from howdah.apis import Hub


class Counting:
    """A condition that counts how often it was asked, and becomes true on request."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer: str | None = None

    def __call__(self) -> str | None:
        self.asked += 1
        return self.answer


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until it is true."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


def test_a_condition_that_holds_needs_no_event() -> None:
    """The first answer ends the wait."""
    hub, condition = Hub(), Counting()
    condition.answer = "done"

    with ThreadPoolExecutor(1) as pool:
        answer = asyncio.run(hub.wait(["a"], condition, pool))

    assert ("done", 1, 0) == (answer, condition.asked, hub.waiting())


def test_a_waiter_is_woken_only_by_its_own_subjects() -> None:
    """Of a thousand waiters, one is asked again."""
    hub = Hub()
    conditions = [Counting() for _ in range(1000)]

    async def main() -> str | None:
        with ThreadPoolExecutor(4) as pool:
            waits = [asyncio.ensure_future(hub.wait([f"s{n}"], c, pool)) for n, c in enumerate(conditions)]
            await until(lambda: sum(c.asked for c in conditions) == 1000)
            conditions[7].answer = "seven"
            hub.notify("s7")
            answer = await waits[7]
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
            return answer

    assert "seven" == asyncio.run(main())
    assert 1001 == sum(c.asked for c in conditions)
    assert 0 == hub.waiting()


def test_an_event_during_the_first_reading_is_not_lost() -> None:
    """What happens between the reading and the wait wakes the waiter."""
    hub, answers = Hub(), [None, "late"]

    def read() -> str | None:
        answer = answers.pop(0)
        hub.notify("a")
        return answer

    async def main() -> str:
        with ThreadPoolExecutor(1) as pool:
            return await asyncio.wait_for(hub.wait(["a"], read, pool), 10)

    assert "late" == asyncio.run(main())


def test_a_burst_of_events_wakes_a_waiter_once() -> None:
    """Notifications that come before the waiter is back count as one."""
    hub = Hub()

    async def main() -> bool:
        with hub.listen(["a", "b"]) as listener:
            for _ in range(100):
                hub.notify("a", "b")
            await listener.changed()
            again = asyncio.ensure_future(listener.changed())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            again.cancel()
            return again.done()

    assert asyncio.run(main()) is False


def test_everybody_is_woken_when_the_feed_was_interrupted() -> None:
    """`notify_all` reaches every subject."""
    hub = Hub()

    async def main() -> None:
        with hub.listen(["a"]) as one, hub.listen(["b"]) as other:
            threading.Thread(target=hub.notify_all).start()
            await asyncio.wait_for(asyncio.gather(one.changed(), other.changed()), 10)

    asyncio.run(main())

    assert 0 == hub.waiting()


def test_a_notification_for_waiters_of_a_closed_loop_is_harmless() -> None:
    """A loop that died with its waiters does not fail the one who notifies."""
    hub, loop = Hub(), asyncio.new_event_loop()

    async def listen() -> None:
        listening = hub.listen(["a"])
        listening.__enter__()
        keep.append(listening)

    keep: list[object] = []
    loop.run_until_complete(listen())
    loop.close()

    hub.notify("a")

    assert 1 == hub.waiting("a")


def test_an_error_of_the_condition_ends_the_wait() -> None:
    """It passes through, and the waiter is forgotten."""
    hub = Hub()

    def fail() -> str | None:
        raise ValueError("broken")

    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="broken"):
        asyncio.run(hub.wait(["a"], fail, pool))

    assert 0 == hub.waiting()
