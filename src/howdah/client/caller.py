# SPDX-License-Identifier: Apache-2.0
"""What all groups of calls share: the connection, and the project that names without one belong to."""

import os
from typing import TYPE_CHECKING

from howdah.client.address import DEFAULT_ADDRESS, parse_address
from howdah.client.channel import Wire
from howdah.client.contexts import NO_CONTEXT, load
from howdah.model.names import DEFAULT_PROJECT, project_name

if TYPE_CHECKING:
    from howdah.client.reach import Reached

__all__ = ["Caller"]


class Caller:
    """The base of `Client`; each group of calls is a class over it in a module of its own."""

    def __init__(
        self,
        address: str | None = None,
        *,
        project: str | None = None,
        direct: bool | None = None,
        transaction: str = "",
    ) -> None:
        """Name a server; it is asked nothing before the first call.

        Without an `address` it is `$HOWDAH_ADDRESS`, else that of the user's current context (`howdah config`), else
        127.0.0.1:30650. `project` is where names without a project are looked for: when left out, `$HOWDAH_PROJECT`,
        else that of the context if no address was given, else `default`. The transaction of a context is not taken.

        `direct` says whether bytes go to the object store without the server: None where that is possible, False
        never, True always (or the call fails). `transaction` is the id of an open one that all changes go into that
        can be part of one (see `Client.transaction`).

        Raises:
            BadRequest: the address or the project's name is not one; or as `client.contexts.load`.
        """
        address, project = _place(address, project)
        self.project: str = project_name(project)
        self._direct = direct
        # The lake's store, once it was found; see `howdah.client.files`.
        self._lake: Reached | None = None
        self._wire = Wire(parse_address(address), transaction)

    @property
    def address(self) -> str:
        """Where the server is."""
        return str(self._wire.address)


def _place(address: str | None, project: str | None) -> tuple[str, str]:
    """Where calls go, and in which project: as given, else as the environment says, else as the context has it."""
    context = NO_CONTEXT if address else load().context
    found = address or os.environ.get("HOWDAH_ADDRESS") or context.address or DEFAULT_ADDRESS
    return found, project or os.environ.get("HOWDAH_PROJECT") or context.project or DEFAULT_PROJECT
