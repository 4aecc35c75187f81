# SPDX-License-Identifier: Apache-2.0
"""Chunks and extents: what was stored is read, and whatever is damaged is named and never given out."""

import os
import random
import struct

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import Damaged, ErrorKind
from howdah.storage.chunk_format import FRAME_BYTES, HEADER_BYTES, PLAIN_MAX
from howdah.storage.chunks import Chunks, chunk_key, chunk_name
from howdah.storage.extents import Extents
from howdah.storage.memory_store import MemoryStore

NOISE = random.Random(1).randbytes(3 * FRAME_BYTES)
TEXT = b"".join(b"line %d of a text that shrinks\n" % number for number in range(30_000))  # over three frames
MIXED = TEXT[:FRAME_BYTES] + NOISE[:FRAME_BYTES] + TEXT[: FRAME_BYTES + 1000]

CONTENTS = {
    "empty": b"",
    "one byte": b"x",
    "noise": NOISE[: FRAME_BYTES + 5],
    "text": TEXT,
    "one frame": TEXT[:FRAME_BYTES],
    "noise among text": TEXT[:FRAME_BYTES] + NOISE[:1000] + TEXT[:FRAME_BYTES],
}

contents = pytest.mark.parametrize("plain", CONTENTS.values(), ids=CONTENTS.keys())


@pytest.fixture
def store():
    return MemoryStore("chunks")


@pytest.fixture
def chunks(store):
    return Chunks(store)


@contents
def test_a_chunk_is_read_as_it_was_put(chunks, plain):
    """Its name is the BLAKE3 of its plain bytes, compressed or not."""
    name = chunks.put(plain)

    assert blake3(plain).digest() == name
    assert plain == chunks.read(name, "file /a")


@contents
def test_every_part_is_read(chunks, plain):
    """A part is the same bytes as in the whole, wherever frames end."""
    name = chunks.put(plain)
    places = sorted(
        {at for at in (0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, len(plain)) if at <= len(plain)}
    )

    for start in places:
        for end in places:
            if start <= end:
                assert plain[start:end] == chunks.read_part(name, start, end - start, "file /a")


def test_only_what_shrinks_is_compressed(store, chunks):
    """Noise is stored as it is, 16 bytes longer; text takes less."""
    noise, text = chunks.put(NOISE), chunks.put(TEXT)

    assert HEADER_BYTES + len(NOISE) == store.size(chunk_key(noise))
    assert len(TEXT) / 2 > store.size(chunk_key(text))


def test_a_frame_that_does_not_shrink_stays_raw(store, chunks):
    """Noise within text costs no more than its length."""
    name = chunks.put(MIXED[FRAME_BYTES - FRAME_BYTES // 2 :] + TEXT)

    head = store.get_head(chunk_key(name), HEADER_BYTES + 4 + 4 * 5)
    stored = struct.unpack_from("<5I", head, HEADER_BYTES + 4)
    assert max(stored) <= FRAME_BYTES
    assert min(stored) < FRAME_BYTES // 2


@contents
def test_a_chunk_is_stored_once(store, chunks, plain):
    """Putting it again, from a process that knows nothing of it, stores nothing."""
    name = chunks.put(plain)

    again = Chunks(store).put_named(name, plain)

    assert not again
    assert [chunk_key(name)] == [info.key for info in store.list("chunk/")]


@pytest.mark.parametrize("plain", [TEXT, NOISE])
def test_a_torn_chunk_is_stored_again(store, chunks, plain):
    """An object that is shorter than its own head says is replaced by the next put."""
    key = chunk_key(chunk_name(plain))
    chunks.put(plain)
    torn = store.get(key)[:-10]
    store.put(key, torn)

    stored = chunks.put_named(chunk_name(plain), plain)

    assert stored
    assert plain == chunks.read(chunk_name(plain), "file /a")


def test_a_missing_chunk_names_object_and_referrer(store, chunks):
    """Whoever reads it learns which object is gone and what needs it."""
    name = chunk_name(b"never stored")

    for read in (lambda: chunks.read(name, "file /a@1"), lambda: chunks.read_part(name, 0, 1, "file /a@1")):
        with pytest.raises(Damaged) as error:
            read()

        assert ErrorKind.OBJECT_MISSING == error.value.kind
        assert chunk_key(name) in error.value.message
        assert "file /a@1" in error.value.message


@pytest.mark.parametrize("plain", [NOISE[:5000], TEXT, MIXED, b"", b"x"], ids=["raw", "text", "mixed", "empty", "one"])
def test_no_flipped_byte_is_given_out(store, chunks, plain):
    """A change anywhere in the object is damage that names it: header, table, frames, payload."""
    name = chunks.put(plain)
    key = chunk_key(name)
    whole = store.get(key)
    places = {*range(min(len(whole), 40)), *random.Random(2).sample(range(len(whole)), min(len(whole), 40))}

    for place in sorted(places):
        broken = bytearray(whole)
        broken[place] ^= 0x41
        replace(store, key, bytes(broken))
        with pytest.raises(Damaged) as error:
            Chunks(store).read(name, "file /a@1")

        assert ErrorKind.OBJECT_CORRUPT == error.value.kind
        assert key in error.value.message
        assert "file /a@1" in error.value.message


@pytest.mark.parametrize("plain", [NOISE[:5000], TEXT], ids=["raw", "text"])
def test_no_truncated_chunk_is_given_out(store, chunks, plain):
    """Wherever it ends, and also when it goes on too long."""
    name = chunks.put(plain)
    key = chunk_key(name)
    whole = store.get(key)

    for broken in (b"", whole[:3], whole[:16], whole[:20], whole[:-1], whole + b"x"):
        replace(store, key, broken)
        with pytest.raises(Damaged) as error:
            Chunks(store).read(name, "file /a@1")

        assert ErrorKind.OBJECT_CORRUPT == error.value.kind
        assert key in error.value.message


def replace(store, key, data):
    store.delete(key)
    store.put(key, data)


@pytest.mark.parametrize("plain_length", [PLAIN_MAX + 1, 2**63])
def test_a_head_that_promises_too_much_allocates_nothing(store, plain_length):
    """A length that no chunk can have is damage, not a memory error."""
    name = bytes(32)
    store.put(chunk_key(name), struct.pack("<4sB3xQ", b"HWC1", 1, plain_length), bytes(400))

    for read in (Chunks.read, lambda chunks, name, who: chunks.read_part(name, 0, 1, who)):
        with pytest.raises(Damaged):
            read(Chunks(store), name, "file /a")


def test_a_part_past_the_end_is_damage(chunks):
    """An extent that does not fit its chunk gives an error that names both."""
    name = chunks.put(b"0123456789")

    with pytest.raises(Damaged) as error:
        chunks.read_part(name, 5, 6, "file /a@1")

    assert chunk_key(name) in error.value.message


def test_the_cache_is_bounded(store):
    """Chunks kept for readers of parts never take more than they may."""
    chunks = Chunks(store, cache_bytes=25)
    names = [chunks.put(b"%d" % number * 10) for number in range(4)]

    for name in [*names, names[2], names[0]]:
        chunks.read_cached(name, "file /a")

    assert [True, False, True, False] == [chunks.cached(name) is not None for name in names]


def test_a_cached_chunk_is_read_without_its_object(store, chunks):
    """The next reader of a part costs no request."""
    name = chunks.put(b"0123456789")
    chunks.read_cached(name, "file /a")
    store.delete(chunk_key(name))

    assert b"0123456789" == chunks.read_cached(name, "file /a")


pieces = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(1, 50)), max_size=8)


def extents_of(triples):
    return [(bytes([number]) * 32, offset, length) for number, offset, length in triples]


@given(pieces, pieces)
def test_extents_are_a_list_in_columns(first, second):
    """Packing, counting and joining agree with the list."""
    one, two = extents_of(first), extents_of(second)

    packed = Extents.of(one).concat(Extents.of(two))

    assert one + two == list(packed)
    assert Extents.of(one + two) == packed
    assert len(one + two) == len(packed)
    assert sum(length for _, _, length in one + two) == packed.total


@given(pieces, st.integers(0, 400), st.integers(0, 400))
def test_a_slice_of_extents_is_a_slice_of_bytes(triples, start, length):
    """The bytes that a slice stands for are those of the whole, cut the same way."""

    def shown(extents):
        return [(name, at) for name, offset, size in extents for at in range(offset, offset + size)]

    whole = Extents.of(extents_of(triples))

    assert shown(whole)[start : start + length] == shown(whole.slice(start, length))


def test_columns_that_do_not_fit_are_refused():
    """Extents with a name too few cannot be made."""
    with pytest.raises(ValueError, match="do not fit"):
        Extents(os.urandom(32), bytes(8))
