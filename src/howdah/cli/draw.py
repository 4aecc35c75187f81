# SPDX-License-Identifier: Apache-2.0
"""`howdah draw`: what depends on what, as boxes, as JSON or for Graphviz."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from howdah.cli.base import command
from howdah.cli.session import Session

if TYPE_CHECKING:
    from howdah.model.infos import BranchInfo
    from howdah.model.refs import Branch

__all__ = ["draw"]


@dataclass(frozen=True)
class _Graph:
    """Branches, with what is written on each and whether a pipeline makes it; and edges from above to below."""

    labels: "Mapping[Branch, str]"
    pipelines: "frozenset[Branch]"
    edges: "Sequence[tuple[Branch, Branch, str]]"


@command("draw", "howdah draw", "howdah draw --all", "howdah draw -o dot | dot -Tsvg > lake.svg", output=False)
@click.option("--all", "everywhere", is_flag=True, help="Of all projects.")
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "dot"]),
    help="Boxes and lines (table, unless another is given), JSON, or the language of Graphviz.",
)
def draw(session: Session, everywhere: bool) -> None:
    """Draw the repos and pipelines of a project: what depends stands below what it depends on.

    A box is a branch, named by its repo where that is master; one with double lines is a pipeline. Branches with
    which nothing is connected are left out.
    """
    graph = _graph(session, everywhere)
    match session.output:
        case "json":
            session.line(json.dumps(_as_json(graph), ensure_ascii=False, indent=2))
        case "dot":
            session.line("\n".join(_as_dot(graph)))
        case _:
            _print(session, graph)


def _print(session: Session, graph: _Graph) -> None:
    from howdah.cli.drawing import Box, draw

    boxes = {str(each): Box(label, each in graph.pipelines) for each, label in graph.labels.items()}
    if not boxes:
        session.note("nothing depends on anything yet; a pipeline would: howdah create pipeline")
    for line in draw(boxes, [(str(start), str(end)) for start, end, _ in graph.edges]):
        session.line(line)


def _graph(session: Session, everywhere: bool) -> _Graph:
    from howdah.model.names import USER

    infos = [info for info in session.client.list_branches(reverse=True) if info.branch.repo.type == USER]
    project = session.client.project
    edges = [edge for edge in _edges(infos) if everywhere or project in (edge[0].repo.project, edge[1].repo.project)]
    ends = sorted({end for edge in edges for end in edge[:2]})
    outputs = {(info.pipeline, info.output_branch) for info in session.client.list_pipelines(projects=[])}
    made = {(each.project, each.name, branch) for each, branch in outputs}
    return _Graph(
        {end: _label(end, project) for end in ends},
        frozenset(end for end in ends if (end.repo.project, end.repo.name, end.name) in made),
        edges,
    )


def _edges(infos: "Iterable[BranchInfo]") -> "Iterator[tuple[Branch, Branch, str]]":
    """What each branch depends on, or watches; repos of other types are how pipelines work, and not shown."""
    from howdah.model.names import USER
    from howdah.model.refs import Branch

    for info in infos:
        for above in info.direct_provenance:
            if above.repo.type == USER:
                yield above, info.branch, "never" if above in info.never else "provenance"
        if info.trigger is not None:
            yield Branch(info.branch.repo, info.trigger.branch), info.branch, "trigger"


def _label(branch: "Branch", project: str) -> str:
    from howdah.model.names import DEFAULT_BRANCH

    repo = branch.repo.name if branch.repo.project == project else f"{branch.repo.project}/{branch.repo.name}"
    return repo if branch.name == DEFAULT_BRANCH else f"{repo}@{branch.name}"


def _as_json(graph: _Graph) -> dict[str, list[dict[str, object]]]:
    return {
        "nodes": [{"branch": str(each), "pipeline": each in graph.pipelines} for each in graph.labels],
        "edges": [{"from": str(start), "to": str(end), "kind": kind} for start, end, kind in graph.edges],
    }


def _as_dot(graph: _Graph) -> Iterator[str]:
    styles = {"provenance": "", "never": " [style=dashed]", "trigger": " [style=dotted]"}
    yield "digraph lake {"
    yield "  node [shape=box];"
    for each, label in graph.labels.items():
        yield f'  "{each}" [label="{label}"{", peripheries=2" if each in graph.pipelines else ""}];'
    for start, end, kind in graph.edges:
        yield f'  "{start}" -> "{end}"{styles[kind]};'
    yield "}"
