# SPDX-License-Identifier: Apache-2.0
"""`howdah completion SHELL`: a script that completes howdah's commands and options in a shell."""

import click

from howdah.cli.base import command
from howdah.cli.session import Session

__all__ = ["completion"]


@command(
    "completion",
    "source <(howdah completion bash)",
    "howdah completion fish > ~/.config/fish/completions/howdah.fish",
    project=False,
    output=False,
)
@click.argument("shell", metavar="bash|zsh|fish", type=click.Choice(["bash", "zsh", "fish"]))
def completion(session: Session, shell: str) -> None:
    """Print a script that completes commands and options in a shell; let the shell's start-up file read it."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    root = click.get_current_context().find_root().command
    session.line(made(root, {}, "howdah", "_HOWDAH_COMPLETE").source())
