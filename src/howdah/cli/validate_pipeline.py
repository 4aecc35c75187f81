# SPDX-License-Identifier: Apache-2.0
"""`howdah validate pipeline -f SPEC`: say all that is wrong with a spec, and make nothing."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from howdah.cli import exits
from howdah.cli.base import command
from howdah.cli.making_pipelines import Spec, from_sources, given_specs
from howdah.cli.session import Session

__all__ = ["validate_pipeline"]

Defaults = Sequence[Mapping[str, Any]]


@command(
    "pipeline",
    "howdah validate pipeline -f edges.yaml",
    "howdah validate pipeline -f edges.yaml -o json",
    "howdah validate pipeline -f edges.yaml --offline",
)
@from_sources
@click.option("--offline", is_flag=True, help="Ask no server: neither for defaults nor for the repos that are read.")
def validate_pipeline(
    session: Session, source: str | None, jsonnet: str | None, args: tuple[str, ...], offline: bool
) -> int:
    """Check specs without making anything: every fault with the field that it is in, and exit code 2 if there is one.

    With `-o json` the effective spec too. Editors check while you type, by the JSON Schema that the server has at
    /jsonschema/pps_v2/CreatePipelineRequest.schema.json (HTTP): name it under "$schema" in the spec.
    """
    results = [_result(session, spec, offline) for spec in given_specs(session, source, jsonnet, args)]
    if session.json:
        session.line(json.dumps(results, ensure_ascii=False, indent=2))
    else:
        for result in results:
            for line in result["faults"] or ["good"]:
                session.line(f"{result['pipeline']}: {line}")
    return exits.USAGE if any(result["faults"] for result in results) else exits.OK


def _result(session: Session, spec: Spec, offline: bool) -> dict[str, Any]:
    from howdah.errors import HowdahError
    from howdah.model.spec import parse_spec, project_of, spec_tree
    from howdah.model.spec.faults import faults_of

    try:
        tree = spec_tree(spec)
    except HowdahError as error:
        return {"pipeline": "?", "faults": [error.message], "effective": None}
    project = project_of(tree, session.place().project)
    faults = list(faults_of(tree, project=project, defaults=[] if offline else _defaults(session, project)))
    effective = None
    if not faults and offline:
        effective = parse_spec(tree, project=project).to_tree()
    elif not faults:
        faults, effective = _asked(session, spec)
    return {"pipeline": _name(tree), "faults": faults, "effective": effective}


def _asked(session: Session, spec: Spec) -> tuple[list[str], dict[str, Any] | None]:
    """What the server finds wrong, and the effective spec that it makes."""
    from howdah.errors import HowdahError, NotFound
    from howdah.model.refs import Repo
    from howdah.model.spec import parse_spec, pfs_inputs

    try:
        effective = session.client.create_pipeline(spec, update=True, dry_run=True)
    except HowdahError as error:
        return [error.message], None
    faults = []
    for node in pfs_inputs(parse_spec(effective).input):
        try:
            session.client.inspect_repo(Repo(node.project, node.repo, node.repo_type))
        except NotFound as error:
            faults.append(f"input {node.name}: {error.message}")
    return faults, json.loads(effective)


def _defaults(session: Session, project: str) -> Defaults:
    """The defaults that hold for pipelines of a project, as the server has them."""
    from howdah.errors import NotFound
    from howdah.model.spec import parse_defaults

    wide = parse_defaults(session.client.get_defaults())
    try:
        return [wide, parse_defaults(session.client.get_defaults(project))]
    except NotFound:
        return [wide]


def _name(tree: Mapping[str, Any]) -> str:
    named = tree.get("pipeline")
    name = named.get("name") if isinstance(named, Mapping) else None
    return name if isinstance(name, str) and name else "?"
