# SPDX-License-Identifier: Apache-2.0
"""An object store in a bucket: S3 and all that speak it, Google Cloud Storage, Azure.

A bucket stores an object whole or not at all, and durably before it answers, so `sync` has nothing left to do. What
it does not have is a way to refresh an object's time: `touch` writes an empty object of the same key under
`tmp/touched/`, and a listing tells the later of the two times (of whole seconds, by the bucket's clock).

Faults that pass (5xx, timeouts, broken connections, answers cut short) are tried again here, all of them: the
client below never repeats anything, since only here it is known what a lost answer means. An object named by
its content is the same whoever stored it; one that `create` stored is told by its bytes.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeVar

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from howdah.errors import ErrorKind, HowdahError, NotFound, Refused, Unavailable
from howdah.storage.objects import Buffer, ObjectInfo, checked_key, missing_object, short_object
from howdah.storage.patience import PATIENT, Patience
from howdah.storage.remote_client import Bucket, Client, first_line

if TYPE_CHECKING:
    from obstore import ObjectMeta

__all__ = ["PART_BYTES", "SINGLE_BYTES_MAX", "RemoteStore"]

SINGLE_BYTES_MAX: Final = 17 << 20
"""What is sent by one request: every chunk is. Anything longer goes in parts."""

PART_BYTES: Final = 8 << 20

OVERLAP: Final = 8  # an object of 5 MB takes some 100 ms on its way, and 5 ms of a core

_PAGE: Final = 1000  # what S3 lists at once
_TEMPORARY: Final = "tmp/"
_TOUCHED: Final = "tmp/touched/"

# The client has no class for a refusal of the request itself. If it words this differently one day, such a
# request is repeated for nothing, and fails all the same.
_REFUSED_REQUEST: Final = re.compile(r"status code: 4(?!08|09|25|29)\d\d")
_PAST_THE_END: Final = re.compile(r"status code: 416")
_NO_BUCKET: Final = ("<Code>NoSuchBucket</Code>", "ContainerNotFound", "bucket does not exist")

T = TypeVar("T")


class _ShortError(Exception):
    """An answer that ended before it should have; the object may be whole."""


class RemoteStore:
    """Objects below a prefix of a bucket, which must be there. May be shared by threads."""

    overlap: Final = OVERLAP

    def __init__(self, bucket: Bucket, patience: Patience = PATIENT) -> None:
        self._bucket = bucket
        self._patience = patience
        self._client = bucket.client(patience)

    @property
    def url(self) -> str:
        """The bucket and the prefix, without credentials."""
        return self._bucket.url

    def put(self, key: str, *parts: Buffer) -> bool:
        """Store unless an object of that size is there; see `ObjectStore.put`."""
        data = _joined(parts)
        name = self._name(key)
        what = f"write object {key}"
        if len(data) > SINGLE_BYTES_MAX:
            if self.size(key) == len(data) and self.touch(key):
                return False
            self._call(what, lambda: self._send_in_parts(name, data))
            return True
        try:
            self._call(what, lambda: self._send(name, data, "create"))
        except (AlreadyExistsError, NotSupportedError):
            if self.size(key) == len(data) and self.touch(key):
                return False
            self._call(what, lambda: self._send(name, data, "overwrite"))
        return True

    def create(self, key: str, *parts: Buffer) -> bool:
        """Store if the key is free; see `ObjectStore.create`.

        If an answer was lost, whoever finds the very bytes that it sent was the one who made the object.
        """
        data = _joined(parts)
        name = self._name(key)
        sent = 0

        def send() -> None:
            nonlocal sent
            sent += 1
            self._send(name, data, "create")

        try:
            self._call(f"create object {key}", send)
        except AlreadyExistsError:
            return sent > 1 and self.get(key) == data
        except NotSupportedError as error:
            raise self._failed(f"create object {key} only if it is free", error) from error
        return True

    def sync(self) -> None:
        """Nothing to do: an answer means that the object is durable."""

    def forget(self, key: str) -> bool:  # noqa: ARG002 - as the protocol has it
        """There is no nearer copy; see `ObjectStore.forget`."""
        return False

    def get(self, key: str) -> bytes:
        """All bytes of an object; see `ObjectStore.get`."""
        name = self._name(key)

        def read() -> bytes:
            answer = obstore.get(self._client, name)
            data = bytes(answer.bytes())
            if len(data) != answer.meta["size"]:
                raise _ShortError(f"{len(data)} bytes came of {answer.meta['size']}")
            return data

        with self._missing_named(key):
            return self._call(f"read object {key}", read)

    def get_head(self, key: str, limit: int) -> bytes:
        """The first bytes of an object; see `ObjectStore.get_head`."""
        with self._missing_named(key):
            return self._part(key, 0, limit)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """A part of an object; see `ObjectStore.get_range`."""
        with self._missing_named(key):
            data = self._part(key, start, length)
        if len(data) != length:
            raise short_object(key, self.url, length, len(data))
        return data

    def size(self, key: str) -> int | None:
        """The number of bytes, or None; see `ObjectStore.size`."""
        name = self._name(key)
        try:
            return self._call(f"look at object {key}", lambda: self._head(name))
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        """Whether the object is there."""
        return self.size(key) is not None

    def touch(self, key: str) -> bool:
        """Refresh the object's time by a mark beside it; see `ObjectStore.touch`."""
        if self.size(key) is None:
            return False
        mark = self._bucket.prefix + _TOUCHED + key
        self._call(f"refresh object {key}", lambda: self._send(mark, b"", "overwrite"))
        return True

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """The objects under a prefix, in pages of a thousand; see `ObjectStore.list`."""
        marks = self._pages(_TOUCHED + prefix)
        mark = next(marks, None)
        for info in self._pages(prefix):
            if info.key.startswith(_TEMPORARY):
                continue
            place = _TOUCHED + info.key
            while mark is not None and mark.key < place:
                mark = next(marks, None)
            touched = mark is not None and mark.key == place and mark.modified > info.modified
            yield ObjectInfo(info.key, info.size, mark.modified) if touched and mark else info

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        # The mark first: one without its object would stay for ever.
        for name in (self._bucket.prefix + _TOUCHED + checked_key(key), self._name(key)):
            with suppress(FileNotFoundError):
                self._call(f"delete object {key}", partial(obstore.delete, self._client, name))

    def move(self, key: str, to: str) -> bool:
        """Copy within the bucket, then delete; see `ObjectStore.move`."""
        source, target = self._name(key), self._name(to)
        try:
            self._call(f"move object {key}", lambda: obstore.copy(self._client, source, target))
        except FileNotFoundError:
            return False
        self.delete(key)
        return True

    def _name(self, key: str) -> str:
        return self._bucket.prefix + checked_key(key)

    def _send(self, name: str, data: bytes, mode: Literal["create", "overwrite"]) -> None:
        obstore.put(self._client, name, data, mode=mode, use_multipart=False)

    def _send_in_parts(self, name: str, data: bytes) -> None:
        obstore.put(self._client, name, data, use_multipart=True, chunk_size=PART_BYTES, max_concurrency=OVERLAP)

    def _part(self, key: str, start: int, length: int) -> bytes:
        """The bytes from `start` on, fewer than `length` only where the object ends. Raises FileNotFoundError."""
        name = self._name(key)

        def read() -> bytes:
            if length == 0:  # cannot be asked for
                self._head(name)
                return b""
            data = self._asked(name, start, length)
            if len(data) < length and start + len(data) < self._head(name):
                raise _ShortError(f"{len(data)} bytes came of {length}")
            return data

        return self._call(f"read object {key}", read)

    def _asked(self, name: str, start: int, length: int) -> bytes:
        try:
            return bytes(obstore.get_range(self._client, name, start=start, length=length))
        except BaseError as error:
            if _PAST_THE_END.search(str(error)):
                return b""
            raise

    def _head(self, name: str) -> int:
        return obstore.head(self._client, name)["size"]

    def _pages(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects under a prefix, marks too, in order; a listing that breaks off goes on behind its last key."""
        start = self._bucket.prefix + prefix
        listing = _Listing(self._client, start.rpartition("/")[0])
        while page := self._call(f"list objects under {prefix!r}", listing.page):
            for each in page:
                name = each["path"]
                if name.startswith(start):
                    yield ObjectInfo(name[len(self._bucket.prefix) :], each["size"], each["last_modified"])
                elif name > start:
                    return

    @contextmanager
    def _missing_named(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise missing_object(key, self.url) from None

    def _call(self, what: str, call: Callable[[], T]) -> T:
        """What `call` answers, which is repeated while its faults pass. Lets through what tells of the object's state.

        Raises:
            FileNotFoundError, AlreadyExistsError, NotSupportedError: the bucket says so.
            NotFound, Refused, Unavailable: the bucket is not there, is closed to us, or does not answer.
        """
        failure: BaseException | None = None
        for _ in self._patience.retries():
            try:
                return call()
            except FileNotFoundError as error:
                if any(sign in str(error) for sign in _NO_BUCKET):
                    raise self._without_bucket() from error
                raise
            except (AlreadyExistsError, NotSupportedError):
                raise
            except (PermissionDeniedError, UnauthenticatedError) as error:
                raise self._forbidden(what, error) from error
            except (BaseError, OSError, _ShortError) as error:
                failure = error
                if _REFUSED_REQUEST.search(str(error)):
                    break
        raise self._failed(what, failure) from failure

    def _without_bucket(self) -> HowdahError:
        text = f"bucket {self._bucket.name} of store {self.url} does not exist; make it, or check name and endpoint"
        return NotFound(ErrorKind.LAKE_NOT_FOUND, text)

    def _forbidden(self, what: str, error: BaseException) -> HowdahError:
        text = f"store {self.url} refused to {what} ({_reason(error)}); check the credentials and what they may do"
        return Refused(ErrorKind.READ_ONLY, text)

    def _failed(self, what: str, error: BaseException | None) -> HowdahError:
        text = f"store {self.url} could not {what} ({_reason(error)}); look after the store, then retry"
        return Unavailable(ErrorKind.STORE_FAILED, text)


class _Listing:
    """The pages of a folder. After a fault the next call for a page asks anew, from the last key on."""

    def __init__(self, client: Client, folder: str) -> None:
        self._client = client
        self._folder = folder or None
        self._stream: Iterator[Sequence[ObjectMeta]] | None = None
        self._last: str | None = None

    def page(self) -> Sequence["ObjectMeta"]:
        """The next page; an empty one at the end."""
        if self._stream is None:
            self._stream = iter(obstore.list(self._client, self._folder, offset=self._last, chunk_size=_PAGE))
        try:
            found = next(self._stream, ())
        except BaseException:
            self._stream = None
            raise
        if found:
            self._last = found[-1]["path"]
        return found


def _joined(parts: tuple[Buffer, ...]) -> bytes:
    return parts[0] if len(parts) == 1 and isinstance(parts[0], bytes) else b"".join(parts)


def _reason(error: BaseException | None) -> str:
    text = first_line(error) if error else ""
    return text.partition("status code: ")[2] or text
