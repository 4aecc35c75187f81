# SPDX-License-Identifier: Apache-2.0
"""`howdah run --local PIPELINE DATUM`: run one datum on this machine."""

import shlex
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from howdah.cli import exits
from howdah.cli.base import command
from howdah.cli.engines import ENGINE
from howdah.cli.names import specs
from howdah.cli.progress import Lines
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.cli.local_datum import Found
    from howdah.cli.local_run import Box, LocalRun
    from howdah.client import PipelineInfo
    from howdah.model.refs import Pipeline
    from howdah.model.spec import PipelineSpec

__all__ = ["run_local"]


@command(
    "local",
    "howdah run --local edges 4fc0e1",
    "howdah run --local edges --file images:/a.png -f edges.yaml --out result",
    "howdah run --local edges 4fc0e1 --image localhost/edges:next --cmd 'python3 -v edges.py'",
    "howdah run --local edges 4fc0e1 --shell",
)
@click.argument("pipeline")
@click.argument("datum", required=False, default="")
@click.option(
    "--file", "file", metavar="REPO:/PATH", default="", help="Instead of an id: a datum that reads this file."
)
@click.option("-j", "--job", metavar="ID", default="", help="Of this job. Default: the newest that has the datum.")
@click.option("-f", "--spec", "source", metavar="SPEC", help="Run by this spec and not by that of the job.")
@click.option("--cmd", metavar="COMMAND", help="Run this, with its words as a shell has them, and give it no stdin.")
@click.option("--image", metavar="IMAGE", help="Run in this image.")
@click.option(
    "--execution",
    type=click.Choice(["auto", "process", "container"]),
    default="auto",
    help="In a container or not; auto: as the pipeline runs, or in the image that is given.",
)
@click.option("--network", metavar="NAME", default="bridge", help="The network of a container; none: none at all.")
@click.option(
    "--secret", "secrets", multiple=True, metavar="NAME[/KEY]=FILE", help="The value of a secret; repeatable."
)
@click.option("--out", metavar="DIR", help="Leave the output in this new folder, and nothing else.")
@click.option("--shell", is_flag=True, help="Do not run the command: open a shell in its place.")
@ENGINE
def run_local(
    session: Session,
    pipeline: str,
    datum: str,
    file: str,
    job: str,
    source: str | None,
    cmd: str | None,
    image: str | None,
    execution: str,
    network: str,
    secrets: tuple[str, ...],
    out: str | None,
    shell: bool,
    engine: str | None,
) -> int:
    """Run one datum of a job on this machine, as a worker would, and commit nothing.

    Its files are fetched into a new folder; user code gets the same /pfs, variables, user and stdin as on the server,
    and runs as a process or in a container as there. What it prints goes to stderr as it comes; then follows how it
    ended and what it left in /pfs/out, which stays where it is or goes to --out. DATUM is an id or its beginning.

    It ends with 10 if a worker would have called the datum failed, and with --shell as the shell does. Secrets of the
    lake are for its workers alone: what user code shall have of them here is given by --secret.
    """
    if bool(datum) == bool(file):
        raise click.UsageError("say which datum: its id or the beginning of it, or a file that it reads by --file")
    from howdah.cli.local_datum import claim_of, find_datum, version_of
    from howdah.cli.local_run import Scratch, check_out, run_once, run_shell
    from howdah.cli.local_secrets import given_secrets, read_secrets
    from howdah.model.refs import parse_pipeline

    if out is not None:
        check_out(out)
    values = read_secrets(secrets)
    named = parse_pipeline(pipeline, session.client.project)
    found = find_datum(session.client, named, job.rpartition("@")[2], datum, file)
    if found.others:
        session.note(f"{found.others} datums more of job {found.job.job} read {file}; this is {found.datum.id}")
    info = version_of(session.client, found.job)
    spec = _changed(_spec(session, named, source, info), cmd, image)
    given, missing = given_secrets(spec, values)
    for name in missing:
        session.note(f"secret {name} is not there: a local run gets those of --secret {name}=FILE alone")
    with ExitStack() as stack:
        box = _box(session, stack, found, info.image, spec, Asked(image, execution, network, engine))
        for secret in given if shell and box.engine is not None else ():
            if secret.mount_path:
                session.note(f"nothing is mounted on {secret.mount_path}: a shell gets secrets as variables alone")
        claim, one, files = claim_of(found, info, spec, given)
        scratch = Scratch(replace(claim, image=box.image), one)
        try:
            if shell:
                code = run_shell(session.client, scratch, files, box, session.note)
                session.note(f"the output is in {scratch.keep(out)}")
                return code
            ran = run_once(session.client, found, scratch, files, box)
        except BaseException:
            scratch.remove()
            raise
        _show(session, replace(ran, folder=scratch.keep(out)))
    return exits.BAD_END if ran.reason else exits.OK


class Asked(NamedTuple):
    """What a command was told of where user code runs."""

    image: str | None
    execution: str
    network: str
    engine: str | None


def _spec(session: Session, pipeline: "Pipeline", source: str | None, info: "PipelineInfo") -> "PipelineSpec":
    """The effective spec: of the version that the job ran, or the one that the pipeline has in a file."""
    from howdah.errors import BadRequest, ErrorKind
    from howdah.model.spec import parse_spec, project_of, spec_tree

    if source is None:
        return parse_spec(info.spec)
    for spec in specs(source):
        tree: Any = spec_tree(spec)
        given = tree.get("pipeline")
        name = given.get("name") if isinstance(given, dict) else ""
        if (project_of(tree, session.client.project), name) == (pipeline.project, pipeline.name):
            return parse_spec(session.client.create_pipeline(spec, update=True, dry_run=True))
    text = f"{source} has no spec of pipeline {pipeline}; give the file that has it"
    raise BadRequest(ErrorKind.BAD_SPEC, text)


def _changed(spec: "PipelineSpec", cmd: str | None, image: str | None) -> "PipelineSpec":
    transform = spec.transform
    if image:
        transform = replace(transform, image=image)
    if cmd is not None:
        try:
            words = tuple(shlex.split(cmd))
        except ValueError as error:
            raise click.UsageError(f"--cmd {cmd!r} is not understood: {str(error).lower()}; mend its quotes") from None
        if not words:
            raise click.UsageError("--cmd has no words; name a program")
        transform = replace(transform, cmd=words, stdin=())
    return replace(spec, transform=transform)


def _box(session: Session, stack: ExitStack, found: "Found", was: str, spec: "PipelineSpec", asked: "Asked") -> "Box":
    """In what user code runs: as it is asked for, else as that version of the pipeline runs, whose image `was` that."""
    from howdah.cli.engines import engine_url, open_terminals
    from howdah.cli.local_run import Box
    from howdah.engine.address import silence
    from howdah.model.spec import DEFAULT_IMAGE

    image, execution = spec.transform.image, asked.execution
    if execution == "auto":
        how = session.client.inspect_job(found.job.job).execution
        if how is not None and not asked.image and image == was:
            execution, image = how.execution, how.digest or image
        elif asked.image or (image != DEFAULT_IMAGE and not silence(engine_url(asked.engine))):
            execution = "container"
    if execution != "container":
        return Box()
    engine = stack.enter_context(open_terminals(asked.engine))
    if engine.find(image) is None:
        session.note(f"pulling {image}")
        engine.pull(image, None, Lines(session.note, f"pulling {image}"))
    return Box(image, asked.network, engine)


def _show(session: Session, ran: "LocalRun") -> None:
    from datetime import timedelta

    from howdah.cli.output import Columns, print_table, size, span

    result: Columns = [
        ("datum", lambda r: r.datum),
        ("job", lambda r: r.job),
        ("ran as", lambda r: f"a container of {r.image}" if r.image else f"a process ({r.containment})"),
        ("result", lambda r: f"{r.reason}{', which its err_cmd dealt with' if r.recovered else ''}" or "success"),
        ("exit code", lambda r: "-" if r.exit_code is None else r.exit_code),
        ("took", lambda r: span(timedelta(seconds=r.seconds))),
        ("cpu", lambda r: span(timedelta(seconds=r.cpu_seconds))),
        ("memory", lambda r: size(r.memory_max_bytes)),
        ("downloaded", lambda r: size(r.download_bytes)),
        ("output in", lambda r: r.folder),
    ]
    session.show(ran, result)
    if not session.json and ran.outputs:
        import sys

        print_table(ran.outputs, [("PATH", lambda f: f.path), ("SIZE", lambda f: size(f.size_bytes))], sys.stdout)
