# SPDX-License-Identifier: Apache-2.0
"""Whether a call was made by a web page of somebody else.

Who can call the API can run commands here, and a browser lets any page in the world send requests to this machine.
It says where the page is from, so such calls are known and refused. Programs say nothing of the kind.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers

__all__ = ["is_foreign"]


def is_foreign(headers: Headers) -> bool:
    """Whether a browser sent it for a page that did not come from this server.

    A page under a name of its own is foreign even if that name leads here: whoever owns a name can point it at
    this machine. Pages from here are under an address, or `localhost`.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    try:
        page, here = urlsplit(origin), urlsplit(f"//{headers.get('host', '')}")
        return page.netloc.lower() != here.netloc.lower() or not _is_address(here.hostname or "")
    except ValueError:
        return True


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
