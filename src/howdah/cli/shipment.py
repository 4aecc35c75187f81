# SPDX-License-Identifier: Apache-2.0
"""The options about images that `create pipeline` and `update pipeline` share. What they do is in `shipping`."""

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from howdah.cli.engines import ENGINE
from howdah.cli.image_names import registry_prefix

if TYPE_CHECKING:
    from howdah.engine.images import Credentials

__all__ = ["Shipment", "ships"]

F = TypeVar("F", bound=Callable[..., Any])

_PASSWORD: Final = "HOWDAH_REGISTRY_PASSWORD"

_OPTIONS: Final = (
    click.option("--build", metavar="DIR", help="Build the image from this folder, which has a Dockerfile."),
    click.option("--push-images", is_flag=True, help="Push the images that the specs name from the engine here."),
    click.option(
        "--registry",
        metavar="HOST[:PORT]/PREFIX",
        help="Where images are pushed; else $HOWDAH_REGISTRY, else that of the context, else they stay on the engine.",
    ),
    click.option("--username", metavar="NAME", help="Who pushes; else whom `docker login` has let in."),
    click.option(
        "--password-stdin",
        is_flag=True,
        help=f"Read that user's password from standard input; else ${_PASSWORD}, else it is asked for.",
    ),
    ENGINE,
)


@dataclass(frozen=True, slots=True)
class Shipment:
    """What a command was told of images."""

    build: str | None = None
    push_images: bool = False
    registry: str | None = None
    username: str | None = None
    password_stdin: bool = False
    engine: str | None = None

    def refuse_idle(self) -> None:
        """
        Raises:
            UsageError: no image is asked for, and yet something is said about images.
        """
        given = {
            "--registry": self.registry,
            "--username": self.username,
            "--password-stdin": self.password_stdin,
            "--engine": self.engine,
        }
        idle = [option for option, value in given.items() if value]
        if idle:
            text = f"{idle[0]} is about images; give it with --build DIR or --push-images, or leave it out"
            raise click.UsageError(text)

    def prefix(self) -> str:
        """What names of pushed images begin with; empty if they are not pushed.

        Raises:
            BadRequest: that is no name of a registry.
        """
        from howdah.client import contexts

        registry = self.registry or os.environ.get("HOWDAH_REGISTRY") or contexts.load().context.registry
        return registry_prefix(registry, self.username or "") if registry else ""

    def credentials(self) -> "Credentials | None":
        """Who pushes, if the command was told; None leaves it to what `docker login` keeps.

        Raises:
            UsageError: a password without a user, or a user without a password.
        """
        from howdah.engine.images import Credentials

        if not self.username:
            if self.password_stdin:
                raise click.UsageError("--password-stdin is the password of somebody; give --username NAME too")
            return None
        return Credentials(self.username, _password(self.username, from_stdin=self.password_stdin))


def ships(function: F) -> F:
    """Give a command the options about images; it gets what they say as `shipment`."""

    @functools.wraps(function)
    def run(
        *args: Any,
        build: str | None,
        push_images: bool,
        registry: str | None,
        username: str | None,
        password_stdin: bool,
        engine: str | None,
        **more: Any,
    ) -> Any:
        shipment = Shipment(build, push_images, registry, username, password_stdin, engine)
        return function(*args, shipment=shipment, **more)

    for option in reversed(_OPTIONS):
        run = option(run)
    return cast("F", run)


def _password(username: str, *, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\n")
        if not password:
            raise click.UsageError("standard input has no password; write one line into it")
        return password
    if _PASSWORD in os.environ:
        return os.environ[_PASSWORD]
    if sys.stdin.isatty():
        return str(click.prompt(f"password of {username}", hide_input=True, err=True))
    raise click.UsageError(f"no password of {username}; give it by --password-stdin, or ${_PASSWORD}")
