# SPDX-License-Identifier: Apache-2.0
"""The branches of a pipeline: what its output and meta branch follow, and who reads from it. See `pps.pipelines`."""

from howdah.db.transaction import Transaction
from howdah.errors import ErrorKind, Refused
from howdah.model.names import DEFAULT_BRANCH, META, SPEC
from howdah.model.refs import Branch, Pipeline, Repo
from howdah.model.spec import PipelineSpec, pfs_inputs
from howdah.pfs import branch_rows, branches, provenance, repo_rows, starting
from howdah.pfs.resolve import head_of
from howdah.pfs.work import Work
from howdah.pps.input_keys import branch_of
from howdah.pps.input_triggers import make_trigger_branches

__all__ = ["attach", "check_nobody_reads", "commit_spec", "detach", "output_branch", "reads", "spec_branch"]


def commit_spec(work: Work, pipeline: Pipeline, root: bytes, size: int) -> None:
    """Close a commit on `p.spec@master` with these files, which are in the store."""
    branch = spec_branch(pipeline)
    head = head_of(work.tx, branch)
    starting.make_finished(work, branch, root, 1, size, expected_head=None if head is None else head.id)


def attach(work: Work, spec: PipelineSpec) -> None:
    """Let output and meta branch follow the inputs and the spec."""
    make_trigger_branches(work, spec)
    pipeline = Pipeline(spec.project, spec.name)
    inputs = {branch_of(node): node for node in pfs_inputs(spec.input)}
    above = (*inputs, spec_branch(pipeline))
    never = [branch for branch, node in inputs.items() if node.propagation_spec and node.propagation_spec.never]
    for branch in (output_branch(spec), _meta_branch(pipeline)):
        branches.create(work, branch, provenance=above, never=never)


def detach(work: Work, spec: PipelineSpec) -> None:
    """Let output and meta branch follow nothing; what they have stays. What is not there is left out."""
    for branch in (output_branch(spec), _meta_branch(Pipeline(spec.project, spec.name))):
        repo = repo_rows.find(work.tx, branch.repo)
        if repo is not None and branch_rows.find(work.tx, repo.id, branch.name) is not None:
            branches.create(work, branch)


def reads(spec: PipelineSpec) -> set[Branch]:
    """The branches that a spec reads."""
    return {branch_of(node) for node in pfs_inputs(spec.input)}


def check_nobody_reads(tx: Transaction, pipeline: Pipeline, repo: Repo) -> None:
    """Return if no pipeline reads from another one.

    Raises:
        Refused: HAS_DEPENDANTS.
    """
    own = branch_rows.of_repos(tx, [repo_rows.get(tx, repo).id])
    below = provenance.branches_below(tx, [row.id for row in own]) if own else {}
    readers = branch_rows.by_ids(tx, {key for keys in below.values() for key in keys})
    names = sorted({str(Pipeline(row.branch.repo.project, row.branch.repo.name)) for row in readers.values()})
    if names:
        raise Refused(
            ErrorKind.HAS_DEPENDANTS,
            f"pipeline {pipeline} cannot be deleted: {', '.join(names)} reads its output; delete that, or use force",
        )


def output_branch(spec: PipelineSpec) -> Branch:
    """Where a pipeline writes to."""
    return Branch(Repo(spec.project, spec.name), spec.output_branch)


def spec_branch(pipeline: Pipeline) -> Branch:
    """Where a pipeline has a commit for each version of its spec."""
    return Branch(Repo(pipeline.project, pipeline.name, SPEC), DEFAULT_BRANCH)


def _meta_branch(pipeline: Pipeline) -> Branch:
    return Branch(Repo(pipeline.project, pipeline.name, META), DEFAULT_BRANCH)
