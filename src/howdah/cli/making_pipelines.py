# SPDX-License-Identifier: Apache-2.0
"""What `create pipeline` and `update pipeline` share: where specs come from, and what a dry run shows."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from howdah.cli.columns import pretty
from howdah.cli.input_files import tell_warnings, warning
from howdah.cli.names import specs, text_of
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import Transaction

__all__ = ["SPEC_HELP", "Spec", "difference", "from_sources", "given_specs", "make_pipelines"]

Spec = str | bytes | Mapping[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

SPEC_HELP: Final = "JSON or YAML: a file, an http(s) address, or - for standard input."
_OPTIONS: Final = (
    click.option("-f", "--file", "source", metavar="SPEC", help=SPEC_HELP),
    click.option("--jsonnet", metavar="TEMPLATE", help="A jsonnet template instead, from the same places."),
    click.option("--arg", "args", multiple=True, metavar="KEY=VALUE", help="An argument of the template; repeatable."),
)


def from_sources(function: F) -> F:
    """Give a command the options that `given_specs` reads."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def given_specs(session: Session, source: str | None, jsonnet: str | None, args: Sequence[str]) -> list[Spec]:
    """The specs that a command was given, in order.

    Raises:
        UsageError: none, or both ways at once.
        HowdahError: they cannot be read; BAD_SPEC: a template gives none.
    """
    if (source is None) == (jsonnet is None):
        raise click.UsageError("say where the spec is: -f SPEC, or --jsonnet TEMPLATE with --arg KEY=VALUE")
    if jsonnet is None:
        assert source is not None
        if args:
            raise click.UsageError("--arg is for templates; leave it out, or give --jsonnet TEMPLATE")
        return list(specs(source))
    rendered = session.client.render_template(text_of(jsonnet).decode(errors="replace"), dict(map(_arg, args)))
    found = json.loads(rendered)
    return found if isinstance(found, list) else [found]


def make_pipelines(
    session: Session, given: Sequence[Spec], *, update: bool, reprocess: bool, dry_run: bool, together: bool = False
) -> None:
    """Make or update a pipeline of each spec, each by itself or all `together`; a dry run shows what they would be."""
    if dry_run:
        for spec in given:
            show_dry_run(session, spec, update=update)
    elif together:
        with session.client.transaction() as transaction:
            _make_each(transaction, given, update=update, reprocess=reprocess)
    else:
        for spec in given:
            made = session.client.create_pipeline(
                spec, update=update, reprocess=reprocess, warn=lambda text: session.note(warning(text))
            )
            tell_warnings(session, made)


def show_dry_run(session: Session, spec: Spec, *, update: bool) -> None:
    """Print the effective spec; on stderr, how it differs from the one that there is."""
    from howdah.errors import NotFound
    from howdah.model.spec import parse_spec

    effective = session.client.create_pipeline(spec, update=update, dry_run=True)
    session.line(pretty(effective))
    if update:
        made = parse_spec(effective)
        name = f"{made.project}/{made.name}"
        try:
            before = session.client.inspect_pipeline(name)
        except NotFound:
            session.note(f"pipeline {name} would be made")
            return
        lines = list(difference(before.spec, effective, f"{name} version {before.version}", "the new spec"))
        for line in lines or [f"pipeline {name}: nothing would change"]:
            session.note(line)


def difference(old: str, new: str, old_name: str, new_name: str) -> Iterator[str]:
    """How one JSON text differs from another, as lines; none if they say the same."""
    import difflib

    before, after = pretty(old).splitlines(), pretty(new).splitlines()
    return difflib.unified_diff(before, after, old_name, new_name, lineterm="")


def _make_each(transaction: "Transaction", given: Sequence[Spec], *, update: bool, reprocess: bool) -> None:
    for spec in given:
        transaction.create_pipeline(spec, update=update, reprocess=reprocess)


def _arg(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"--arg takes KEY=VALUE; write --arg {text}=VALUE")
    return key, value
