# SPDX-License-Identifier: Apache-2.0
"""Projects, repos and branches as clients see them. Triggers and propagation in full are in `tests/pfs`."""

import grpc
import pytest

from howdah.wire.stubs import pfs_v2_pb2 as pb
from tests.apis.wired import failure, head_of

CODE = grpc.StatusCode


def create(wire, branch, **fields):
    wire.pfs.CreateBranch(pb.CreateBranchRequest(branch=branch, **fields))
    return branch


def refusal(wire, branch, **fields):
    return failure(lambda: create(wire, branch, **fields))[0]


def inspected(wire, branch):
    return wire.pfs.InspectBranch(pb.InspectBranchRequest(branch=branch))


def infos(wire, **fields):
    return list(wire.pfs.ListRepo(pb.ListRepoRequest(**fields)))


def test_a_repo_is_made_once_and_an_update_changes_its_description_alone(wire):
    """Its commits stay."""
    repo = wire.repo()
    commit = wire.put(wire.branch(repo), {"/a": b"1"})

    again = failure(lambda: wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo)))
    wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo, description="new", update=True))

    assert CODE.ALREADY_EXISTS is again[0]
    assert "new" == wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=repo)).description
    assert commit == wire.head(wire.branch(repo))


def test_a_repo_needs_its_project(wire):
    """It is not made on the way."""
    repo = pb.Repo(name="a", project=pb.Project(name="nowhere"))

    assert CODE.NOT_FOUND is failure(lambda: wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo)))[0]


def test_deleting_a_repo_that_is_missing_deletes_nothing(wire):
    """It is no error, and the answer says so."""
    repo = wire.repo()

    first = wire.pfs.DeleteRepo(pb.DeleteRepoRequest(repo=repo))
    second = wire.pfs.DeleteRepo(pb.DeleteRepoRequest(repo=repo))

    assert [True, False] == [first.deleted, second.deleted]


def test_a_repo_that_others_depend_on_is_deleted_by_force(wire):
    """Those lose that provenance."""
    source = wire.branch()
    output = wire.output(source)

    refused = failure(lambda: wire.pfs.DeleteRepo(pb.DeleteRepoRequest(repo=source.repo)))
    wire.pfs.DeleteRepo(pb.DeleteRepoRequest(repo=source.repo, force=True))

    assert CODE.FAILED_PRECONDITION is refused[0]
    assert [] == list(inspected(wire, output).provenance)


def test_all_repos_of_some_projects_are_deleted(wire):
    """Those of users; what goes is answered."""
    project, other = wire.project(), wire.project()
    gone, kept = wire.repo(project.name), wire.repo(other.name)

    answer = wire.pfs.DeleteRepos(pb.DeleteReposRequest(projects=[project]))

    assert [gone] == list(answer.repos)
    assert [kept] == [info.repo for info in infos(wire, projects=[project, other])]


def test_an_inspected_repo_has_its_size_and_its_branches(wire):
    """The size is that of the last finished commit of `master`."""
    repo = wire.repo()
    wire.put(wire.branch(repo), {"/a": b"123"})
    wire.put(wire.branch(repo, "dev"), {"/a": b"12345"})
    wire.start(wire.branch(repo))

    info = wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=repo))

    assert (3, {"master", "dev"}) == (info.details.size_bytes, {each.name for each in info.branches})
    assert info.HasField("created")
    assert not info.HasField("auth_info")


def test_listed_repos_have_a_bound_of_their_size_and_no_details(wire):
    """By project, then by name."""
    projects = sorted((wire.project() for _ in range(2)), key=lambda project: project.name)
    repos = [wire.repo(project.name) for project in reversed(projects) for _ in range(2)]
    wire.put(wire.branch(repos[0]), {"/a": b"123"})

    listed = infos(wire, projects=projects)

    order = sorted(repos, key=lambda repo: (repo.project.name, repo.name))
    assert order == [info.repo for info in listed]
    assert 3 == next(info.size_bytes_upper_bound for info in listed if info.repo == repos[0])
    assert {False} == {info.HasField("details") for info in listed}


def test_repos_are_listed_in_pages(wire):
    """Counted from zero; behind the last there is nothing."""
    project = wire.project()
    repos = [wire.repo(project.name) for _ in range(3)]

    pages = [
        [info.repo for info in infos(wire, projects=[project], page=pb.RepoPage(page_size=2, page_index=index))]
        for index in range(3)
    ]

    everything = sorted(repos, key=lambda repo: repo.name)
    assert [everything[:2], everything[2:], []] == pages


def test_a_new_branch_without_a_head_gets_an_empty_finished_commit(wire):
    """Of the origin AUTO."""
    branch = create(wire, wire.branch())

    info = wire.commit(wire.head(branch))

    assert (pb.AUTO, True, 0) == (info.origin.kind, info.HasField("finished"), info.details.size_bytes)
    assert [] == wire.paths(info.commit)


def test_a_new_branch_with_provenance_gets_an_open_commit(wire):
    """It follows from the heads that are there."""
    source = wire.branch()
    wire.put(source)

    info = wire.commit(wire.head(wire.output(source)))

    assert (pb.AUTO, False) == (info.origin.kind, info.HasField("finished"))
    assert [wire.head(source)] == list(info.direct_provenance)


def test_creating_a_branch_again_does_nothing(wire):
    """Its head stays, and no commit is made."""
    branch = wire.branch()
    commit = wire.put(branch)

    create(wire, branch)

    assert (commit, [commit]) == (wire.head(branch), wire.commits(branch.repo))


def test_a_branch_moves_to_another_commit_of_its_repo(wire):
    """Of no other repo."""
    branch = wire.branch()
    first = wire.put(branch)
    wire.put(branch)
    stranger = wire.put(wire.branch())

    create(wire, branch, head=first)

    assert first == wire.head(branch)
    assert CODE.INVALID_ARGUMENT is refusal(wire, branch, head=stranger)


def test_provenance_that_is_missing_is_made(wire):
    """With an empty commit as its head."""
    source = wire.branch()

    wire.output(source)

    assert wire.commit(wire.head(source)).HasField("finished")
    assert [] == wire.paths(head_of(source))


def test_provenance_and_a_trigger_exclude_each_other(wire):
    """At once, and one after the other."""
    source, branch = wire.branch(), wire.branch()
    create(wire, pb.Branch(repo=branch.repo, name="staging"))
    trigger = pb.Trigger(branch="staging", commits=1)

    both = refusal(wire, branch, provenance=[source], trigger=trigger)
    create(wire, branch, trigger=trigger)
    later = refusal(wire, branch, provenance=[source])

    assert [CODE.INVALID_ARGUMENT] * 2 == [both, later]


def test_a_dag_has_one_branch_of_a_repo(wire):
    """A commit set has one commit for each repo."""
    repo = wire.repo()
    first, second = create(wire, wire.branch(repo, "a")), create(wire, wire.branch(repo, "b"))

    assert CODE.INVALID_ARGUMENT is refusal(wire, wire.branch(), provenance=[first, second])
    assert CODE.INVALID_ARGUMENT is refusal(wire, wire.branch(repo, "c"), provenance=[first])


@pytest.mark.parametrize("way", ["started", "written"])
def test_a_write_makes_a_missing_branch_without_an_empty_commit(wire, way):
    """Its first commit is the one that was asked for."""
    branch = wire.branch()

    if way == "started":
        wire.start(branch)
    else:
        wire.modify(head_of(branch))

    assert [wire.head(branch)] == wire.commits(branch.repo)
    assert not wire.commit(wire.head(branch)).HasField("parent_commit")


def test_branches_are_listed_newest_first(wire):
    """Or in reverse."""
    repo = wire.repo()
    for name in ("b", "a", "c"):
        create(wire, wire.branch(repo, name))
    backwards = [each.branch.name for each in wire.pfs.ListBranch(pb.ListBranchRequest(repo=repo, reverse=True))]

    assert (["c", "a", "b"], ["b", "a", "c"]) == (wire.branches(repo), backwards)


def test_a_missing_branch_is_not_found(wire):
    """Nor is one of a missing repo."""
    for branch in (wire.branch(name="none"), wire.branch(pb.Repo(name="nowhere"))):
        assert CODE.NOT_FOUND is failure(lambda branch=branch: inspected(wire, branch))[0]


def test_a_deleted_branch_leaves_its_commits(wire):
    """They are found by their ids."""
    branch = wire.branch()
    commit = wire.put(branch, {"/a": b"1"})

    wire.pfs.DeleteBranch(pb.DeleteBranchRequest(branch=branch))

    assert [] == wire.branches(branch.repo)
    assert b"1" == wire.read(commit, "/a")


def test_a_branch_that_others_depend_on_is_deleted_by_force(wire):
    """Otherwise it is refused."""
    source = wire.branch()
    output = wire.output(source)

    refused = failure(lambda: wire.pfs.DeleteBranch(pb.DeleteBranchRequest(branch=source)))
    wire.pfs.DeleteBranch(pb.DeleteBranchRequest(branch=source, force=True))

    assert CODE.FAILED_PRECONDITION is refused[0]
    assert [] == list(inspected(wire, output).direct_provenance)


def test_a_branch_knows_what_it_depends_on_and_what_depends_on_it(wire):
    """Directly and in all."""
    first = create(wire, wire.branch())
    second = wire.output(first)
    third = wire.output(second)

    infos = [inspected(wire, branch) for branch in (first, second, third)]

    assert [[], [first], [second]] == [list(info.direct_provenance) for info in infos]
    assert [set(), {first.repo.name}, {first.repo.name, second.repo.name}] == [
        {each.repo.name for each in info.provenance} for info in infos
    ]
    assert [2, 1, 0] == [len(info.subvenance) for info in infos]


def test_a_project_has_no_defaults(wire):
    """Which is an empty object."""
    project = wire.project()

    answer = wire.pfs.InspectProjectV2(pb.InspectProjectV2Request(project=project))

    assert (project, "{}") == (answer.info.project, answer.defaults_json)


def test_a_project_with_repos_is_deleted_by_force(wire):
    """With them."""
    project = wire.project()
    wire.repo(project.name)

    refused = failure(lambda: wire.pfs.DeleteProject(pb.DeleteProjectRequest(project=project)))
    wire.pfs.DeleteProject(pb.DeleteProjectRequest(project=project, force=True))

    assert CODE.FAILED_PRECONDITION is refused[0]
    assert project not in [each.project for each in wire.pfs.ListProject(pb.ListProjectRequest())]


def test_projects_are_summed_up(wire):
    """The repos of users, and their sizes; of some projects or of all."""
    full, empty = wire.project(), wire.project()
    for size in (3, 4):
        wire.put(wire.branch(wire.repo(full.name)), {"/a": bytes(size)})
    pickers = [pb.ProjectPicker(name=each.name) for each in (full, empty)]

    some = wire.pfs.ReposSummary(pb.ReposSummaryRequest(projects=pickers))
    everything = wire.pfs.ReposSummary(pb.ReposSummaryRequest())
    missing = pb.ReposSummaryRequest(projects=[pb.ProjectPicker(name="nowhere")])

    expected = [(full.name, 2, 7), (empty.name, 0, 0)]
    assert expected == [(each.project.name, each.user_repo_count, each.size_bytes) for each in some.summaries]
    assert {"default", full.name, empty.name} <= {each.project.name for each in everything.summaries}
    assert CODE.NOT_FOUND is failure(lambda: wire.pfs.ReposSummary(missing))[0]
