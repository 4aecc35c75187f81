# SPDX-License-Identifier: Apache-2.0
"""Every command has a page: `howdah finish commit` is in docs/commands/finish-commit.md."""

import importlib
from collections.abc import Iterator
from importlib.util import find_spec

import click
import pytest

from tests.house.house import ROOT

PAGES = ROOT / "docs" / "commands"


def all_commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of each command that does something; hidden ones and bare groups are left out."""
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for word in command.list_commands(context):
        child = command.get_command(context, word)
        if child is not None and not child.hidden:
            yield from all_commands(child, (*path, word))


def the_commands() -> list[str]:
    if find_spec("howdah.cli") is None:
        return []
    main = importlib.import_module("howdah.cli.main")
    root = main.cli if hasattr(main, "cli") else main.main
    return ["-".join(path) for path in all_commands(root)]


@pytest.mark.parametrize("command", the_commands())
def test_every_command_is_documented(command):
    """A command without a page in docs/commands/ does not ship."""
    assert (PAGES / f"{command}.md").exists()


def test_every_page_belongs_to_a_command():
    """A page outlives no command; only the index stands for none."""
    pages = {path.stem for path in PAGES.glob("*.md")} - {"index", "README"}

    assert set() == pages - set(the_commands())


def test_commands_are_found_in_groups_of_groups():
    """The walk goes to any depth and skips what is hidden."""
    root, inner = click.Group(), click.Group("list")
    inner.add_command(click.Command("repo"))
    inner.add_command(click.Command("secret-thing", hidden=True))
    root.add_command(inner)
    root.add_command(click.Command("version"))

    assert [("list", "repo"), ("version",)] == list(all_commands(root))
