# SPDX-License-Identifier: Apache-2.0
"""From the URL of a bucket to a client of it: `s3://`, `gs://` and `az://`, with credentials from the environment.

The variables are those that every tool reads: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION,
AWS_ENDPOINT_URL and so on; GOOGLE_APPLICATION_CREDENTIALS; AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY. On a
machine of the provider its own identity serves. No credential stands in a URL. What is done with the client
is in `storage.remote_store`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from howdah.errors import BadRequest, ErrorKind
from howdah.storage.patience import Patience

__all__ = ["SCHEMES", "Bucket", "Client", "bucket_client", "first_line"]

Client = S3Store | GCSStore | AzureStore

SCHEMES: Final = ("s3", "gs", "az")

_PREFIX: Final = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z._-]*(/[0-9A-Za-z_-][0-9A-Za-z._-]*)*")
_OPTIONS: Final = frozenset({"endpoint", "region"})
_ENDPOINT_VARIABLES: Final = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": (),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket (Azure says container), and where in it a lake is; `prefix` is empty or ends in a slash."""

    scheme: str
    name: str
    prefix: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, url: str) -> "Bucket":
        """Read `s3://bucket/prefix`; for S3 `?endpoint=https://host&region=name` may follow.

        Raises:
            BadRequest: BAD_ARGUMENT: there is no bucket in it, or a prefix or an option that cannot be.
        """
        parts = urlsplit(url)
        prefix = parts.path.strip("/")
        options = tuple(sorted(parse_qsl(parts.query)))
        if not parts.netloc or "@" in parts.netloc or parts.fragment:
            raise _bad(url, f"write {parts.scheme}://bucket/prefix, with credentials in the environment")
        if prefix and not _PREFIX.fullmatch(prefix):
            raise _bad(url, "a prefix has ASCII letters, digits and ._- between its slashes, as in lakes/photos")
        if parts.query and (parts.scheme != "s3" or not _OPTIONS.issuperset(dict(options)) or not options):
            raise _bad(url, "only s3:// takes options: ?endpoint=https://host&region=name")
        return cls(parts.scheme, parts.netloc, f"{prefix}/" if prefix else "", options)

    @property
    def url(self) -> str:
        """The address that `parse` reads, always written the same way."""
        query = f"?{urlencode(self.options, safe=':/', quote_via=quote)}" if self.options else ""
        return f"{self.scheme}://{self.name}/{self.prefix}".rstrip("/") + query

    def client(self, patience: Patience, environment: Mapping[str, str] = os.environ) -> Client:
        """What talks to the bucket, without any request yet. It never repeats a call: `patience` is the caller's.

        Raises:
            BadRequest: BAD_ARGUMENT: the variables of the environment do not go together.
        """
        try:
            return bucket_client(self.scheme, self.name, patience, environment, options=dict(self.options))
        except (BaseError, ValueError) as error:
            raise _bad(self.url, f"{first_line(error)}; set the variables of your provider") from error


def bucket_client(
    scheme: str,
    name: str,
    patience: Patience,
    environment: Mapping[str, str] = os.environ,
    *,
    retries: int = 0,
    options: Mapping[str, str] = MappingProxyType({}),
) -> Client:
    """What talks to a bucket, without any request yet. `options` go before what the environment says.

    Raises:
        BaseError, ValueError: the library's own, when the variables of the environment do not go together.
    """
    found = (environment.get(each) for each in _ENDPOINT_VARIABLES[scheme])
    endpoint = options.get("endpoint") or next(filter(None, found), "")
    settings: dict[str, Any] = {
        "client_options": {
            "timeout": f"{patience.call_seconds * 1000:.0f}ms",
            "connect_timeout": f"{patience.connect_seconds * 1000:.0f}ms",
            # An address that says http means it; without one, only https.
            "allow_http": endpoint.startswith("http://"),
        },
        "retry_config": {"max_retries": retries},
    }
    if scheme == "s3":
        return S3Store(name, **{**settings, **options})
    return (GCSStore if scheme == "gs" else AzureStore)(name, **settings)


def first_line(error: BaseException) -> str:
    """What the library says, without the pages that it adds."""
    return " ".join(str(error).partition("\n")[0].partition(": <")[0].split())[:300]


def _bad(url: str, why: str) -> BadRequest:
    return BadRequest(ErrorKind.BAD_ARGUMENT, f"{url!r} cannot be used as a store; {why}")
