# SPDX-License-Identifier: Apache-2.0
"""The probe passes what keeps its promises, and names each promise that a store breaks."""

from datetime import timedelta

import pytest

from howdah.errors import ErrorKind, Unavailable
from howdah.kit.ids import new_id
from howdah.storage.directory_store import DirectoryStore
from howdah.storage.memory_store import MemoryStore
from howdah.storage.objects import ObjectInfo
from howdah.storage.probe import is_fit, probe


def failures(store):
    """The names of the checks that a store fails."""
    return [check.name for check in probe(store, new_id=new_id) if not check.passed]


@pytest.mark.parametrize("kind", ["memory", "directory"])
def test_a_store_that_keeps_its_promises_passes(kind, tmp_path):
    """Every check is passed, and nothing is left of it."""
    store = MemoryStore() if kind == "memory" else DirectoryStore(tmp_path)

    checks = list(probe(store, new_id=new_id))

    assert is_fit(checks)
    assert 8 == len(checks)
    assert [] == list(store.list())


@pytest.mark.slow
def test_an_s3_server_passes(moto_s3, moto_keys):
    """Over HTTP, in parts too."""
    store = moto_s3.store()

    assert [] == failures(store)
    assert [] == list(store.list())


@pytest.mark.slow
def test_swift_is_found_out(swift_s3, swift_keys):
    """Two that create one object at once are both told that they did."""
    assert ["atomic create"] == failures(swift_s3.store())


class Careless(MemoryStore):
    """Whoever creates an object is told that it did."""

    def create(self, key, *parts):
        super().create(key, *parts)
        return True


class Unordered(MemoryStore):
    """Lists objects in any order."""

    def list(self, prefix=""):
        return iter(reversed(list(super().list(prefix))))


class Late(MemoryStore):
    """Lists the last object only when the next one is there."""

    def list(self, prefix=""):
        return iter(list(super().list(prefix))[1:])


class Keeping(MemoryStore):
    """Deletes later."""

    def delete(self, key):
        pass


class Rangeless(MemoryStore):
    """Gives the beginning for any part."""

    def get_range(self, key, start, length):
        return self.get(key)[:length]


class Clockless(MemoryStore):
    """Refreshes an object by making it older."""

    def touch(self, key):
        self.touched = True
        return super().touch(key)

    def list(self, prefix=""):
        ago = timedelta(hours=1 if getattr(self, "touched", False) else 0)
        return (ObjectInfo(info.key, info.size, info.modified - ago) for info in super().list(prefix))


class Cutting(MemoryStore):
    """Keeps the first 16 MiB of an object."""

    def put(self, key, *parts):
        return super().put(key, b"".join(parts)[: 16 << 20])


@pytest.mark.parametrize(
    ("store", "broken"),
    [
        (Careless, "atomic create"),
        (Unordered, "list after write"),
        (Late, "list after write"),
        (Keeping, "delete"),
        (Rangeless, "ranges"),
        (Clockless, "refresh"),
        (Cutting, "multipart"),
    ],
)
def test_each_broken_promise_is_named(store, broken):
    """And the others are tried all the same."""
    assert broken in failures(store())


def test_a_store_that_cannot_be_written_is_not_tried_further():
    """One finding says it all."""

    class Closed(MemoryStore):
        def put(self, key, *parts):
            raise Unavailable(ErrorKind.STORE_FAILED, "the store is closed; open it")

    checks = list(probe(Closed(), new_id=new_id))

    assert [("read after write", False, "the store is closed; open it")] == [
        (check.name, check.passed, check.finding) for check in checks
    ]
