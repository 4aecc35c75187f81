# SPDX-License-Identifier: Apache-2.0
"""Which datum a local run is about, and a claim of it like that of a worker, but for where bytes come from.

The protocol tells files of a datum and not of which inputs they are; that is found again by their repos and patterns.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from howdah.errors import BadRequest, ErrorKind, NotFound
from howdah.model.globs import Glob
from howdah.model.names import DEFAULT_BRANCH
from howdah.model.refs import Pipeline
from howdah.model.spec import PfsInput, PipelineSpec, parse_spec, pfs_inputs
from howdah.worker.values import Claim, ClaimInput, ClaimSecret, Datum, Match

if TYPE_CHECKING:
    from howdah.client import Client, DatumInfo, InputFile, JobInfo, PipelineInfo

__all__ = ["Found", "claim_of", "effective", "find_datum", "named_inputs", "version_of"]

_ID_DIGITS: Final = 32


class Found(NamedTuple):
    """A datum, a job that has it, and how many datums more would have fitted what was asked for."""

    job: "JobInfo"
    datum: "DatumInfo"
    others: int = 0


def find_datum(client: "Client", pipeline: Pipeline, job_id: str, datum: str, file: str) -> Found:
    """The datum of that id, or of which that is the beginning; or the first one that reads a file, `repo:/path`.

    Of the job that is named, else of the newest that has it.

    Raises:
        NotFound: DATUM_NOT_FOUND; or the pipeline or job.
        BadRequest: several datums have such an id.
    """
    jobs = [client.inspect_job(f"{pipeline}@{job_id}")] if job_id else client.list_jobs(pipeline)
    for job in jobs:
        found = _by_file(client, job, file) if file else _by_id(client, job, datum)
        if found is not None:
            return found
    what = f"reads {file}" if file else f"has the id {datum}"
    where = f"job {pipeline}@{job_id}" if job_id else f"the jobs of pipeline {pipeline}"
    way_out = f"see: howdah list datum {pipeline}@{job_id or 'JOB'}"
    raise NotFound(ErrorKind.DATUM_NOT_FOUND, f"no datum of {where} {what}; {way_out}")


def version_of(client: "Client", job: "JobInfo") -> "PipelineInfo":
    """The pipeline as it was at the version that a job ran.

    Raises:
        NotFound: PIPELINE_NOT_FOUND: that version is not kept any more.
    """
    pipeline = job.job.pipeline
    for info in client.list_pipelines(
        projects=[pipeline.project], history=-1, jq=f'.pipeline.name == "{pipeline.name}"'
    ):
        if info.pipeline == pipeline and info.version == job.pipeline_version:
            return info
    text = f"version {job.pipeline_version} of pipeline {pipeline}, which job {job.job} ran, is not kept any more"
    raise NotFound(ErrorKind.PIPELINE_NOT_FOUND, f"{text}; choose a newer job, or give a spec: -f")


def named_inputs(spec: PipelineSpec, files: "tuple[InputFile, ...]") -> list[tuple[str, "InputFile"]]:
    """Each file of a datum with the name of its input.

    Where several inputs read the same repo by patterns that a file matches, they take turns: a cross of a repo with
    itself has one file of each.

    Raises:
        BadRequest: a file is of no input of this spec.
    """
    nodes = sorted(pfs_inputs(spec.input), key=lambda node: node.name)
    taken = dict.fromkeys((node.name for node in nodes), 0)
    named = []
    for file in files:
        fitting = [node for node in nodes if file.name == node.name or (not file.name and _fits(node, file))]
        if not fitting:
            text = f"datum file {file.file} is of no input of the spec"
            raise BadRequest(ErrorKind.BAD_SPEC, f"{text}; give one that reads the same repos")
        name = min(fitting, key=lambda node: taken[node.name]).name
        taken[name] += 1
        named.append((name, file))
    return named


def claim_of(
    found: Found, info: "PipelineInfo", spec: PipelineSpec, secrets: tuple[ClaimSecret, ...]
) -> tuple[Claim, Datum, list[tuple[str, "InputFile"]]]:
    """A datum as a worker would be given it, and its files with the names of their inputs.

    Raises:
        BadRequest: as `named_inputs`.
    """
    job, named = found.job, named_inputs(spec, found.datum.inputs)
    inputs = {name: ClaimInput(name, file.file.commit.id, DEFAULT_BRANCH, b"") for name, file in named}
    claim = Claim(
        set_id=0,
        fence=0,
        lifetime=0.0,
        job=job.job,
        pipeline_version=job.pipeline_version,
        spec=replace(spec, datum_tries=1),
        output_commit_id=job.output_commit.id if job.output_commit is not None else job.job.id,
        inputs=inputs,
        todo_root=b"",
        first=0,
        count=1,
        spec_commit_id=info.spec_commit.id if info.spec_commit is not None else "",
        worker_id="local",
        secrets=secrets,
    )
    matches = tuple(Match(name, file.file.path) for name, file in named)
    return claim, Datum(found.datum.id, matches), named


def effective(info: "PipelineInfo") -> PipelineSpec:
    """The spec of a version as it is worked by."""
    return parse_spec(info.spec)


def _by_id(client: "Client", job: "JobInfo", wanted: str) -> Found | None:
    try:
        return Found(job, client.inspect_datum(job.job, wanted))
    except NotFound:
        if len(wanted) >= _ID_DIGITS:
            return None
    fitting = [each for each in client.list_datums(job.job) if each.id.startswith(wanted)]
    if len(fitting) > 1:
        text = f"{len(fitting)} datums of job {job.job} have ids that begin with {wanted}"
        raise BadRequest(ErrorKind.BAD_ARGUMENT, f"{text}; give more of it, such as {fitting[0].id}")
    return Found(job, fitting[0]) if fitting else None


def _by_file(client: "Client", job: "JobInfo", file: str) -> Found | None:
    repo, _, path = file.partition(":")
    fitting = [each for each in client.list_datums(job.job) if any(_is_at(one, repo, path) for one in each.inputs)]
    return Found(job, fitting[0], len(fitting) - 1) if fitting else None


def _is_at(file: "InputFile", repo: str, path: str) -> bool:
    """Whether a file of a datum is that path of that repo, or a directory that has it."""
    of = file.file.commit.repo
    if repo not in (of.name, f"{of.project}/{of.name}"):
        return False
    here = file.file.path
    return path.rstrip("/") == here.rstrip("/") or (here.endswith("/") and path.startswith(here))


def _fits(node: PfsInput, file: "InputFile") -> bool:
    of = file.file.commit.repo
    if (node.project, node.repo) != (of.project, of.name) or (node.repo_type or "user") != of.type:
        return False
    path = file.file.path
    return Glob.parse(node.glob).matches(path if path == "/" else path.rstrip("/"))
