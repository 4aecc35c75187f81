# SPDX-License-Identifier: Apache-2.0
"""Fill a spec's defaults in, refuse what makes no sense, and what this version cannot do.

`with_defaults` and `check` are about every spec, whatever can be run; `require_supported` is about this
version: a field that would silently give other results here than where the spec comes from is refused by
name. Whether repos exist is asked in `pps`.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from howdah.errors import BadRequest, ErrorKind, Unsupported
from howdah.model import names
from howdah.model.globs import Glob
from howdah.model.paths import clean
from howdah.model.schedules import parse_schedule
from howdah.model.spec.codec import bad_spec
from howdah.model.spec.inputs import (
    CronInput,
    CrossInput,
    GroupInput,
    Input,
    JoinInput,
    PfsInput,
    UnionInput,
    input_name,
    walk_inputs,
)
from howdah.model.spec.pfs_rules import check_shared_names, checked_pfs, with_source
from howdah.model.spec.secrets import check_secrets
from howdah.model.spec.values import ParallelismSpec, PipelineField, PipelineSpec, ProjectField
from howdah.model.texts import one_line
from howdah.model.units import parse_size

__all__ = ["DATUM_TRIES", "DEFAULT_IMAGE", "check", "input_with_defaults", "require_supported", "with_defaults"]

DEFAULT_IMAGE: Final = "ubuntu:20.04"
DATUM_TRIES: Final = 3
_UNTIL_SUCCESS: Final = "until_success"
_REPROCESS: Final = (_UNTIL_SUCCESS, "every_job")
_ON_CODE_CHANGE: Final = ("", "keep", "rerun")
_RESERVED_INPUTS: Final = ("out", ".env")  # both stand in /pfs


def with_defaults(spec: PipelineSpec, project: str) -> PipelineSpec:
    """The effective spec: all defaults filled in, patterns cleaned, inputs sorted by name. Twice is once.

    Raises:
        BadRequest: a bad name (BAD_NAME), pattern or input (BAD_SPEC).
    """
    project = names.project_name(spec.project or project)
    if not spec.name:
        raise bad_spec("pipeline.name", "missing; give the pipeline a name")
    name = names.pipeline_name(spec.name, project)
    return dataclasses.replace(
        spec,
        pipeline=PipelineField(ProjectField(project), name),
        transform=dataclasses.replace(spec.transform, image=spec.transform.image or DEFAULT_IMAGE),
        input=None if spec.input is None else input_with_defaults(spec.input, project, name),
        output_branch=_named("outputBranch", names.branch_name, spec.output_branch or names.DEFAULT_BRANCH),
        parallelism_spec=ParallelismSpec(spec.parallelism_spec.constant or 1),
        datum_tries=spec.datum_tries or DATUM_TRIES,
        reprocess_spec=spec.reprocess_spec or _UNTIL_SUCCESS,
        datum_timeout=spec.datum_timeout or None,
        job_timeout=spec.job_timeout or None,
        maximum_expected_uptime=spec.maximum_expected_uptime or None,
    )


def input_with_defaults(root: Input, project: str, pipeline: str) -> Input:
    """An input with all defaults filled in and its members sorted by name; checked by itself.

    Raises:
        BadRequest: BAD_SPEC or BAD_NAME.
    """
    triggered = [node for node in walk_inputs(root) if isinstance(node, PfsInput) and node.trigger is not None]
    branches = {id(node): f"{pipeline}-trigger-{n}" for n, node in enumerate(triggered, 1)}
    filled = _filled(root, "input", project, pipeline, branches)
    _folder_names(filled, "input")
    check_shared_names(filled, "input")
    return filled


def check(spec: PipelineSpec) -> None:
    """Refuse an effective spec that makes no sense anywhere.

    Raises:
        BadRequest: BAD_SPEC, naming the field.
    """
    if not spec.transform.cmd and spec.tf_job is None:
        raise bad_spec("", "nothing to run: no transform.cmd; give the command as a list of texts")
    if spec.transform.err_cmd and not spec.transform.err_cmd[0]:
        raise bad_spec("transform.errCmd[0]", "the command is empty; name what to run, or leave errCmd out")
    if spec.transform.cmd and not spec.transform.cmd[0]:
        raise bad_spec("transform.cmd[0]", "the command is empty; name what to run")
    if spec.input is None and spec.spout is None:
        raise bad_spec("input", "missing; name the repo and the glob that the pipeline reads")
    if spec.input is not None and spec.spout is not None and spec.spout.service is None:
        raise bad_spec("spout", "a spout reads no input; leave one of input and spout out")
    if spec.spout is not None and spec.autoscaling:
        raise bad_spec("autoscaling", "a spout runs for ever; leave autoscaling out")
    if spec.service is not None and spec.parallelism != 1:
        raise bad_spec("parallelismSpec.constant", "a service has one worker; use 1")
    if spec.reprocess_spec not in _REPROCESS:
        raise bad_spec("reprocessSpec", f"{one_line(spec.reprocess_spec)} is unknown; use {' or '.join(_REPROCESS)}")
    if spec.on_code_change not in _ON_CODE_CHANGE:
        way_out = "use keep or rerun"
        raise bad_spec("onCodeChange", f"{one_line(spec.on_code_change)} is unknown; {way_out}")
    _check_transform(spec)
    check_secrets(spec)
    _check_numbers(spec)
    _check_cluster(spec)


def require_supported(spec: PipelineSpec) -> None:
    """Refuse an effective spec that this version would run otherwise than it says.

    Raises:
        Unsupported: naming the first such field.
    """
    _refuse_first(
        (spec.tf_job is not None, "tfJob", "embedding TFJobs in pipelines is not supported yet; run it by a command"),
        (spec.spout is not None, "spout", "write commits from a process of your own"),
        (spec.service is not None, "service", "run the service beside howdah and let it read the branch"),
        (spec.egress is not None, "egress", "copy the output branch out with get file"),
        (spec.s3_out, "s3Out", "write the output to /pfs/out"),
        (spec.determined is not None, "determined", "pass what the command needs by transform.env"),
    )
    for node in walk_inputs(spec.input):
        _require_supported_input(node)


def _require_supported_input(node: Input) -> None:
    if isinstance(node, PfsInput):
        field = f"input.pfs (name {node.name})"
        _refuse_first((node.s3, f"{field}.s3", "let the command read files below /pfs"))


def _refuse_first(*fields: tuple[bool, str, str]) -> None:
    for is_used, field, way_out in fields:
        if is_used:
            raise Unsupported(ErrorKind.UNSUPPORTED, f"{field}: this version does not support it; {way_out}")


def _filled(node: Input, path: str, project: str, pipeline: str, branches: dict[int, str]) -> Input:
    if isinstance(node, PfsInput):
        return _filled_pfs(node, f"{path}.pfs", project, branches.get(id(node)) or names.DEFAULT_BRANCH)
    if isinstance(node, CronInput):
        return _filled_cron(node, f"{path}.cron", project, pipeline)
    kind = {CrossInput: "cross", UnionInput: "union", JoinInput: "join", GroupInput: "group"}[type(node)]
    members = [
        _filled(member, f"{path}.{kind}[{n}]", project, pipeline, branches) for n, member in enumerate(node.inputs)
    ]
    if isinstance(node, JoinInput | GroupInput):
        for n, member in enumerate(members):
            _check_keyed(member, f"{path}.{kind}[{n}]", kind)
    return dataclasses.replace(node, inputs=tuple(sorted(members, key=input_name)))


def _check_keyed(member: Input, path: str, kind: str) -> None:
    if not isinstance(member, PfsInput):
        raise bad_spec(path, f"a {kind} takes pfs inputs alone; use pfs")
    if kind == "join" and not member.join_on:
        raise bad_spec(f"{path}.pfs.joinOn", "missing; name the group of the glob to join on, such as $1")
    if kind == "group" and not member.group_by:
        raise bad_spec(f"{path}.pfs.groupBy", "missing; name the group of the glob to group by, such as $1")


def _filled_pfs(node: PfsInput, path: str, project: str, branch: str) -> PfsInput:
    if node.commit:
        why = "input cannot come from a commit; use a branch with head pointing to the commit"
        raise bad_spec(f"{path}.commit", why)
    if not node.repo:
        raise bad_spec(f"{path}.repo", "missing; name the repo to read")
    if not node.glob:
        raise bad_spec(f"{path}.glob", "input must specify a glob; /* takes each entry of the root, / all at once")
    name = node.name or node.repo
    _check_folder(name, f"{path}.name")
    return checked_pfs(
        dataclasses.replace(
            node,
            name=name,
            project=_named(f"{path}.project", names.project_name, node.project or project),
            repo=_named(f"{path}.repo", names.repo_name, node.repo),
            repo_type=_named(f"{path}.repoType", names.repo_type, node.repo_type),
            branch=_named(f"{path}.branch", names.branch_name, node.branch or branch),
            glob=_named(f"{path}.glob", lambda glob: Glob.parse(glob).pattern, node.glob),
            trigger=node.trigger and with_source(node.trigger),
        ),
        path,
    )


def _filled_cron(node: CronInput, path: str, project: str, pipeline: str) -> CronInput:
    if not node.name:
        raise bad_spec(f"{path}.name", "missing; name the input")
    if not node.spec:
        raise bad_spec(f"{path}.spec", "missing; say when it ticks, such as @daily")
    if node.commit:
        raise bad_spec(f"{path}.commit", "a cron input reads its ticks and no other commit; leave it out")
    try:
        parse_schedule(node.spec)
    except BadRequest as error:
        raise bad_spec(f"{path}.spec", error.message) from error
    _check_folder(node.name, f"{path}.name")
    return dataclasses.replace(
        node,
        project=_named(f"{path}.project", names.project_name, node.project or project),
        repo=_named(f"{path}.repo", names.repo_name, node.repo or f"{pipeline}_{node.name}"),
    )


def _check_folder(name: str, path: str) -> None:
    if name in _RESERVED_INPUTS:
        raise bad_spec(path, f"an input cannot be named {name}, which is /pfs/{name} already; choose another name")
    if "/" in name or "=" in name:
        raise bad_spec(path, f"{one_line(name)} is no name of a folder; leave / and = out")
    _named(path, clean, name)


def _folder_names(node: Input, path: str) -> set[str]:
    """The folders below /pfs that an input makes; only the alternatives of a union may share one."""
    if isinstance(node, PfsInput | CronInput):
        return {node.name}
    found: set[str] = set()
    for member in node.inputs:
        own = _folder_names(member, path)
        if not isinstance(node, UnionInput) and (shared := sorted(found & own)):
            raise bad_spec(path, f"the name {shared[0]} is given to two inputs; give one of them another name")
        found |= own
    return found


def _named(path: str, parse: Callable[[str], str], text: str) -> str:
    try:
        return parse(text)
    except BadRequest as error:
        raise bad_spec(path, error.message) from error


def _check_transform(spec: PipelineSpec) -> None:
    transform = spec.transform
    texts = [("cmd", transform.cmd), ("stdin", transform.stdin), ("errCmd", transform.err_cmd)]
    for field, lines in texts:
        for n, line in enumerate(lines):
            if "\0" in line:
                raise bad_spec(f"transform.{field}[{n}]", "it has the character NUL, which no command can take")
    for key, value in transform.env:
        if not key or "=" in key or "\0" in key + value:
            raise bad_spec(f"transform.env.{one_line(key)}", "no variable can have this; leave = and NUL out")
    if transform.working_dir and not transform.working_dir.startswith("/"):
        raise bad_spec("transform.workingDir", f"{one_line(transform.working_dir)} is relative; start it with /")


def _check_numbers(spec: PipelineSpec) -> None:
    sets = spec.datum_set_spec
    counts = [("datumTries", spec.datum_tries)]
    if sets is not None:
        counts += [
            ("datumSetSpec.number", sets.number),
            ("datumSetSpec.sizeBytes", sets.size_bytes),
            ("datumSetSpec.perWorker", sets.per_worker),
        ]
    spans = [
        ("datumTimeout", spec.datum_timeout),
        ("jobTimeout", spec.job_timeout),
        ("maximumExpectedUptime", spec.maximum_expected_uptime),
    ]
    negative = [field for field, count in counts if count < 0]
    negative += [field for field, span in spans if span is not None and span < timedelta()]
    if negative:
        raise bad_spec(negative[0], "it is negative; use 0 for the default")
    if sets is not None and sets.number and sets.size_bytes:
        raise bad_spec("datumSetSpec", "number and sizeBytes exclude each other; keep one")


def _check_cluster(spec: PipelineSpec) -> None:
    resources = [
        ("resourceRequests", spec.resource_requests),
        ("resourceLimits", spec.resource_limits),
        ("sidecarResourceRequests", spec.sidecar_resource_requests),
        ("sidecarResourceLimits", spec.sidecar_resource_limits),
    ]
    for field, resource in resources:
        if resource is not None:
            if resource.cpu < 0:
                raise bad_spec(f"{field}.cpu", "it is negative; leave it out for no request")
            _check_sizes([(f"{field}.memory", resource.memory), (f"{field}.disk", resource.disk)])
    for field, text in (("podSpec", spec.pod_spec), ("podPatch", spec.pod_patch)):
        try:
            if text:
                json.loads(text)
        except (ValueError, RecursionError) as error:
            raise bad_spec(field, f"{one_line(str(error))}; it must be JSON in a text") from error


def _check_sizes(fields: Iterable[tuple[str, str]]) -> None:
    for field, text in fields:
        try:
            if text:
                parse_size(text)
        except BadRequest as error:
            raise bad_spec(field, error.message) from error
