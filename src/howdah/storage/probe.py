# SPDX-License-Identifier: Apache-2.0
"""Whether a store holds what howdah promises on it: each guarantee of `ObjectStore` that not every store gives, tried.

All that is written lies below `probe/<random>/` and is removed again. That the checks pass does not prove a
store; that one fails does prove that a lake is not safe there.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from howdah.errors import HowdahError
from howdah.kit.ids import NewId
from howdah.storage.objects import ObjectStore
from howdah.storage.remote_store import PART_BYTES, SINGLE_BYTES_MAX

__all__ = ["PROBE_PREFIX", "Check", "is_fit", "probe"]

PROBE_PREFIX: Final = "probe/"

_CREATORS: Final = 8
_ROUNDS: Final = 3
_RACES: Final = 12  # a store that lets two win does not always do so
_LISTED: Final = 12
_BIG_BYTES: Final = SINGLE_BYTES_MAX + PART_BYTES  # four parts


@dataclass(frozen=True, slots=True)
class Check:
    """What was tried, whether the store did it, what it did instead, and how long it took."""

    name: str
    passed: bool
    finding: str
    seconds: float


class _FailedError(Exception):
    """The store did something else; the text says what."""


def is_fit(checks: list[Check]) -> bool:
    """Whether a lake may be made in a store with these findings."""
    return all(check.passed for check in checks)


def probe(store: ObjectStore, *, new_id: NewId) -> Iterator[Check]:
    """Try the store, one guarantee after the other; what was written is removed at the end.

    A store that cannot be written at all fails the first check, and the rest is not tried.
    """
    folder = f"{PROBE_PREFIX}{new_id()}/"
    try:
        for name, attempt in _ATTEMPTS:
            began = time.monotonic()
            try:
                finding, passed = attempt(store, folder), True
            except (_FailedError, HowdahError) as error:
                finding, passed = str(error), False
            yield Check(name, passed, finding, time.monotonic() - began)
            if not passed and attempt is _read_after_write:
                return
    finally:
        _clean_up(store, folder)


def _clean_up(store: ObjectStore, folder: str) -> None:
    try:
        for info in list(store.list(folder)):
            store.delete(info.key)
        store.sync()
    except HowdahError:
        return  # a check has failed by this already


def _must(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise _FailedError(otherwise)


def _read_after_write(store: ObjectStore, folder: str) -> str:
    for number in range(_ROUNDS):
        key, data = f"{folder}read-{number}", os.urandom(1000)
        _must(not store.exists(key), "an object that was never written is there")
        store.put(key, data)
        store.sync()
        _must(store.get(key) == data, "an object that was just written reads as something else")
        _must(store.size(key) == len(data), "an object that was just written has another size")
    return "an object is read as soon as it is written"


def _replace(store: ObjectStore, folder: str) -> str:
    key = f"{folder}replaced"
    store.put(key, b"torn")
    store.put(key, b"whole")
    store.sync()
    _must(store.get(key) == b"whole", "an object that was written again still reads as before")
    return "an object of a wrong size is replaced"


def _create(store: ObjectStore, folder: str) -> str:
    start = threading.Barrier(_CREATORS)

    def compete(key: str, n: int) -> bool:
        start.wait()
        return store.create(key, b"%d" % n)

    with ThreadPoolExecutor(_CREATORS) as threads:  # the same for all rounds, so that connections are there
        for number in range(_RACES):
            key = f"{folder}created-{number}"
            won = list(threads.map(compete, [key] * _CREATORS, range(_CREATORS)))
            _must(sum(won) == 1, f"of {_CREATORS} that created one object at once {sum(won)} were told that they had")
            _must(store.get(key) == b"%d" % won.index(True), "another one's bytes are there than of who created it")
            _must(not store.create(key, b"late"), "an object that was there could be created")
    return f"of {_CREATORS} at once exactly one creates an object"


def _list(store: ObjectStore, folder: str) -> str:
    keys = sorted(f"{folder}list/{number}{name}" for number in range(_LISTED // 3) for name in ("/x", "-", "0"))
    for key in reversed(keys):
        store.put(key, b"x")
        listed = {info.key for info in store.list(f"{folder}list/")}
        _must(key in listed, "an object that was just written is not listed")
    found = [info.key for info in store.list(f"{folder}list/")]
    _must(found == keys, "a listing is not in the order of keys, or leaves objects out")
    return "an object is listed as soon as it is written, in order"


def _ranges(store: ObjectStore, folder: str) -> str:
    key, data = f"{folder}ranges", os.urandom(100_000)
    store.put(key, data)
    for start, length in ((0, 1), (1, 4096), (50_000, 50_000)):
        _must(store.get_range(key, start, length) == data[start : start + length], "a part of an object is another one")
    _must(store.get_head(key, 200_000) == data, "the head of an object is not its beginning")
    return "any part of an object is read by itself"


def _parts(store: ObjectStore, folder: str) -> str:
    key, data = f"{folder}big", os.urandom(1 << 20) * (_BIG_BYTES >> 20)
    store.put(key, data)
    store.sync()
    _must(store.size(key) == len(data) and store.get(key) == data, "an object that was sent in parts is not whole")
    return f"an object of {len(data) >> 20} MiB is sent in parts"


def _touch(store: ObjectStore, folder: str) -> str:
    key = f"{folder}touched"
    store.put(key, b"x")
    store.sync()
    before = next(store.list(key), None)
    _must(store.touch(key), "an object that is there is not found")
    after = next(store.list(key), None)
    if before is None or after is None:
        raise _FailedError("an object that is there is not listed")
    _must(after.modified >= before.modified, "an object that was refreshed is older than before")
    _must(after.modified - before.modified < timedelta(minutes=10), "the clock of the store jumps")
    return "an object's time is told and refreshed"


def _delete(store: ObjectStore, folder: str) -> str:
    key = f"{folder}deleted"
    store.put(key, b"x")
    store.delete(key)
    _must(not store.exists(key), "an object that was deleted is there")
    _must(not list(store.list(key)), "an object that was deleted is listed")
    _must(store.create(key, b"y"), "an object that was deleted cannot be created again")
    store.delete(f"{folder}never-there")
    return "an object that is deleted is gone at once"


_ATTEMPTS: Final[tuple[tuple[str, Callable[[ObjectStore, str], str]], ...]] = (
    ("read after write", _read_after_write),
    ("replace", _replace),
    ("atomic create", _create),
    ("list after write", _list),
    ("ranges", _ranges),
    ("multipart", _parts),
    ("refresh", _touch),
    ("delete", _delete),
)
