# SPDX-License-Identifier: Apache-2.0
"""One content, one hash: no cutting, appending or buffering changes it."""

from itertools import pairwise

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.storage.filehash import BLOCK, NODE_KEY, ROOT_KEY, FileHasher, hash_blocks, hash_small

CONTENT = b"".join(blake3(b"%d" % number).digest(1 << 16) for number in range(96))  # 6 MiB

# Around block borders, where mistakes live, and anywhere.
sizes = st.one_of(
    st.builds(lambda blocks, more: max(0, blocks * BLOCK + more), st.integers(0, 5), st.integers(-2, 2)),
    st.integers(0, len(CONTENT)),
)


def reference(data):
    """The hash as docs/format.md states it, as slowly as can be."""
    if len(data) <= BLOCK:
        return blake3(data).digest()
    whole = len(data) // BLOCK
    leaves = [blake3(data[at * BLOCK : (at + 1) * BLOCK]).digest() for at in range(whole)]
    peaks = []
    while leaves:
        size = 1 << (len(leaves).bit_length() - 1)
        peaks.append(tree(leaves[:size]))
        leaves = leaves[size:]
    tail = blake3(data[whole * BLOCK :]).digest() if len(data) % BLOCK else b""
    return blake3(len(data).to_bytes(8, "little") + b"".join(peaks) + tail, key=ROOT_KEY).digest()


def tree(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = len(leaves) // 2
    return blake3(tree(leaves[:half]) + tree(leaves[half:]), key=NODE_KEY).digest()


def hashed(data):
    hasher = FileHasher.new()
    hasher.update(data)
    return hasher


@pytest.mark.parametrize("blocks", range(7))
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_hash_is_that_of_the_format(blocks, more):
    """Every number of blocks up to six, and one byte around it."""
    data = CONTENT[: max(0, blocks * BLOCK + more)]

    assert reference(data) == hashed(data).digest()


@settings(deadline=None)
@given(st.lists(sizes, max_size=6))
def test_pieces_do_not_matter(cuts):
    """Bytes that come in pieces of any size have the hash of the whole."""
    places = [0, *sorted(cuts), len(CONTENT)]
    hasher = FileHasher.new()

    for start, end in pairwise(places):
        hasher.update(CONTENT[start:end])

    assert reference(CONTENT) == hasher.digest()
    assert len(CONTENT) == hasher.size


@given(st.lists(sizes, min_size=1, max_size=4))
def test_appends_do_not_matter(ends):
    """A file that grew by appends has the hash of one written at once; only peaks and tail are carried over."""
    size, peaks = 0, b""
    for end in sorted(ends):
        hasher = FileHasher.resume(size, peaks, CONTENT[size - size % BLOCK : size])
        hasher.update(CONTENT[size:end])
        size, peaks = hasher.size, hasher.peaks()

    assert reference(CONTENT[: max(ends)]) == hasher.digest()


@given(st.integers(0, 3), st.integers(0, BLOCK))
def test_a_small_file_resumes_from_its_content(blocks, size):
    """A file of at most 1 MiB has no peaks of its own to remember: its bytes are enough, 1 MiB included."""
    for start in (size, BLOCK):
        hasher = FileHasher.resume(start, b"", CONTENT[:start])
        hasher.update(CONTENT[start : start + blocks * BLOCK])

        assert reference(CONTENT[: start + blocks * BLOCK]) == hasher.digest()


def test_there_is_a_peak_for_each_bit_of_the_number_of_blocks():
    """So a file of any size keeps a few hundred bytes."""
    counts = [len(hashed(CONTENT[: blocks * BLOCK + 5]).peaks()) for blocks in range(7)]

    assert [32 * blocks.bit_count() for blocks in range(7)] == counts


def test_a_digest_ends_nothing():
    """Asking for the hash of what came so far leaves the hasher as it was."""
    hasher = FileHasher.new()
    for at in range(0, len(CONTENT), 700_000):
        hasher.update(CONTENT[at : at + 700_000])
        hasher.digest()

    assert reference(CONTENT) == hasher.digest()


def test_a_small_file_is_the_plain_blake3_of_its_bytes():
    """Anybody can check it with a common tool."""
    assert blake3(b"hello").digest() == hash_small(b"hello") == hashed(b"hello").digest()


@pytest.mark.parametrize(("size", "peaks", "tail"), [(5, b"", b"1234"), (3 * BLOCK, bytes(32), b""), (BLOCK, b"", b"")])
def test_a_state_that_does_not_fit_is_refused(size, peaks, tail):
    """Peaks and tail of another size would give a wrong hash."""
    with pytest.raises(ValueError, match="do not belong"):
        FileHasher.resume(size, peaks, tail)


def test_one_flipped_bit_is_another_hash():
    """Wherever it is: in a complete block, or in the last one."""
    data = bytearray(CONTENT[: 3 * BLOCK + 10])
    hashes = {hashed(data).digest()}

    for at in (0, BLOCK, 3 * BLOCK - 1, 3 * BLOCK, len(data) - 1):
        data[at] ^= 1
        hashes.add(hashed(data).digest())
        data[at] ^= 1

    assert 6 == len(hashes)


def test_whole_blocks_only_are_leaves():
    """What is left over at the end is not hashed as a block."""
    leaves = hash_blocks(memoryview(CONTENT)[: 2 * BLOCK + 17])

    assert [blake3(CONTENT[:BLOCK]).digest(), blake3(CONTENT[BLOCK : 2 * BLOCK]).digest()] == leaves
