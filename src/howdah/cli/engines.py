# SPDX-License-Identifier: Apache-2.0
"""The container engine of the machine that a command runs on: named by an option, or found."""

import os
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from howdah.engine.shipping import Shipping
    from howdah.engine.terminals import Terminals

__all__ = ["ENGINE", "engine_url", "open_shipping", "open_terminals"]

ENGINE: Final = click.option(
    "--engine",
    metavar="URL",
    help="The container engine; else $DOCKER_HOST, else Docker's socket, else Podman's, on this machine.",
)


def engine_url(given: str | None) -> str:
    """Where the engine is.

    Raises:
        BadRequest: BAD_ARGUMENT: the address is not understood.
    """
    from howdah.engine.address import choose

    return choose(given, os.environ)


def open_shipping(given: str | None) -> "Shipping":
    """The engine, for images.

    Raises:
        BadRequest: the address is not understood.
        Unavailable: no engine answers there.
    """
    from howdah.engine.shipping import Shipping

    return Shipping(engine_url(given))


def open_terminals(given: str | None) -> "Terminals":
    """The engine, for containers that are typed into. Raises as `open_shipping`."""
    from howdah.engine.terminals import Terminals

    return Terminals(engine_url(given))
