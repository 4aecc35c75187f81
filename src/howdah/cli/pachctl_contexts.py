# SPDX-License-Identifier: Apache-2.0
"""Contexts of `pachctl`, read from its file. Sign-in tokens and certificates are not taken over."""

import json
import os
from pathlib import Path
from typing import Any

from howdah.client.address import parse_address
from howdah.client.contexts import Context
from howdah.errors import BadRequest, ErrorKind, NotFound

__all__ = ["pachctl_contexts", "pachctl_path"]


def pachctl_path() -> Path:
    """Where `pachctl` keeps its contexts: `$PACH_CONFIG`, else below the home directory."""
    named = os.environ.get("PACH_CONFIG")
    return Path(named) if named else Path.home() / ".pachyderm" / "config.json"


def pachctl_contexts(path: Path) -> tuple[str, dict[str, Context]]:
    """The name of the current context, and all that have an address.

    Raises:
        NotFound: CONTEXT_NOT_FOUND: there is no such file, or it cannot be read.
        BadRequest: BAD_ARGUMENT: it is not a configuration of pachctl, or an address in it is not one.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        text = f"configuration {path} of pachctl cannot be read ({reason}); name the file"
        raise NotFound(ErrorKind.CONTEXT_NOT_FOUND, text) from error
    except ValueError as error:
        raise _strange(path) from error
    found = tree.get("v2") if isinstance(tree, dict) else None
    contexts = found.get("contexts") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(contexts, dict):
        raise _strange(path)
    read = {name: _context(path, each) for name, each in contexts.items()}
    return str(found.get("active_context") or ""), {name: each for name, each in read.items() if each.address}


def _context(path: Path, tree: Any) -> Context:
    if not isinstance(tree, dict):
        raise _strange(path)
    address, project, transaction = (
        str(tree.get(key) or "") for key in ("pachd_address", "project", "active_transaction")
    )
    return Context(address, project, transaction, str(parse_address(address)) if address and transaction else "")


def _strange(path: Path) -> BadRequest:
    text = f"configuration {path} is not one of pachctl, or damaged; name another file"
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)
