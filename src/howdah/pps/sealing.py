# SPDX-License-Identifier: Apache-2.0
"""Sealing: what is to be kept is encrypted by AES-GCM, with a key that is kept neither in the lake nor in its database.

What is sealed is bound to what it belongs to: moved to another name, or changed by a bit, it does not open. Where keys
come from is a `KeySource`; the server's are in `server.secret_keys`.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["KEY_BYTES", "Key", "KeySource", "MemoryKeys", "new_key", "open_sealed", "parse_key", "seal"]

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_VERSION: Final = b"\x01"  # AES-256-GCM: version, nonce, ciphertext with its tag
_FINGERPRINT_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Key:
    """A key of 256 bits. Its fingerprint may be shown: it tells keys apart and nothing else."""

    data: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits."""
        return hashlib.sha256(b"howdah secrets key\0" + self.data).hexdigest()[:_FINGERPRINT_DIGITS]

    def __str__(self) -> str:
        return base64.b64encode(self.data).decode()


class KeySource(Protocol):
    """Where keys are. The first seals; all of them open what was sealed before."""

    @property
    def place(self) -> str:
        """Where they are, as people know it."""

    def known(self) -> Sequence[Key]:
        """The keys that there are; none before the first is made."""

    def made(self) -> Sequence[Key]:
        """The keys; one is made, and durable, if there was none.

        Raises:
            Refused: SECRETS_KEY: none can be made.
        """


class MemoryKeys:
    """A `KeySource` that is forgotten with this process: for tests, and for lakes in memory."""

    place: Final = "the memory of this process"

    def __init__(self, *keys: Key) -> None:
        self._keys = keys

    def known(self) -> Sequence[Key]:
        """See `KeySource`."""
        return self._keys

    def made(self) -> Sequence[Key]:
        """See `KeySource`."""
        self._keys = self._keys or (new_key(),)
        return self._keys


def new_key(random: Callable[[int], bytes] = os.urandom) -> Key:
    """A key that nobody has."""
    return Key(random(KEY_BYTES))


def parse_key(text: str) -> Key | None:
    """A key as it is written: 32 bytes in base64, or in hex; None if this is none."""
    try:
        data = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return Key(data) if len(data) == KEY_BYTES else None


def seal(key: Key, data: bytes, bound_to: bytes, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """`data`, so that only the key opens it again, and only together with the same `bound_to`."""
    nonce = random(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key.data).encrypt(nonce, data, bound_to)


def open_sealed(key: Key, sealed: bytes, bound_to: bytes) -> bytes | None:
    """What was sealed; None if it was by another key, for something else, or has been changed."""
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    if sealed[:1] != _VERSION or len(nonce) < _NONCE_BYTES:
        return None
    try:
        return AESGCM(key.data).decrypt(nonce, body, bound_to)
    except InvalidTag:
        return None
