# SPDX-License-Identifier: Apache-2.0
"""Write a page for each command of `howdah` from its own help: `python docs/commands/generate.py`.

`tests/cli/test_pages.py` fails when a page is not what this writes.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from howdah.cli.base import ADDRESS, JSON, PROJECT, QUIET
from howdah.cli.main import COMMANDS, cli

FOLDER = Path(__file__).resolve().parent
SHARED = {"address", "project", "output", "quiet"}


def commands() -> Iterator[tuple[str, ...]]:
    """The words of each command."""
    for verb, (_, nouns) in COMMANDS.items():
        yield from ((verb, *noun.split()) for noun in nouns or ("",))


def find(words: tuple[str, ...]) -> click.Command:
    """The command of these words."""
    found: click.Command = cli
    for word in words:
        assert isinstance(found, click.Group)
        child = found.get_command(click.Context(found), word)
        assert child is not None
        found = child
    return found


def page(words: tuple[str, ...]) -> str:
    """The page of a command."""
    command = find(words)
    title = " ".join(("howdah", *words))
    arguments = [p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)]
    usage = " ".join([title, "[OPTIONS]", *arguments])
    own = [p for p in command.params if isinstance(p, click.Option) and not is_shared(p)]
    lines = [f"# {title}", "", paragraphs(command.help or ""), "", "```sh"]
    lines += [*getattr(command, "examples", ()), "```", "", f"Usage: `{usage}`", ""]
    if own:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| `{spelled(option)}` | {cell(option.help or '')} |" for option in own]
        lines += [""]
    lines += [
        f"Options of all commands ({shared(command)}) and exit codes are in [the command line](../cli.md).",
    ]
    return "\n".join(lines) + "\n"


def paragraphs(text: str) -> str:
    """A help text with each paragraph on one line."""
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").strip().split("\n\n"))


def spelled(option: click.Option) -> str:
    """How an option is written."""
    value = "" if option.is_flag else f" {option.make_metavar(click.Context(cli))}"
    return ", ".join(option.opts) + cell(value)


def cell(text: str) -> str:
    """Text for a table."""
    return text.replace("|", "\\|")


def is_shared(option: click.Option) -> bool:
    """Whether it is one that all commands have."""
    return option.name in SHARED and tuple(option.opts) in (ADDRESS, PROJECT, QUIET, JSON)


def shared(command: click.Command) -> str:
    """The shared options that a command takes."""
    return ", ".join(f"`{p.opts[-1]}`" for p in command.params if isinstance(p, click.Option) and is_shared(p))


def index() -> str:
    """The list of all pages."""
    lines = ["# Commands", "", "| command | what it does |", "|---|---|"]
    for words in commands():
        first = cell(paragraphs(find(words).help or "").split("\n")[0])
        lines.append(f"| [`{' '.join(words)}`]({'-'.join(words)}.md) | {first} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """All files of this folder that are made."""
    return {"README.md": index()} | {f"{'-'.join(words)}.md": page(words) for words in commands()}


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
