# SPDX-License-Identifier: Apache-2.0
"""The way in: find the module of a command, run it, turn whatever it raises into a line and an exit code."""

import contextlib
import difflib
import gc
import importlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

import click

from howdah import __version__
from howdah.cli import exits
from howdah.cli.base import shared_options
from howdah.cli.session import Session
from howdah.errors import HowdahError

__all__ = ["COMMANDS", "cli", "main", "run"]

COMMANDS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "create": (
        "Make something.",
        ("project", "repo", "branch", "commit", "pipeline", "defaults", "retention", "secret"),
    ),
    "list": (
        "Show many.",
        (
            "project",
            "repo",
            "branch",
            "commit",
            "file",
            "pipeline",
            "job",
            "datum",
            "transaction",
            "retention",
            "secret",
        ),
    ),
    "inspect": (
        "Show one.",
        (
            "project",
            "repo",
            "branch",
            "commit",
            "file",
            "pipeline",
            "defaults",
            "job",
            "datum",
            "transaction",
            "retention",
            "secret",
        ),
    ),
    "update": ("Change something.", ("project", "repo", "branch", "commit", "pipeline", "defaults", "retention")),
    "delete": (
        "Remove something.",
        (
            "project",
            "repo",
            "branch",
            "commit",
            "file",
            "pipeline",
            "defaults",
            "job",
            "transaction",
            "retention",
            "secret",
            "all",
        ),
    ),
    "apply": ("Do now what the server does by itself.", ("retention",)),
    "squash": ("Take commits out of history and keep their data.", ("commit",)),
    "drop": ("Take commits out of history with their data.", ("commit",)),
    "start": ("Open a commit or a transaction, or let a pipeline work again.", ("commit", "pipeline", "transaction")),
    "finish": ("Close a commit, or make the changes of a transaction.", ("commit", "transaction")),
    "resume": ("Go on with a transaction.", ("transaction",)),
    "forget": ("Give up the files of a commit, and keep the commit.", ("commit",)),
    "clear": ("Begin an open commit anew.", ("commit",)),
    "wait": ("Wait until a commit or job is done.", ("commit", "job")),
    "subscribe": ("See things as they come.", ("commit", "job")),
    "run": ("Do now what a clock does, or here what a worker does.", ("cron", "local")),
    "image": ("Carry images to where there is no network.", ("save", "load")),
    "rerun": ("Do again what was done.", ("pipeline",)),
    "restart": ("Let what runs begin again.", ("datum",)),
    "check": ("See what somebody should look at.", ("status",)),
    "put": ("Write files into a commit.", ("file",)),
    "get": ("Read files of a commit.", ("file",)),
    "copy": ("Copy files within the lake, by reference.", ("file",)),
    "glob": ("Find files by a pattern.", ("file",)),
    "diff": ("Compare files of two commits.", ("file",)),
    "find": ("Search the history of a repo.", ("commit",)),
    "edit": ("Change a spec in an editor, or what is kept beside the data.", ("pipeline", "metadata")),
    "validate": ("Check without making anything.", ("pipeline",)),
    "draw": ("Draw what depends on what.", ()),
    "stop": ("End a job, let a pipeline rest, or leave a transaction.", ("pipeline", "job", "transaction")),
    "logs": ("Show what user code and workers printed.", ()),
    "gc": ("Give back the space of what nothing needs any more.", ()),
    "du": ("Show what things hold, and what deleting them would give back.", ()),
    "fsck": ("Check metadata and prove stored bytes.", ()),
    "rotate": ("Replace a key by a new one.", ("secrets-key",)),
    "store": ("Look after where objects lie.", ("probe",)),
    "server": ("Serve a lake.", ()),
    "config": (
        "Keep the addresses of servers under names.",
        ("show", "list context", "get context", "set context", "use context", "delete context", "import-pachctl"),
    ),
    "version": ("Show the versions of this program and of the server.", ()),
    "completion": ("Print a script that completes commands in a shell.", ()),
}
"""Each verb: what it does, and its nouns; none for a command by itself. A noun of several words is as deep.

`list repo` is in `howdah.cli.list_repo`, `config get context` in `howdah.cli.config_get_context`.
"""


_HELP: Final = {"help_option_names": ["-h", "--help"]}
_LOCAL: Final = "--local"


class Lazy(click.Group):
    """A group that loads a command's module when the command is asked for. Commands are given by all their words."""

    def __init__(self, name: str, commands: Iterable[tuple[str, ...]], prefix: str, **more: Any) -> None:
        super().__init__(name, **more)
        # What may follow each word that may come next; () when the word ends a command.
        self._after: dict[str, list[tuple[str, ...]]] = {}
        for first, *rest in commands:
            self._after.setdefault(first, []).append(tuple(rest))
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click asks so
        """The words that may follow."""
        return list(self._after)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, loaded; None for another word."""
        if cmd_name not in self._after:
            return None
        name = self._prefix + cmd_name.replace("-", "_")
        if self._after[cmd_name] != [()]:
            nouns = ", ".join(" ".join(after) for after in self._after[cmd_name])
            text = f"What to {cmd_name}: {nouns}." if self._prefix else COMMANDS[cmd_name][0]
            more = {"help": text, "context_settings": _HELP, "subcommand_metavar": "NOUN …"}
            return Lazy(cmd_name, self._after[cmd_name], f"{name}_", **more)
        made: click.Command = getattr(importlib.import_module(f"howdah.cli.{name}"), name)
        return made

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click's, but `local` may stand anywhere as an option: `howdah run --local edges 4fc0e1`."""
        if _LOCAL in args and _LOCAL.removeprefix("--") in self._after:
            args = [_LOCAL.removeprefix("--"), *(word for word in args if word != _LOCAL)]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, but a reader that has gone ends the command by our code and not by click's."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _forget_stdout()
            raise click.exceptions.Exit(exits.PIPE_CLOSED) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but a word that is none is answered with the nearest that is."""
        word = args[0]
        if word not in self._after and not word.startswith("-"):
            near = difflib.get_close_matches(word, self._after, 1)
            hint = f"did you mean {near[0]}?" if near else "it can be " + ", ".join(self._after)
            ctx.fail(f"no such command: {' '.join([ctx.command_path, word])}; {hint}")
        return super().resolve_command(ctx, args)


def _remember(**values: Any) -> None:
    """Keep the shared options that were given before the verb."""
    given = {key: value for key, value in values.items() if value is not None}
    click.get_current_context().obj = Session(**given)


def _print_version(ctx: click.Context, _: click.Parameter, given: bool) -> None:
    if given and not ctx.resilient_parsing:
        click.echo(f"howdah {__version__}")
        ctx.exit()


_VERSION: Final = click.Option(
    ("--version",), is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Print the version."
)

cli: Final = Lazy(
    "howdah",
    [(verb, *noun.split()) for verb, (_, nouns) in COMMANDS.items() for noun in nouns or ("",)],
    "",
    help="A versioned data lake with data-driven pipelines. Try: howdah server, then howdah create repo images.",
    params=[*shared_options(), _VERSION],
    callback=_remember,
    context_settings=_HELP,
    subcommand_metavar="VERB NOUN …",
)


# New values after which the garbage collector looks for cycles; Python's own choice is 700. A put of 100,000 files
# makes as many that all stay alive, and looking at them again and again took a tenth of its time.
_VALUES_BETWEEN_COLLECTIONS: Final = 50_000


def main() -> NoReturn:
    """The `howdah` command."""
    gc.set_threshold(_VALUES_BETWEEN_COLLECTIONS, 20, 20)
    sys.exit(run())


def run(args: Sequence[str] | None = None) -> int:
    """Run a command line; its exit code. Errors go to stderr, on one line."""
    try:
        code = cli.main(args=args, prog_name="howdah", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else exits.OK
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(error.format_message() + "\n")
        return exits.USAGE
    except click.UsageError as error:
        return _say(f"{_lower(error.format_message())}{_hint(error)}", exits.USAGE)
    except click.ClickException as error:
        return _say(_lower(error.format_message()), exits.FAILURE)
    except HowdahError as error:
        return _say(error.message, exits.exit_code(error))
    except (KeyboardInterrupt, click.Abort):
        return exits.INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return exits.PIPE_CLOSED
    except UnicodeEncodeError as error:
        return _say(f"text {ascii(error.object)[:200]} is not UTF-8; write it in UTF-8", exits.USAGE)
    except OSError as error:
        return _say(f"{error.strerror or error}: {error.filename or 'the output'}".lower(), exits.FAILURE)


def _forget_stdout() -> None:
    """Whoever read our output has gone; without this Python would complain about it once more when it ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str, code: int) -> int:
    sys.stderr.write(f"howdah: {text}\n")
    return code


def _lower(text: str) -> str:
    """Click's sentence as one of ours."""
    text = " ".join(text.split()).rstrip(".").replace(". Choose from:", "; it can be")
    return text[:1].lower() + text[1:]


def _hint(error: click.UsageError) -> str:
    if error.ctx is None or (isinstance(error.ctx.command, click.Group) and ";" in error.message):
        return ""
    return f"; see {error.ctx.command_path} --help"
