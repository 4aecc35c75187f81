# SPDX-License-Identifier: Apache-2.0
"""Packs: every file is where its pack says, and an inserted file changes only the packs around it."""

import random

import pytest

from howdah.errors import ErrorKind, Unavailable
from howdah.storage.chunks import Chunks
from howdah.storage.filehash import hash_small
from howdah.storage.memory_store import MemoryStore
from howdah.storage.packs import PACK_AVERAGE, PACK_MAX, Packer


def files_of(count, size=20_000, seed=1):
    noise = random.Random(seed)
    return [noise.randbytes(noise.randrange(1, 2 * size)) for _ in range(count)]


def packed(files, chunks=None):
    """The packs of contents whose keys are their numbers."""
    with Packer(chunks or Chunks(MemoryStore())) as packer:
        packs = packer.add((number, data, hash_small(data)) for number, data in enumerate(files))
        return packs + packer.flush()


def test_every_file_is_in_its_place():
    """Keys come back once each, in order, with the place of their bytes."""
    chunks, files = Chunks(MemoryStore()), files_of(1000)

    packs = packed(files, chunks)

    assert list(range(1000)) == [key for pack in packs for key, _, _ in pack.members]
    for pack in packs:
        plain = chunks.read(pack.name, "pack")
        assert all(files[key] == plain[offset : offset + length] for key, offset, length in pack.members)
        assert len(plain) <= PACK_MAX


def test_packs_end_by_content():
    """In the mean a pack has about 4 MiB, and none has more than 8."""
    sizes = [sum(length for _, _, length in pack.members) for pack in packed(files_of(3000))]

    assert PACK_AVERAGE / 2 < sum(sizes) / len(sizes) < 1.5 * PACK_AVERAGE
    assert max(sizes) <= PACK_MAX


def test_an_inserted_file_leaves_the_packs_after_it():
    """One more file in the middle changes few packs; all others are stored already."""
    files = files_of(3000)
    before = {pack.name for pack in packed(files)}

    after = {pack.name for pack in packed([*files[:100], b"inserted", *files[100:]])}

    assert len(before) >= 10
    assert len(after - before) <= 3


def test_how_files_are_added_does_not_matter():
    """One by one or all at once: the same packs."""
    files, given = files_of(300), []

    with Packer(Chunks(MemoryStore())) as packer:
        for number, data in enumerate(files):
            given += packer.add([(number, data, hash_small(data))])
        given += packer.flush()

    assert packed(files) == given


def test_nothing_added_is_no_pack():
    """An empty flush gives nothing, and the packer can be used on."""
    with Packer(Chunks(MemoryStore())) as packer:
        assert [] == packer.flush()
        packer.add([("a", b"1", hash_small(b"1"))])
        assert [[("a", 0, 1)]] == [pack.members for pack in packer.flush()]
        assert [] == packer.flush()


class FullStore(MemoryStore):
    """A store without room."""

    def put(self, key, *parts):
        raise Unavailable(ErrorKind.NO_SPACE, "no space left")


def test_a_pack_that_could_not_be_stored_is_an_error():
    """What a thread could not do comes out of the call that waits for it."""
    with pytest.raises(Unavailable) as error:
        packed(files_of(10), Chunks(FullStore()))

    assert ErrorKind.NO_SPACE == error.value.kind
