# SPDX-License-Identifier: Apache-2.0
"""Patching: a new version of a big file stores what is new, names the rest, and is the same file in every other way."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.errors import ErrorKind, Unavailable
from howdah.storage import patching
from howdah.storage.chunks import Chunks, chunk_key
from howdah.storage.content import ContentWriter
from howdah.storage.filesets import Builder, Filesets
from howdah.storage.memory_store import MemoryStore
from howdah.storage.old_version import OldVersion, common_prefix, common_suffix
from howdah.storage.patching import ABSORBED_MAX, CONTEXT, extents_allowed
from howdah.storage.reading import ContentReader
from howdah.storage.rows import Entry, from_entries

MIB = 1 << 20
NOISE = random.Random(2).randbytes(24 * MIB)
MIDDLE = 12 * MIB


@pytest.fixture(scope="module")
def chunks():
    return Chunks(MemoryStore("patching"))


@pytest.fixture(scope="module")
def writer(chunks):
    with ContentWriter(chunks) as writer:
        yield writer


@pytest.fixture(scope="module")
def reader(chunks):
    with ContentReader(chunks) as reader:
        yield reader


@pytest.fixture(scope="module")
def whole(writer):
    """NOISE, where nothing was before."""
    return writer.put_file([NOISE])


def old(stored):
    return OldVersion.of(stored.extents, "file /a")


def put_over(writer, stored, data):
    """Put a new version; what was stored, and how many bytes of it are new."""
    store = writer._chunks.store
    before = sum(each.size for each in store.list("chunk/"))
    found = writer.put_file([data], old(stored))
    return found, sum(each.size for each in store.list("chunk/")) - before


def content(reader, stored):
    return b"".join(reader.read(stored.extents, 0, stored.size, "file /a"))


def test_an_insertion_costs_little_more_than_its_bytes(writer, reader, whole):
    """The chunk that it falls into is named in two parts."""
    data = NOISE[:MIDDLE] + b"inserted" + NOISE[MIDDLE:]

    changed, new = put_over(writer, whole, data)

    assert content(reader, changed) == data
    assert new <= ABSORBED_MAX + 2 * CONTEXT
    assert len(changed.extents) <= len(whole.extents) + 2


def test_a_version_has_the_hash_of_its_bytes(writer, whole):
    """Whatever it names: one content, one hash, and the same peaks."""
    data = NOISE[: MIDDLE - 7] + NOISE[MIDDLE:]

    changed, _ = put_over(writer, whole, data)

    fresh = writer.put_file([data])
    assert (fresh.size, fresh.hash, fresh.peaks) == (changed.size, changed.hash, changed.peaks)


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda: NOISE, 0),
        (lambda: NOISE[: 20 * MIB], 0),
        (lambda: NOISE + bytes(64_000), 64_100),
        (lambda: b"first" + NOISE, ABSORBED_MAX + 2 * CONTEXT),
        (lambda: NOISE[: 3 * MIB] + NOISE[20 * MIB :], ABSORBED_MAX),
        (lambda: NOISE[:MIDDLE] + bytes(300_000) + NOISE[MIDDLE + 300_000 :], ABSORBED_MAX + 2 * CONTEXT),
    ],
    ids=["same", "shorter", "longer", "before", "removed", "replaced"],
)
def test_what_stayed_is_not_stored_again(change, most):
    """However a file changed, most of it is named."""
    with ContentWriter(Chunks(MemoryStore("changed"))) as writer, ContentReader(writer._chunks) as reader:
        data = change()

        changed, new = put_over(writer, writer.put_file([NOISE]), data)

        assert content(reader, changed) == data
        assert new <= most + 32


def test_a_file_without_anything_in_common_is_stored_as_a_new_one(writer, whole):
    """The same extents as where nothing was before, past the bytes that are searched as well."""
    data = random.Random(3).randbytes(40 * MIB)

    changed, _ = put_over(writer, whole, data)

    assert writer.put_file([data]) == changed


def test_a_reverted_edit_needs_nothing_new(writer, whole):
    """The first version over the second has the extents of the first."""
    second, _ = put_over(writer, whole, NOISE[:MIDDLE] + b"inserted" + NOISE[MIDDLE:])

    third, new = put_over(writer, second, NOISE)

    assert 0 == new
    assert whole == third


def test_edits_at_one_place_do_not_add_up(writer, reader, whole):
    """The next insertion takes up what the last one stored."""
    data, stored = NOISE, whole
    for number in range(12):
        middle = len(data) // 2
        data = data[:middle] + b"%100d" % number + data[middle:]

        stored, new = put_over(writer, stored, data)

        assert new <= ABSORBED_MAX + 2 * CONTEXT
        assert len(stored.extents) <= len(whole.extents) + 2
    assert content(reader, stored) == data


def test_a_file_with_too_many_extents_is_stored_as_it_was_cut(writer, reader, whole, monkeypatch):
    """Edits all over a file leave no more extents than it may have."""
    monkeypatch.setattr(patching, "_FREE_BYTES", 0)
    monkeypatch.setattr(patching, "_FREE_EXTENTS", 3)
    numbers, data, stored = random.Random(4), NOISE, whole

    for _ in range(10):
        place = numbers.randrange(len(data))
        data = data[:place] + b"edited" + data[place:]
        stored, _ = put_over(writer, stored, data)
        assert len(stored.extents) <= len(writer.put_file([data]).extents) + 3

    assert content(reader, stored) == data


def test_the_extents_that_a_file_may_have_fit_its_metadata():
    """2 GiB in as many extents as are allowed, 30 of them parts of a chunk: 64 bytes for each 8 MiB."""
    size, numbers = 2 << 30, random.Random(5)
    count = extents_allowed(size, 0)
    extents = [(numbers.randbytes(32), 0, numbers.randrange(1 << 20, 8 << 20)) for _ in range(count)]
    for at in numbers.sample(range(0, count - 2, 3), 10):
        name, _, length = extents[at]
        extents[at + 1] = (numbers.randbytes(32), 0, 130_000)
        extents[at + 2] = (name, length // 2, length - length // 2)
    store = MemoryStore("metadata")
    builder = Builder(Filesets(store, cache_bytes=MIB), "the test")

    builder.add_rows(
        from_entries([Entry("/big", "", size, bytes(32), numbers.randbytes(32), patching.Extents.of(extents))])
    )
    builder.finish()

    assert sum(each.size for each in store.list()) <= size // (8 * MIB) * 64


def test_a_damaged_old_chunk_is_stored_again():
    """Putting a file again mends it, also where its new version would name a part of what is damaged."""
    with ContentWriter(Chunks(MemoryStore("damaged"))) as writer, ContentReader(writer._chunks) as reader:
        stored = writer.put_file([NOISE])
        store = writer._chunks.store
        for name, _, _ in stored.extents:
            store.delete(chunk_key(name))
        data = NOISE[:MIDDLE] + b"inserted" + NOISE[MIDDLE:]

        changed, _ = put_over(writer, stored, data)

        assert content(reader, changed) == data


def test_a_full_store_ends_a_put_over_an_old_version(monkeypatch):
    """The error comes, and the threads are free for the next file."""
    with ContentWriter(Chunks(MemoryStore("full"))) as writer:
        stored = writer.put_file([NOISE])

        def full(*_):
            raise Unavailable(ErrorKind.NO_SPACE, "no space left; free some")

        with monkeypatch.context() as patch:
            patch.setattr(writer._chunks.store, "put", full)
            with pytest.raises(Unavailable):
                writer.put_file([random.Random(6).randbytes(60 * MIB)], old(stored))

        assert stored == writer.put_file([NOISE], old(stored))


edits = st.lists(
    st.tuples(st.integers(0, 7 * MIB), st.integers(0, 2 * MIB), st.integers(0, 2 * MIB)), min_size=1, max_size=3
)


@settings(max_examples=25, deadline=None)
@given(st.lists(edits, min_size=1, max_size=3))
def test_any_history_of_edits_reads_back(writer, reader, versions):
    """Version after version, each put over the last: its bytes, and never more extents than it may have."""
    data = NOISE[: 8 * MIB]
    stored = writer.put_file([data])
    for version in versions:
        for place, gone, come in version:
            data = data[:place] + NOISE[place + 9 * MIB :][:come] + data[place + gone :]
        if len(data) < MIB:
            return

        stored, _ = put_over(writer, stored, data)

        assert content(reader, stored) == data
        fresh = writer.put_file([data])
        assert fresh.hash == stored.hash
        assert len(stored.extents) <= extents_allowed(len(data), len(fresh.extents))


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_common_ends_are_found(one, other, shared):
    """Byte by byte is slower and says the same."""
    left, right = shared + one, shared + other
    expected = next(
        (at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(map(len, (left, right)))
    )

    assert expected == common_prefix(left, right)
    assert expected == common_suffix(left[::-1], right[::-1])
