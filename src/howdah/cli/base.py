# SPDX-License-Identifier: Apache-2.0
"""What commands are made with: the options that all of them share, and help that begins with an example.

@command("repo", "howdah create repo images")
@click.argument("repo")
def create_repo(session: Session, repo: str) -> None:
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import click

from howdah.cli.session import Session

__all__ = ["ADDRESS", "JSON", "PROJECT", "QUIET", "HelpfulCommand", "command"]

ADDRESS: Final = ("--address",)
PROJECT: Final = ("--project",)
QUIET: Final = ("-q", "--quiet")
JSON: Final = ("-o", "--output")

_HELP: Final = {"help_option_names": ["-h", "--help"]}


def shared_options(*, project: bool = True, output: bool = True) -> list[click.Option]:
    """Options of every command; `None` when one is not given, so that those before the verb count."""
    options = [
        click.Option(
            ADDRESS,
            metavar="HOST:PORT",
            help="Where the server is; else $HOWDAH_ADDRESS, else that of the context, else 127.0.0.1:30650.",
        ),
        click.Option(QUIET, is_flag=True, default=None, help="No progress and no notes on stderr."),
    ]
    if project:
        text = "The project of names without one; else $HOWDAH_PROJECT, else that of the context, else `default`."
        options.insert(0, click.Option(PROJECT, metavar="NAME", help=text))
    if output:
        choice = click.Choice(["table", "json"])
        options.insert(0, click.Option([*JSON], type=choice, help="How to print the answer; table unless given."))
    return options


class HelpfulCommand(click.Command):
    """A command whose help begins with examples, and which knows its shared options apart from its own."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.examples = tuple(examples)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, usage, what it does, options."""
        with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
        formatter.write_paragraph()
        super().format_help(ctx, formatter)


def command(
    name: str, *examples: str, project: bool = True, output: bool = True
) -> Callable[[Callable[..., Any]], HelpfulCommand]:
    """Make a command of a function, which is given a `Session` first and its own parameters by name."""

    def made(function: Callable[..., Any]) -> HelpfulCommand:
        params = list(reversed(getattr(function, "__click_params__", [])))
        doc = function.__doc__ or ""

        @functools.wraps(function)
        def run(**values: Any) -> Any:
            session = _session(values)
            try:
                return function(session, **values)
            finally:
                session.close()

        params += shared_options(project=project, output=output)
        return HelpfulCommand(name, callback=run, params=params, help=doc, context_settings=_HELP, examples=examples)

    return made


def _session(values: dict[str, Any]) -> Session:
    """The session of a call: what was given after the verb, else what was given before it."""
    before = click.get_current_context().find_root().obj or Session()
    given = {key: values.pop(key, None) for key in ("address", "project", "output", "quiet")}
    return replace(before, **{key: value for key, value in given.items() if value is not None})
