# SPDX-License-Identifier: Apache-2.0
"""Names, ids and references as clients send them and find them in answers; and how values appear.

The rules of names by themselves are in `tests/model`, the spellings of commits in `test_pfs_requests`; that the project
`default` is made again is in `test_pfs_service`.
"""

import grpc
import pytest

from howdah.kit.ids import UUID4_HEX
from howdah.model.names import is_commit_id
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2 as pps
from tests.apis.wired import NO_ID, add, at, failure, head_of, members, of_set

CODE = grpc.StatusCode
PHANTOM = pb.Repo(type="user", project=pb.Project(name="default"))  # what the official client sends for "no repo"


def test_an_absent_or_empty_project_is_the_default_one(wire):
    """In every place where a project can stand."""
    name = wire.name()
    wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=pb.Repo(name=name, project=pb.Project())))
    commit = wire.put(wire.branch(pb.Repo(name=name)))
    pipeline = wire.pps.InspectPipeline(
        pps.InspectPipelineRequest(pipeline=pps.Pipeline(name=wire.pipeline(wire.repo()).name))
    )

    assert "default" == wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=pb.Repo(name=name))).repo.project.name
    assert "default" == commit.repo.project.name
    assert "default" == pipeline.pipeline.project.name
    assert "default" == wire.pfs.InspectProject(pb.InspectProjectRequest(project=pb.Project())).project.name


@pytest.mark.parametrize("name", ["a b", "a/b", "ü", "a.b", "a@b"])
def test_a_name_has_letters_digits_underscores_and_dashes(wire, name):
    """Of projects, repos, branches and pipelines alike."""
    repo = wire.repo()
    calls = [
        lambda: wire.pfs.CreateProject(pb.CreateProjectRequest(project=pb.Project(name=name))),
        lambda: wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=pb.Repo(name=name))),
        lambda: wire.pfs.CreateBranch(pb.CreateBranchRequest(branch=pb.Branch(repo=repo, name=name))),
        lambda: wire.start(pb.Branch(repo=repo, name=name)),
    ]

    expected = f"name ({name}) invalid: only alphanumeric characters, underscores, and dashes are allowed"
    assert [(CODE.INVALID_ARGUMENT, expected)] * len(calls) == [failure(call) for call in calls]


def test_a_project_has_at_most_51_characters(wire):
    """And begins with a letter or a digit."""
    wire.pfs.CreateProject(pb.CreateProjectRequest(project=pb.Project(name="p" * 51)))

    for name in ("p" * 52, "-p", "_p"):
        request = pb.CreateProjectRequest(project=pb.Project(name=name))
        assert CODE.INVALID_ARGUMENT is failure(lambda request=request: wire.pfs.CreateProject(request))[0]


def test_a_branch_does_not_look_like_a_commit(wire):
    """An id is told from a name by its letters alone."""
    request = pb.CreateBranchRequest(branch=wire.branch(name=NO_ID))

    assert CODE.INVALID_ARGUMENT is failure(lambda: wire.pfs.CreateBranch(request))[0]


def test_the_repo_of_file_sets_is_reserved(wire):
    """Nobody makes it."""
    request = pb.CreateRepoRequest(repo=pb.Repo(name="__filesets__"))

    assert CODE.INVALID_ARGUMENT is failure(lambda: wire.pfs.CreateRepo(request))[0]


def test_ids_are_random_uuids_without_dashes(wire):
    """Of commits and transactions; clients know them by that."""
    ids = [wire.start(wire.branch()).id, wire.transaction()[0].id]

    assert all(is_commit_id(each) and UUID4_HEX.fullmatch(each) for each in ids)


def test_all_that_one_change_makes_shares_an_id(wire):
    """Across repos; at most one commit in each."""
    source = wire.branch()
    outputs = [wire.output(source), wire.output(source)]

    commit = wire.start(source)

    assert [commit.id] * 3 == [wire.head(branch).id for branch in (source, *outputs)]
    assert len({each.repo.name for each in wire.in_set(commit.id)}) == len(wire.in_set(commit.id)) == 3


def test_a_job_has_the_id_of_its_commit_set(wire):
    """And so has its output commit."""
    source = wire.branch()
    wire.pipeline(source.repo)

    commit = wire.put(source)
    jobs = list(wire.pps.InspectJobSet(pps.InspectJobSetRequest(job_set=pps.JobSet(id=commit.id))))

    assert [(commit.id, commit.id)] == [(each.job.id, each.output_commit.id) for each in jobs]


def test_a_repo_without_a_type_is_a_users(wire):
    """When it is made, and when it is picked."""
    name = wire.name()
    wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=pb.Repo(name=name)))

    assert "user" == wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=pb.Repo(name=name))).repo.type


def test_a_repo_of_the_system_needs_its_user_repo_first(wire):
    """And goes with it."""
    name = wire.name()
    meta = pb.Repo(name=name, type="meta")

    assert CODE.NOT_FOUND is failure(lambda: wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=meta)))[0]
    for repo in (pb.Repo(name=name), meta):
        wire.pfs.CreateRepo(pb.CreateRepoRequest(repo=repo))
    wire.pfs.DeleteRepo(pb.DeleteRepoRequest(repo=pb.Repo(name=name)))
    assert CODE.NOT_FOUND is failure(lambda: wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=meta)))[0]


def test_repos_are_listed_by_type_or_all(wire):
    """An empty type is all; another must be one that there is."""
    source = wire.branch()
    pipeline = wire.pipeline(source.repo)

    def listed(kind):
        found = wire.pfs.ListRepo(pb.ListRepoRequest(type=kind))
        return {each.repo.type for each in found if each.repo.name in (pipeline.name, source.repo.name)}

    assert [{"user", "meta", "spec"}, {"user"}, {"meta"}] == [listed(kind) for kind in ("", "user", "meta")]
    assert CODE.INVALID_ARGUMENT is failure(lambda: wire.pfs.ListRepo(pb.ListRepoRequest(type="none")))[0]


def test_the_repo_of_a_pipeline_is_not_deleted(wire):
    """Not while the pipeline is there."""
    pipeline = wire.pipeline(wire.repo())

    request = pb.DeleteRepoRequest(repo=pb.Repo(name=pipeline.name), force=True)

    assert CODE.FAILED_PRECONDITION is failure(lambda: wire.pfs.DeleteRepo(request))[0]


def test_a_commit_has_three_spellings(wire):
    """Repo and id; a branch; an id with steps. A plain id wins over the branch beside it."""
    branch = wire.branch()
    first, second = wire.put(branch), wire.put(branch)
    repo, other = branch.repo, wire.branch(branch.repo, "other")
    spellings = {
        "repo and id": (pb.Commit(repo=repo, id=second.id), second),
        "a branch": (pb.Commit(branch=branch), second),
        "a name as id": (pb.Commit(repo=repo, id="master"), second),
        "steps from a branch": (pb.Commit(repo=repo, id="master^"), first),
        "steps from an id": (pb.Commit(repo=repo, id=f"{second.id}~1"), first),
        "from the root": (pb.Commit(repo=repo, id="master.1"), first),
        "steps beside a branch": (pb.Commit(branch=branch, id="^"), first),
        "the root beside a branch": (pb.Commit(branch=branch, id=".2"), second),
        "an id beside a branch": (pb.Commit(branch=other, id=first.id), first),
        "a phantom repo": (pb.Commit(repo=PHANTOM, branch=branch, id=first.id), first),
    }

    assert {name: each for name, (_, each) in spellings.items()} == {
        name: wire.commit(each).commit for name, (each, _) in spellings.items()
    }


@pytest.mark.parametrize("call", ["ListBranch", "ListCommit"])
def test_a_phantom_repo_is_no_repo(wire, call):
    """The official client sends one where none was set."""
    wire.put(wire.branch())
    kind = {"ListBranch": pb.ListBranchRequest, "ListCommit": pb.ListCommitRequest}[call]

    assert list(getattr(wire.pfs, call)(kind())) == list(getattr(wire.pfs, call)(kind(repo=PHANTOM)))


def test_pickers_count_from_zero_and_texts_from_one(wire):
    """`master.1` is what the offset 0 picks."""
    branch = wire.branch()
    first = wire.put(branch)
    wire.put(branch)
    name = pb.RepoPicker.RepoName(name=branch.repo.name, project=pb.ProjectPicker(name="default"))
    picker = pb.BranchPicker(name=pb.BranchPicker.BranchName(repo=pb.RepoPicker(name=name), name="master"))
    root = pb.CommitPicker(branch_root=pb.CommitPicker.BranchRoot(offset=0, branch=picker))

    wire.pfs.ForgetCommit(pb.ForgetCommitRequest(commit=root))

    assert CODE.FAILED_PRECONDITION is failure(lambda: wire.paths(first))[0]
    assert first == wire.commit(pb.Commit(repo=branch.repo, id="master.1")).commit


def test_an_id_of_another_repos_set_means_the_commit_that_the_set_used(wire):
    """For every call that reads."""
    source, other = wire.branch(), wire.branch()
    used = wire.put(other, {"/a": b"1"})
    wire.output(source, other)
    alias = pb.Commit(repo=other.repo, id=wire.put(source).id)

    assert used == wire.commit(alias).commit
    assert ["/a"] == wire.paths(alias)
    assert b"1" == wire.read(alias, "/a")


def test_a_file_set_is_read_by_every_call_as_a_finished_commit(wire):
    """In the repo that is reserved for it."""
    commit = of_set(wire.file_set(add("/a", b"1"), add("/d/b", b"22")))
    info = wire.commit(commit, wait=pb.FINISHED)

    assert info.HasField("finished")
    assert ["/a", "/d/"] == wire.paths(commit)
    assert ["/", "/a", "/d/", "/d/b"] == wire.walk(commit)
    assert ["/d/b"] == wire.glob(commit, "/*/b")
    assert 2 == wire.file(commit, "/d/b").size_bytes
    assert b"1" == wire.read(commit, "/a")
    assert ["/", "/a", "/d", "/d/b"] == [each.name.rstrip("/") or "/" for each in members(wire.tar(commit))]
    assert [("/", ""), ("/a", ""), ("/d/", ""), ("/d/b", "")] == wire.diff(at(commit))


def test_a_commit_in_an_answer_has_repo_and_id_and_no_name_of_a_branch(wire):
    """Wherever one stands. Its branch has the repo alone, which is where old clients look for it."""
    branch = wire.branch()
    first = wire.put(branch, {"/a": b"1"})
    second = wire.put(branch, {"/a": b"2"})
    info = wire.commit(second)
    listed = next(iter(wire.pfs.ListCommit(pb.ListCommitRequest(repo=branch.repo, number=1))))
    [member] = wire.pfs.InspectCommitSet(pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=second.id)))
    difference = next(iter(wire.pfs.DiffFile(pb.DiffFileRequest(new_file=at(second, "/a")))))
    search = wire.pfs.FindCommits(pb.FindCommitsRequest(start=second, file_path="/a"))
    found = [each.found_commit if each.HasField("found_commit") else each.last_searched_commit for each in search]
    commits = [
        first,
        wire.head(branch),
        info.commit,
        info.parent_commit,
        wire.commit(first).child_commits[0],
        listed.commit,
        member.commit,
        difference.new_file.file.commit,
        difference.old_file.file.commit,
        wire.file(second, "/a").file.commit,
        *found,
    ]

    assert {("", branch.repo.name)} == {(each.branch.name, each.branch.repo.name) for each in commits}
    assert {branch.repo.name} == {each.repo.name for each in commits}
    assert {first.id, second.id} == {each.id for each in commits}


def test_what_has_not_happened_is_absent(wire):
    """Not empty: clients ask whether it is there."""
    branch = wire.branch()
    opened = wire.commit(wire.start(branch))
    repo = wire.pfs.InspectRepo(pb.InspectRepoRequest(repo=branch.repo))
    project = wire.pfs.InspectProject(pb.InspectProjectRequest(project=pb.Project(name="default")))

    absent = ("parent_commit", "finishing", "finished", "details")
    assert {False} == {opened.HasField(field) for field in absent}
    assert [False, False] == [repo.HasField("auth_info"), project.HasField("auth_info")]
    assert "" == opened.error


def test_a_finished_commit_has_every_field_that_is_known(wire):
    """Of the protocol's; who made it is known only with authentication."""
    source, other = wire.branch(), wire.branch()
    first = wire.put(other, {"/a": b"12"})
    commit = wire.put(other, {"/b": b"345"}, description="words")
    output = wire.output(source, other)
    wire.put(source)

    info = wire.commit(commit)

    unset = {field.name for field in info.DESCRIPTOR.fields} - {field.name for field, _ in info.ListFields()}
    assert {"child_commits", "created_by", "error", "direct_provenance", "metadata"} == unset
    assert (5, 5, "words") == (info.size_bytes_upper_bound, info.details.size_bytes, info.description)
    assert (first, pb.USER) == (info.parent_commit, info.origin.kind)
    assert {output.repo.name} == {each.repo.name for each in info.direct_subvenance}
    assert info.started.ToNanoseconds() <= info.finishing.ToNanoseconds() <= info.finished.ToNanoseconds()


def test_a_number_that_an_enum_lacks_is_refused(wire):
    """And its zero is nothing at all."""
    commit = wire.start(wire.branch())

    assert wire.commit(commit, wait=pb.COMMIT_STATE_UNKNOWN).commit == commit
    assert CODE.INVALID_ARGUMENT is failure(lambda: wire.commit(commit, wait=17))[0]


def test_a_reference_to_nothing_names_what_is_missing(wire):
    """The first part that is not there."""
    branch = wire.branch()

    assert failure(lambda: wire.commit(head_of(wire.branch(pb.Repo(name="nowhere")))))[1].startswith("repo ")
    assert failure(lambda: wire.commit(head_of(branch)))[1].startswith("branch ")
    assert failure(lambda: wire.commit(pb.Commit(repo=branch.repo, id=NO_ID)))[1].startswith("commit ")
