# SPDX-License-Identifier: Apache-2.0
"""Calls on pipelines."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from howdah.client import read_pps
from howdah.client.caller import Caller
from howdah.client.coerce import PipelineLike, a_pipeline
from howdah.client.executions import of_version
from howdah.client.values import PipelineInfo
from howdah.client.warnings import Warn, teller
from howdah.errors import BadRequest, ErrorKind
from howdah.model.names import DEFAULT_PROJECT
from howdah.wire.convert import project_message
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["Pipelines"]


class Pipelines(Caller):
    """What runs on new commits."""

    def create_pipeline(
        self,
        spec: str | bytes | Mapping[str, Any],
        *,
        update: bool = False,
        reprocess: bool = False,
        dry_run: bool = False,
        warn: Warn | None = None,
    ) -> str:
        """Make a pipeline from a spec in JSON, YAML or as a tree; the effective spec, as JSON.

        With `update` one that exists gets the new spec; an equal one changes nothing. `reprocess` runs also what
        had succeeded. `dry_run` changes nothing. `warn` is told what to know of its image:
        that a tag has moved (then an equal spec is an update too), or why no container is used.

        Raises:
            Refused: NO_ENGINE: it names an image, and the server has no container engine.
            AlreadyExists: it exists, and `update` is off.
            BadRequest: BAD_SPEC, naming the field.
            NotFound: a repo that it reads.
        """
        request = pb.CreatePipelineV2Request(
            create_pipeline_request_json=_spec_json(spec, self.project),
            update=update,
            reprocess=reprocess,
            dry_run=dry_run,
        )
        answer = self._wire.call_with_end(self._wire.pps.CreatePipelineV2, request, teller(warn))
        return str(answer.effective_create_pipeline_request_json)

    def inspect_pipeline(self, pipeline: PipelineLike) -> PipelineInfo:
        """A pipeline as it is now. Raises NotFound."""
        request = pb.InspectPipelineRequest(pipeline=self._pipeline(pipeline), details=True)
        info = read_pps.pipeline_info(self._wire.call(self._wire.pps.InspectPipeline, request))
        return replace(info, execution=of_version(self._wire, info.pipeline, info.version))

    def list_pipelines(
        self,
        *,
        projects: Sequence[str] | None = None,
        history: int = 0,
        jq: str = "",
        commit_set: str = "",
    ) -> Iterator[PipelineInfo]:
        """Pipelines, the newest first, with so many older versions of each (-1: all).

        `projects` are those to look in: this client's own for None, all for an empty one. `jq` is an
        expression of that language that must hold for the pipeline as the protocol's JSON has it
        (`.state == "PIPELINE_PAUSED"`). With a `commit_set` they are those that it was made by, each at the version
        that it had then.

        Raises:
            BadRequest: the filter cannot be read, or takes too long.
            NotFound: there is no such commit set.
        """
        wanted = [self.project] if projects is None else projects
        projects_of = [project_message(name) for name in wanted]
        request = pb.ListPipelineRequest(history=history, projects=projects_of, jqFilter=jq)
        if commit_set:
            request.commit_set.id = commit_set
        return map(read_pps.pipeline_info, self._wire.stream(self._wire.pps.ListPipeline, request))

    def delete_pipeline(self, pipeline: PipelineLike, *, force: bool = False, keep_repo: bool = False) -> None:
        """Remove a pipeline with its jobs and, unless `keep_repo`, its output.

        Raises:
            NotFound: there is none.
            Refused: HAS_DEPENDANTS: others read its output, and `force` is off.
        """
        request = pb.DeletePipelineRequest(
            pipeline=self._pipeline(pipeline), force=force, keep_repo=keep_repo, must_exist=True
        )
        self._wire.call(self._wire.pps.DeletePipeline, request)

    def stop_pipeline(self, pipeline: PipelineLike) -> None:
        """Let new commits start nothing, and end the pipeline's running job. Raises NotFound."""
        request = pb.StopPipelineRequest(pipeline=self._pipeline(pipeline), must_exist=True)
        self._wire.call(self._wire.pps.StopPipeline, request)

    def start_pipeline(self, pipeline: PipelineLike) -> None:
        """Let a stopped pipeline work again, on what came meanwhile too. Raises NotFound."""
        request = pb.StartPipelineRequest(pipeline=self._pipeline(pipeline))
        self._wire.call(self._wire.pps.StartPipeline, request)

    def _pipeline(self, pipeline: PipelineLike) -> pb.Pipeline:
        named = a_pipeline(pipeline, self.project)
        return pb.Pipeline(name=named.name, project=project_message(named.project))


def _spec_json(spec: str | bytes | Mapping[str, Any], project: str) -> str:
    """The spec as JSON: the text itself if it is JSON of one spec in the project that it means."""
    if isinstance(spec, Mapping):
        return json.dumps(_in_project(spec, project))
    from howdah.model.spec.text import documents  # noqa: PLC0415 - it loads YAML, which few callers need

    found = documents(spec)
    if len(found) != 1 or not isinstance(found[0], Mapping):
        way_out = "give one spec" if len(found) < 2 else "give one at a time"
        text = f"pipeline spec: {len(found)} documents found where one spec is expected; {way_out}"
        raise BadRequest(ErrorKind.BAD_SPEC, text)
    tree = _in_project(found[0], project)
    text = spec.decode() if isinstance(spec, bytes) else spec
    return text if tree is found[0] and text.lstrip()[:1] == "{" else json.dumps(tree)


def _in_project(tree: Mapping[str, Any], project: str) -> Mapping[str, Any]:
    """The tree with the project in it, where it names none and would be taken for one of `default`."""
    named = tree.get("pipeline")
    if project == DEFAULT_PROJECT or not isinstance(named, Mapping) or named.get("project"):
        return tree
    return {**tree, "pipeline": {**named, "project": {"name": project}}}
