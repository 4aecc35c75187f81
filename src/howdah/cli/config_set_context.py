# SPDX-License-Identifier: Apache-2.0
"""`howdah config set context NAME`: make or change a context."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["config_set_context"]


@command("context", "howdah config set context work --address lake.example.org --project vision", output=False)
@click.argument("name")
@click.option("--registry", metavar="HOST[:PORT]/PREFIX", help="Where images of pipelines are pushed.")
def config_set_context(session: Session, name: str, registry: str | None) -> None:
    """Make a context of that name, or change one: what is given is kept in it, '' takes a value away.

    The first context that is made is the current one; `config use context` chooses another.
    """
    from dataclasses import replace

    from howdah.cli.image_names import registry_prefix
    from howdah.client.address import parse_address
    from howdah.client.contexts import NO_CONTEXT, load, save
    from howdah.model.names import project_name

    if session.address:
        parse_address(session.address)
    if session.project:
        project_name(session.project)
    if registry:
        registry = registry_prefix(registry)
    config = load()
    context = config.contexts.get(name, NO_CONTEXT)
    if session.address is not None:
        context = replace(context, address=session.address)
    if session.project is not None:
        context = replace(context, project=session.project)
    if registry is not None:
        context = replace(context, registry=registry)
    save(config.with_context(name, context))
