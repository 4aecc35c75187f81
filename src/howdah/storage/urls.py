# SPDX-License-Identifier: Apache-2.0
"""Files by URL: fetched from web servers and object stores for whoever puts them, exported to object stores.

The server calls these addresses with its own rights and from its own network; whoever may write to a repo can make
it do so (docs/urls.md). Credentials of object stores come from the usual variables of its environment. What leaves
in errors is the address without user, password and query, for signed links are secrets.
"""

import http.client
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError

from howdah.errors import BadRequest, ErrorKind, HowdahError, NotFound, Refused, Unavailable, Unsupported
from howdah.model.texts import one_line
from howdah.storage.objects import Buffer
from howdah.storage.patience import PATIENT
from howdah.storage.remote_client import Client, bucket_client, first_line

__all__ = ["AT_ONCE_MAX", "Target", "check_source", "fetched", "fetched_below", "shown"]

AT_ONCE: Final = 4
AT_ONCE_MAX: Final = 32  # each holds a piece of a MiB and a connection

_PIECE_BYTES: Final = 1 << 20
_SECONDS: Final = PATIENT.call_seconds  # without a byte
_WEB: Final = ("http", "https")
_BUCKETS: Final = {"s3": "s3", "gs": "gs", "az": "az", "wasb": "az"}
_RETRIES: Final = 3  # by the library; what has begun to come is not repeated
_LIST_PAGE: Final = 1000


def check_source(url: str, *, recursive: bool = False) -> None:
    """Return if files may come from such an address; nothing is fetched.

    Raises:
        BadRequest: BAD_ARGUMENT: it names no server or object, or cannot be listed and is to be fetched `recursive`ly.
        Unsupported: UNSUPPORTED: another scheme.
    """
    parts = _split(url)
    if parts.scheme in _WEB:
        if recursive:
            text = f"{shown(url)} cannot be listed; name each file, or an object store, to be fetched recursively"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
    elif not recursive and not _Place.of(url).key:
        text = f"{shown(url)} names a bucket and no object in it; name one, or fetch it recursively"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text)


def fetched(url: str) -> Iterator[bytes]:
    """The bytes at an address, as they come, in pieces of about a MiB; the whole of them or an error.

    Raises:
        NotFound, Refused, Unavailable: URL_NOT_FOUND, URL_REFUSED, URL_FAILED, with address and status.
        BadRequest, Unsupported: as `check_source`.
    """
    check_source(url)
    return _from_web(url) if _split(url).scheme in _WEB else _Place.of(url).read()


def fetched_below(url: str, at_once: int = 0) -> Iterator[tuple[str, Iterator[Buffer]]]:
    """The objects whose keys begin with the address's, then a slash: what follows in the key, and their bytes.

    Up to `at_once` (0: a few) are begun before they are asked for; the bytes of one must be taken before the next one.
    An object of exactly that key, if there is one, comes with an empty name.

    Raises:
        NotFound: URL_NOT_FOUND: there is none. Otherwise as `fetched`.
    """
    check_source(url, recursive=True)
    place = _Place.of(url)
    with ThreadPoolExecutor(min(at_once or AT_ONCE, AT_ONCE_MAX), "fetch-url") as threads:
        waiting: deque[tuple[str, Future[Iterator[Buffer]]]] = deque()
        none = True
        try:
            for name, each in place.below():
                none = False
                waiting.append((name, threads.submit(each.begun)))
                if len(waiting) > (at_once or AT_ONCE):
                    name, begun = waiting.popleft()
                    yield name, begun.result()
            for name, begun in waiting:
                yield name, begun.result()
        finally:
            for _, begun in waiting:
                begun.cancel()
    if none:
        raise NotFound(ErrorKind.URL_NOT_FOUND, f"{shown(url)}: nothing is there; check the address")


class Target:
    """An address in an object store that files are exported to."""

    def __init__(self, url: str) -> None:
        """Understand the address.

        Raises:
            BadRequest: BAD_ARGUMENT: it names no bucket.
            Unsupported: UNSUPPORTED: it is not in an object store.
        """
        if _split(url).scheme not in _BUCKETS:
            text = f"{shown(url)} is of no use here; files can be exported to s3://, gs:// and az://"
            raise Unsupported(ErrorKind.UNSUPPORTED, text)
        self._place = _Place.of(url)

    def write(self, name: str, pieces: Iterable[Buffer]) -> None:
        """Write an object below the address, over what is there. An upload that fails leaves what was there.

        Raises:
            NotFound, Refused, Unavailable: as `fetched`.
        """
        key = "/".join(part for part in (self._place.key.strip("/"), name.strip("/")) if part)
        place = _Place(f"{self._place.url.rstrip('/')}/{name.strip('/')}", self._place.store, key)
        with place.explained():
            obstore.put(place.store, key, (bytes(piece) for piece in pieces), use_multipart=True)


def shown(url: str) -> str:
    """The address as it may stand in a message: without user, password, query and fragment."""
    parts = urlsplit(url)
    return one_line(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


@dataclass(frozen=True, slots=True)
class _Place:
    """A key, or the beginning of keys, in a bucket."""

    url: str
    store: Client
    key: str

    @classmethod
    def of(cls, url: str) -> "_Place":
        parts = _split(url)
        if parts.scheme not in _BUCKETS:
            text = (
                f"{shown(url)} is of no use here; files can be fetched from http://, https://, s3://, gs:// and az://"
            )
            raise Unsupported(ErrorKind.UNSUPPORTED, text)
        if not parts.netloc:
            text = f"{shown(url)} names no bucket; write {parts.scheme}://bucket/key"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text)
        # A key is the rest as it stands: an object store knows no query.
        key = url.split("://", 1)[1].partition("/")[2]
        container = parts.netloc.partition("@")[0]
        try:
            return cls(url, bucket_client(_BUCKETS[parts.scheme], container, PATIENT, retries=_RETRIES), key)
        except (BaseError, ValueError) as error:
            text = f"{shown(url)} cannot be used ({first_line(error)}); set the variables of its provider"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, text) from error

    def read(self) -> Iterator[bytes]:
        """The object's bytes."""
        with self.explained():
            for piece in obstore.get(self.store, self.key).stream(min_chunk_size=_PIECE_BYTES):
                yield bytes(piece)

    def begun(self) -> Iterator[Buffer]:
        """The object's bytes, the first of them at hand."""
        pieces = self.read()
        return chain([next(pieces, b"")], pieces)

    def below(self) -> Iterator[tuple[str, "_Place"]]:
        """The objects below this key, with the rest of their keys."""
        base = self.key.rstrip("/")
        itself = _Place(self.url.rstrip("/"), self.store, base)
        if base and itself.is_there():
            yield "", itself
        for page in self._pages(base):
            for each in page:
                key = str(each["path"])
                rest = key[len(base) :] if base else "/" + key
                place = _Place(f"{self.url.rstrip('/')}{rest}", self.store, key)
                if rest.startswith("/") and (each["size"] or place.is_there()):
                    yield rest.strip("/"), place

    def is_there(self) -> bool:
        """Whether there is an object of this key: tools mark folders by empty ones whose keys end in a slash.

        The library lists those without the slash.
        """
        with self.explained():
            try:
                obstore.head(self.store, self.key)
            except (NotFoundError, FileNotFoundError):
                return False
        return True

    def _pages(self, base: str) -> Iterator[Any]:
        with self.explained():
            yield from obstore.list(self.store, prefix=base or None, chunk_size=_LIST_PAGE)

    def explained(self) -> "_Explained":
        return _Explained(self.url)


class _Explained:
    """Turns the library's errors in a block into ours, which name the address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, NotFoundError | FileNotFoundError):
            raise _failed(self._url, "status 404, it is not there", 404) from error
        if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError):
            raise _failed(self._url, f"status 403, {first_line(error)}", 403) from error
        if isinstance(error, BaseError | OSError):
            raise _failed(self._url, first_line(error), 503) from error


def _from_web(url: str) -> Iterator[bytes]:
    request = urllib.request.Request(url, headers={"User-Agent": "howdah", "Accept-Encoding": "identity"})
    try:
        with _WEB_OPENER.open(request, timeout=_SECONDS) as answer:
            expected = answer.headers.get("Content-Length")
            total = 0
            while piece := answer.read(_PIECE_BYTES):
                total += len(piece)
                yield piece
    except urllib.error.HTTPError as error:
        error.close()
        raise _failed(url, f"status {error.code} ({one_line(str(error.reason)).lower()})", error.code) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise _failed(url, one_line(str(reason)).lower() or type(error).__name__.lower(), 503) from error
    if expected is not None and expected.isdigit() and int(expected) != total:
        raise _failed(url, f"it ended after {total} of {expected} bytes", 503)


def _opener() -> urllib.request.OpenerDirector:
    """Opens addresses of the web, and follows redirections to such alone: never to a file of this machine."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


_WEB_OPENER: Final = _opener()


def _split(url: str) -> Any:
    try:
        return urlsplit(url)
    except ValueError as error:
        text = f"address ({one_line(url.partition('?')[0])}) cannot be read; write scheme://host/path"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, text) from error


def _failed(url: str, why: str, status: int) -> HowdahError:
    text = f"{shown(url)} failed: {why}"
    if status in (404, 410):
        return NotFound(ErrorKind.URL_NOT_FOUND, f"{text}; check the address")
    if 300 <= status < 500 and status not in (408, 429):
        return Refused(ErrorKind.URL_REFUSED, f"{text}; check the address and the server's right to it")
    return Unavailable(ErrorKind.URL_FAILED, f"{text}; try again when it answers")
