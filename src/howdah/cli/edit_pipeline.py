# SPDX-License-Identifier: Apache-2.0
"""`howdah edit pipeline PIPELINE`: change a pipeline's spec in an editor."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from howdah.cli.base import command
from howdah.cli.input_files import warning
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.client import PipelineInfo

__all__ = ["edit_pipeline"]

_EDITOR: Final = "vi"
_OF_A_REQUEST: Final = ("update", "reprocess", "dryRun", "dry_run")


@command(
    "pipeline",
    "howdah edit pipeline edges",
    "howdah edit pipeline edges -o json --editor 'code --wait'",
    output=False,
)
@click.argument("pipeline")
@click.option("-o", "--output", "form", type=click.Choice(["yaml", "json"]), default="yaml", help="How to write it.")
@click.option("--editor", metavar="COMMAND", help="The editor; else $VISUAL, else $EDITOR, else vi.")
@click.option("--reprocess", is_flag=True, help="Run also what had succeeded.")
def edit_pipeline(session: Session, pipeline: str, form: str, editor: str | None, reprocess: bool) -> None:
    """Open a pipeline's spec, as it was given, in an editor, and update the pipeline with what is saved.

    A spec that is refused is opened again; if nobody is there to mend it, it stays in a file that is named.
    """
    before = session.client.inspect_pipeline(pipeline)
    text = _written(before.user_spec or before.spec, form)
    path = _kept(text, form)
    with _KeptUnlessDone(path) as kept:
        while True:
            _edit(path, editor)
            edited = path.read_text()
            if edited == text and not reprocess:
                session.note(f"nothing was changed; pipeline {before.pipeline} stays at version {before.version}")
                break
            if _updated(session, before, edited, reprocess):
                break
        kept.is_done = True


class _KeptUnlessDone:
    """Removes a file when its work is done; else errors that pass by say where it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_done = False

    def __enter__(self) -> "_KeptUnlessDone":
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        from howdah.errors import HowdahError

        if self.is_done:
            self._path.unlink(missing_ok=True)
        elif isinstance(error, HowdahError):
            raise type(error)(error.kind, f"{error.message} (what you wrote is in {self._path})") from error
        elif isinstance(error, click.ClickException):
            raise click.ClickException(f"{error.message}; what you wrote is in {self._path}") from error
        else:
            sys.stderr.write(f"what you wrote is in {self._path}\n")


def _updated(session: Session, before: "PipelineInfo", edited: str, reprocess: bool) -> bool:
    """Whether the pipeline has the edited spec now; False if it is to be edited again."""
    from howdah.errors import HowdahError

    _check_version(session, before)
    try:
        _check_name(edited, before)
        session.client.create_pipeline(
            edited, update=True, reprocess=reprocess, warn=lambda text: session.note(warning(text))
        )
    except HowdahError as error:
        if not sys.stdin.isatty():
            raise
        session.line(f"{error.message}")
        click.confirm("Edit it again?", default=True, abort=True)
        return False
    after = session.client.inspect_pipeline(before.pipeline)
    what = "stays at" if after.version == before.version else "has"
    session.note(f"pipeline {after.pipeline} {what} version {after.version}")
    return True


def _check_version(session: Session, before: "PipelineInfo") -> None:
    """Refuse to take back what somebody else has changed meanwhile."""
    from howdah.errors import Conflict, ErrorKind

    now = session.client.inspect_pipeline(before.pipeline)
    if now.version != before.version:
        text = f"pipeline {now.pipeline} got version {now.version} while version {before.version} was edited"
        raise Conflict(ErrorKind.WRITE_CONFLICT, f"{text}; edit it again")


def _check_name(edited: str, before: "PipelineInfo") -> None:
    """Refuse another name, which would be another pipeline."""
    from howdah.errors import BadRequest, ErrorKind
    from howdah.model.spec import spec_tree

    named = spec_tree(edited).get("pipeline")
    name = named.get("name") if isinstance(named, dict) else None
    if name != before.pipeline.name:
        text = f"pipeline.name: a pipeline keeps its name; write {before.pipeline.name}, or use create pipeline"
        raise BadRequest(ErrorKind.BAD_SPEC, text)


def _written(spec: str, form: str) -> str:
    """The spec as it is edited: without what belongs to the request that brought it, such as `reprocess`."""
    from howdah.model.spec import spec_tree

    tree = {key: value for key, value in spec_tree(spec).items() if key not in _OF_A_REQUEST}
    if form == "json":
        return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
    import yaml

    text: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=120)
    return text


def _kept(text: str, form: str) -> Path:
    """A new file with the text, which only its user can read: specs may hold what others shall not see."""
    handle, name = tempfile.mkstemp(prefix="howdah-pipeline-", suffix=f".{form}")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return Path(name)


def _edit(path: Path, editor: str | None) -> None:
    command = editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or _EDITOR
    try:
        code = subprocess.call([*shlex.split(command), str(path)])
    except (OSError, ValueError) as error:
        raise click.ClickException(f"editor {command} cannot be started ({error}); name one: --editor") from error
    if code:
        raise click.ClickException(f"editor {command} ended with exit code {code}, so nothing was changed")
