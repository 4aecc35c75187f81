# SPDX-License-Identifier: Apache-2.0
"""Content: streams are cut as files are, appends keep the hash, and no wrong byte is ever read."""

import random
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.errors import BadRequest, Damaged, ErrorKind, NotFound, Unavailable
from howdah.storage.chunks import Chunks, chunk_key
from howdah.storage.content import SHORT_EXTENTS_MAX, ContentWriter, Stored, resumed_hasher, small_or_stream
from howdah.storage.cutting import CUT_MAX, CUT_MIN
from howdah.storage.extents import Extents
from howdah.storage.filehash import BLOCK, FileHasher, hash_small
from howdah.storage.memory_store import MemoryStore
from howdah.storage.packs import Packer
from howdah.storage.reading import ContentReader

NOISE = random.Random(1).randbytes(40 << 20)  # more than a window


@pytest.fixture(scope="module")
def chunks():
    return Chunks(MemoryStore("content"))


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
    """NOISE, put in one piece."""
    return writer.put_file([NOISE])


def hash_of(data):
    hasher = FileHasher.new()
    hasher.update(data)
    return hasher.digest()


def content(reader, stored, start=0, length=None):
    length = stored.size if length is None else length
    return b"".join(reader.read(stored.extents, start, length, "file /a"))


def test_a_big_file_is_read_as_it_was_put(whole, reader):
    """All bytes, the size, the hash; chunks between the least and the most that a cut gives."""
    assert content(reader, whole) == NOISE
    assert len(NOISE) == whole.size == whole.extents.total
    assert hash_of(NOISE) == whole.hash
    assert all(CUT_MIN <= length <= CUT_MAX for _, _, length in list(whole.extents)[:-1])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, len(NOISE)), max_size=12))
def test_a_stream_is_cut_as_the_whole(writer, whole, places):
    """Where messages end does not matter: the same chunks, peaks and hash."""
    ends = [0, *sorted(places), len(NOISE)]

    stored = writer.put_file(NOISE[start:end] for start, end in pairwise(ends))

    assert whole == stored


def test_content_without_any_cut_is_cut_at_the_most(writer, reader):
    """Zeros never say where to cut: chunks of 16 MiB, however they come."""
    zeros = bytes(CUT_MAX * 2 + 5)

    stored = writer.put_file(zeros[at : at + 999_999] for at in range(0, len(zeros), 999_999))

    assert [CUT_MAX, CUT_MAX, 5] == [length for _, _, length in stored.extents]
    assert writer.put_file([zeros]) == stored


def test_a_local_file_is_stored_as_a_stream_is(writer, whole, tmp_path):
    """From a path: the same result."""
    (tmp_path / "big").write_bytes(NOISE)

    assert whole == writer.put_file(tmp_path / "big")


def test_many_local_files_come_back_in_order(writer, tmp_path):
    """Two at a time, and the one that cannot be read is an error at its own place."""
    contents = [NOISE[at << 20 : (at + 1 + at % 3) << 20] for at in range(8)]
    paths = [tmp_path / str(at) for at in range(8)]
    for path, data in zip(paths, contents, strict=True):
        path.write_bytes(data)

    stored = writer.put_files([*paths, tmp_path / "gone"])

    assert [hash_of(data) for data in contents] == [next(stored).hash for _ in contents]
    with pytest.raises(NotFound):
        next(stored)


def test_an_insertion_stores_only_what_is_new(writer, whole):
    """A few bytes in the middle change a chunk or two."""
    middle = len(NOISE) // 2

    changed = writer.put_file([NOISE[:middle], b"inserted", NOISE[middle:]])

    new = {name for name, _, _ in changed.extents} - {name for name, _, _ in whole.extents}
    assert 1 <= len(new) <= 2


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_a_file_of_any_size_may_come_as_a_stream(writer, reader, size):
    """Also an empty one, and one that would have been small."""
    stored = writer.put_file([NOISE[:size]])

    assert content(reader, stored) == NOISE[:size]
    assert hash_of(NOISE[:size]) == stored.hash


def test_a_small_file_alone_is_a_chunk(writer, reader):
    """An empty file is no chunk at all."""
    small, empty = writer.put_small(b"hello"), writer.put_small(b"")

    assert b"hello" == reader.read_small(small.extents, 5, small.hash, "file /a")
    assert Stored(0, hash_small(b""), b"", Extents()) == empty
    assert b"" == reader.read_small(empty.extents, 0, empty.hash, "file /a")


@pytest.mark.parametrize("sizes", [[], [0], [5, 0, 7], [BLOCK - 1]])
def test_a_small_stream_is_its_bytes(sizes):
    """A stream under 1 MiB is read whole."""
    assert NOISE[: sum(sizes)] == small_or_stream(pieces_of(sizes))


@pytest.mark.parametrize("sizes", [[BLOCK], [5, BLOCK], [BLOCK - 1, 1, 7, 3]])
def test_a_big_stream_is_left_to_be_read(sizes):
    """Nothing of it is lost by looking at its start."""
    stream = small_or_stream(pieces_of(sizes))

    assert not isinstance(stream, bytes)
    assert NOISE[: sum(sizes)] == b"".join(stream)


def pieces_of(sizes):
    at = 0
    for size in sizes:
        yield NOISE[at : at + size]
        at += size


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 1000, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK]), min_size=1, max_size=5))
def test_appends_give_the_hash_of_the_whole(writer, reader, sizes):
    """Whatever was appended to what, the file is its bytes."""
    stored = writer.put_file([])
    for at, size in enumerate(sizes):
        start = sum(sizes[:at])
        stored = writer.append(stored, [NOISE[start : start + size]], "file /a")

    assert content(reader, stored) == NOISE[: sum(sizes)]
    assert hash_of(NOISE[: sum(sizes)]) == stored.hash


def test_an_append_to_a_packed_file_needs_only_its_bytes(chunks, writer, reader):
    """A file in the middle of a pack grows over 1 MiB."""
    files = [NOISE[at : at + 5000] for at in range(0, 50_000, 5000)]
    with Packer(chunks) as packer:
        packer.add((at, data, hash_small(data)) for at, data in enumerate(files))
        [pack] = packer.flush()
    _, offset, length = pack.members[3]
    old = Stored(length, hash_small(files[3]), b"", Extents.one(pack.name, offset, length))

    stored = writer.append(old, [NOISE[: 2 * BLOCK]], "file /a")

    assert content(reader, stored) == files[3] + NOISE[: 2 * BLOCK]
    assert hash_of(files[3] + NOISE[: 2 * BLOCK]) == stored.hash


def test_many_short_extents_are_rewritten_as_one(writer, reader):
    """The 33rd short append leaves one extent; the long ones before them stay."""
    stored = first = writer.put_file([NOISE[: 3 * BLOCK]])
    for number in range(SHORT_EXTENTS_MAX + 1):
        before = stored
        stored = writer.append(stored, [b"line %d\n" % number], "file /a")

    lines = b"".join(b"line %d\n" % number for number in range(SHORT_EXTENTS_MAX + 1))
    assert len(first.extents) + SHORT_EXTENTS_MAX == len(before.extents)
    assert len(first.extents) + 1 == len(stored.extents)
    assert content(reader, stored) == NOISE[: 3 * BLOCK] + lines
    assert hash_of(NOISE[: 3 * BLOCK] + lines) == stored.hash


def test_a_resumed_hasher_reads_at_most_the_last_block(chunks, writer, whole):
    """Only the chunk that holds the incomplete block is looked at."""
    sizes = [length for _, _, length in whole.extents]
    only_last = MemoryStore()
    for name, _, _ in list(whole.extents.slice(len(NOISE) - len(NOISE) % BLOCK, BLOCK)):
        only_last.put(chunk_key(name), chunks.store.get(chunk_key(name)))

    with ContentReader(Chunks(only_last)) as reader:
        hasher = resumed_hasher(whole, reader, "file /a")

    assert whole.hash == hasher.digest()
    assert len(sizes) > 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, len(NOISE) + 10), st.integers(0, len(NOISE) + 10))
def test_any_range_is_read(reader, whole, start, length):
    """A range is those bytes of the file, and ends where the file ends."""
    assert content(reader, whole, start, length) == NOISE[start : start + length]


def test_a_file_is_written_to_a_path(reader, whole, tmp_path):
    """Over what was there, longer or not."""
    path = tmp_path / "out"
    path.write_bytes(bytes(len(NOISE) + 100))

    reader.write_file(whole.extents, path, "file /a", sync=True)

    assert path.read_bytes() == NOISE


def damaged_copy(chunks, extents, number, change):
    """A store with the chunks of a file, the numbered one changed."""
    store = MemoryStore("damaged")
    for at, (name, _, _) in enumerate(extents):
        data = chunks.store.get(chunk_key(name))
        if at == number:
            data = change(data)
        if data is not None:
            store.put(chunk_key(name), data)
    return store, chunk_key(list(extents)[number][0])


CHANGES = {
    "missing": lambda data: None,
    "truncated": lambda data: data[:-1],
    "empty": lambda data: b"",
    "first byte": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "last byte": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "middle byte": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
    "another chunk": lambda data: data[:16] + bytes(len(data) - 16),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_damaged_chunk_ends_the_reading(chunks, whole, change, tmp_path):
    """What was given out before is right, and the error names object and file."""
    store, key = damaged_copy(chunks, whole.extents, 2, change)
    given = []

    with ContentReader(Chunks(store)) as reader:
        with pytest.raises(Damaged) as error:
            given += reader.read(whole.extents, 0, whole.size, "file /a@1")
        with pytest.raises(Damaged):
            reader.write_file(whole.extents, tmp_path / "out", "file /a@1")

    assert NOISE.startswith(b"".join(given))
    assert key in error.value.message
    assert "file /a@1" in error.value.message


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_damaged_pack_gives_no_wrong_file(chunks, change):
    """Each member is whole and right, or damage that is named; never other bytes."""
    files = [NOISE[at : at + 5000] for at in range(0, 500_000, 5000)]
    with Packer(chunks) as packer:
        packs = packer.add((at, data, hash_small(data)) for at, data in enumerate(files))
        pack = (packs + packer.flush())[0]
    store, key = damaged_copy(chunks, Extents.one(pack.name, 0, 1), 0, change)
    failures = []

    with ContentReader(Chunks(store)) as reader:
        for member, offset, length in pack.members:
            extents = Extents.one(pack.name, offset, length)
            try:
                assert files[member] == reader.read_small(extents, length, hash_small(files[member]), "file /a@1")
            except Damaged as error:
                failures.append(error.message)

    assert failures
    assert all(key in text and "file /a@1" in text for text in failures)


def test_a_file_of_other_bytes_is_damage(writer, reader):
    """Where every chunk is right but the file's hash is not, the file is named."""
    stored = writer.put_small(b"these bytes")

    with pytest.raises(Damaged) as error:
        reader.read_small(stored.extents, stored.size, hash_small(b"other bytes"), "file /a@1")

    assert ErrorKind.OBJECT_CORRUPT == error.value.kind
    assert "file /a@1" in error.value.message


def test_a_local_file_that_cannot_be_read_is_named(writer, tmp_path):
    """Missing, or a folder."""
    for path, error_class in [(tmp_path / "nothing", NotFound), (tmp_path, BadRequest)]:
        with pytest.raises(error_class) as error:
            writer.put_file(path)

        assert str(path) in error.value.message


class FullStore(MemoryStore):
    """A store without room."""

    def put(self, key, *parts):
        raise Unavailable(ErrorKind.NO_SPACE, "no space left")


def test_a_full_store_ends_a_long_stream():
    """The writer notices soon, not after the last byte, and does not hang."""
    seen = []

    def endless():
        while True:
            seen.append(1)
            yield NOISE

    with ContentWriter(Chunks(FullStore())) as writer, pytest.raises(Unavailable):
        writer.put_file(endless())

    assert len(seen) < 10


def test_a_stream_that_fails_leaves_its_own_error(writer):
    """What the caller's iterator raises comes out as it is, and the writer is good for the next file."""

    def broken():
        yield NOISE[: 5 * BLOCK]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        writer.put_file(broken())

    assert 5 == writer.put_file([b"after"]).size


BOUNDED = """
import resource, sys, random
from howdah.storage.chunks import Chunks
from howdah.storage.content import ContentWriter
from howdah.storage.directory_store import DirectoryStore
from howdah.storage.reading import ContentReader
noise = random.Random(1).randbytes(1 << 20)
chunks = Chunks(DirectoryStore(sys.argv[1]))
def message(at): return at.to_bytes(4, "little") + noise
resource_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with ContentWriter(chunks) as writer, ContentReader(chunks) as reader:
    stored = writer.put_file(message(at) for at in range(300))
    size = sum(len(piece) for piece in reader.read(stored.extents, 0, stored.size, "file"))
    assert size == stored.size == 300 * (4 + len(noise))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resource_before)
"""


@pytest.mark.slow
def test_memory_stays_bounded(tmp_path):
    """300 MB put from a stream and read back take less than 200 MiB of memory at any time."""
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )

    kibibytes = int(done.stdout) // (1024 if sys.platform == "darwin" else 1)
    assert kibibytes < 200 * 1024
