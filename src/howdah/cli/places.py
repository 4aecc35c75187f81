# SPDX-License-Identifier: Apache-2.0
"""Where a command works, and who said so: the command line, the environment, the current context, or nobody."""

import os
from dataclasses import dataclass

from howdah.client import contexts
from howdah.client.address import DEFAULT_ADDRESS, parse_address
from howdah.errors import BadRequest, ErrorKind
from howdah.model.names import DEFAULT_PROJECT

__all__ = ["Place", "current_transaction", "keep_transaction", "leave_transaction", "place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A server, a project of it, and the open transaction that changes go into, "" for none.

    `address_from` and `project_from` say where the two were found.
    """

    address: str
    project: str
    transaction: str
    context: str
    address_from: str
    project_from: str


def place(address: str | None, project: str | None) -> Place:
    """What holds for a command with these options; a transaction is of one server and is passed over for another.

    Raises:
        BadRequest: the address is not one; or as `contexts.load`.
    """
    config = contexts.load()
    context, named = config.context, f"context {config.current}"
    found, address_from = _first(
        (address, "--address"), (os.environ.get("HOWDAH_ADDRESS"), "$HOWDAH_ADDRESS"), (context.address, named)
    )
    address = str(parse_address(found or DEFAULT_ADDRESS))
    project, project_from = _first(
        (project, "--project"), (os.environ.get("HOWDAH_PROJECT"), "$HOWDAH_PROJECT"), (context.project, named)
    )
    transaction = context.transaction if context.transaction_address == address else ""
    return Place(address, project or DEFAULT_PROJECT, transaction, config.current, address_from, project_from)


def keep_transaction(id: str, address: str) -> None:
    """Let changes go into this transaction from now on. Raises as `contexts.save`."""
    contexts.save(contexts.load().with_transaction(id, address))


def leave_transaction(id: str) -> None:
    """Let changes happen at once again, if they went into this transaction. Raises as `contexts.save`."""
    config = contexts.load()
    if config.context.transaction == id:
        contexts.save(config.with_transaction("", ""))


def current_transaction(at: Place, given: str | None) -> str:
    """The transaction that is named, else the one that changes go into.

    Raises:
        BadRequest: BAD_ARGUMENT: there is neither.
    """
    if id := given or at.transaction:
        return id
    text = f"no transaction is named, and none is current at {at.address}; name one, or see: howdah list transaction"
    raise BadRequest(ErrorKind.BAD_ARGUMENT, text)


def _first(*values: tuple[str | None, str]) -> tuple[str, str]:
    """The first that is there, and who said so."""
    return next(((value, where) for value, where in values if value), ("", "default"))
