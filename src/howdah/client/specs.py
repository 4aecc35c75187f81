# SPDX-License-Identifier: Apache-2.0
"""Calls on what specs are made of: defaults, and templates."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from howdah.client import read_pps
from howdah.client.caller import Caller
from howdah.model.refs import Pipeline
from howdah.wire.convert import project_message
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["SpecCalls"]


class SpecCalls(Caller):
    """Defaults of all pipelines and of those of a project; specs from templates."""

    def get_defaults(self, project: str | None = None) -> str:
        """The defaults of a project's pipelines as they were given, or for None of all; `{}` if there are none.

        Raises:
            NotFound: the project.
        """
        if project is None:
            return self._wire.call(
                self._wire.pps.GetClusterDefaults, pb.GetClusterDefaultsRequest()
            ).cluster_defaults_json
        request = pb.GetProjectDefaultsRequest(project=project_message(project))
        return self._wire.call(self._wire.pps.GetProjectDefaults, request).project_defaults_json

    def set_defaults(
        self,
        defaults: str | Mapping[str, Any],
        project: str | None = None,
        *,
        regenerate: bool = False,
        reprocess: bool = False,
        dry_run: bool = False,
    ) -> list[Pipeline]:
        """Replace the defaults of a project's pipelines, or for None of all: `{"createPipelineRequest": {...}}`.

        They hold for specs that are given from now on. With `regenerate` each pipeline that is another one under them
        gets a new version, and with `reprocess` runs all its datums again; these are answered. All of it happens, or
        nothing. `dry_run` changes nothing.

        Raises:
            BadRequest: BAD_SPEC, naming the field, and the pipeline that would not be good under them.
            NotFound: the project.
        """
        text = defaults if isinstance(defaults, str) else json.dumps(defaults)
        how = {"regenerate": regenerate, "reprocess": reprocess, "dry_run": dry_run}
        if project is None:
            asked = pb.SetClusterDefaultsRequest(cluster_defaults_json=text, **how)
            return self._affected(self._wire.call(self._wire.pps.SetClusterDefaults, asked).affected_pipelines)
        request = pb.SetProjectDefaultsRequest(project=project_message(project), project_defaults_json=text, **how)
        return self._affected(self._wire.call(self._wire.pps.SetProjectDefaults, request).affected_pipelines)

    def render_template(self, template: str, args: Mapping[str, str] | None = None) -> str:
        """What a jsonnet template makes of texts: a spec or a list of specs, as JSON. Nothing is made of it.

        Raises:
            BadRequest: BAD_SPEC: it fails, or gives no spec.
        """
        request = pb.RenderTemplateRequest(template=template, args=args or {})
        return self._wire.call(self._wire.pps.RenderTemplate, request).json

    def _affected(self, pipelines: Sequence[pb.Pipeline]) -> list[Pipeline]:
        return [read_pps.pipeline(each) for each in pipelines]
