# SPDX-License-Identifier: Apache-2.0
"""Commits and commit sets as clients see them. What is removed, and when, is in full in `tests/pfs/test_removal`."""

import grpc
import pytest

from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2 as pps
from tests.apis.wired import NO_ID, WAIT, add, at, copy, failure, head_of

CODE = grpc.StatusCode


def history(wire, number=4, name="master"):
    """A branch, and its finished commits, oldest first; each has one file more."""
    branch = wire.branch(name=name)
    return branch, [wire.put(branch, {f"/{place}": b"1"}) for place in range(number)]


def subscription(wire, repo, **fields):
    """Commits as they come; endless."""
    if (start := fields.pop("from_", None)) is not None:
        fields["from"] = start
    answers = wire.pfs.SubscribeCommit(pb.SubscribeCommitRequest(repo=repo, **fields), timeout=WAIT)
    return (info.commit for info in answers)


def squash_set(wire, id):
    wire.pfs.SquashCommitSet(pb.SquashCommitSetRequest(commit_set=pb.CommitSet(id=id)))


def drop_set(wire, id):
    wire.pfs.DropCommitSet(pb.DropCommitSetRequest(commit_set=pb.CommitSet(id=id)))


def in_repo(commit, branch):
    """The commit of another repo in the same set."""
    return pb.Commit(repo=branch.repo, id=commit.id)


def closed_output(wire, source):
    """A branch that follows another; the commit that it begins with is finished."""
    output = wire.output(source)
    wire.finish(wire.head(output), force=True)
    return output


def test_a_commit_goes_through_its_states(wire):
    """Each can be waited for; ready is what depends on nothing that is open."""
    source = wire.branch()
    output = wire.output(source)
    commit = wire.start(source)
    waiting = wire.pfs.InspectCommit.future(
        pb.InspectCommitRequest(commit=in_repo(commit, output), wait=pb.READY), timeout=WAIT
    )

    opened = wire.commit(commit, wait=pb.READY)
    wire.finish(commit)

    assert not opened.HasField("finishing")
    assert not waiting.result().HasField("finishing")
    for state in (pb.STARTED, pb.READY, pb.FINISHING, pb.FINISHED):
        assert wire.commit(commit, wait=state).HasField("finished")


def test_a_started_commit_needs_a_branch(wire):
    """By name, and of a repo."""
    for branch in (pb.Branch(repo=wire.repo()), None):
        code, text = failure(lambda branch=branch: wire.start(branch))

        assert (CODE.INVALID_ARGUMENT, True) == (code, text.startswith("branch must be specified"))


def test_a_started_commit_is_the_head_and_the_child_of_the_old_one(wire):
    """Or of another parent of the same repo."""
    branch, (first, second) = history(wire, 2)

    third = wire.start(branch)
    wire.finish(third)
    fourth = wire.start(branch, parent=first)

    assert second == wire.commit(third).parent_commit
    assert (fourth, first) == (wire.head(branch), wire.commit(fourth).parent_commit)
    assert {second.id, fourth.id} == {each.id for each in wire.commit(first).child_commits}


def test_what_depends_on_a_branch_begins_with_its_commit(wire):
    """Output and meta commits and jobs, before anything is written or finished."""
    source = wire.branch()
    pipeline = wire.pipeline(source.repo)

    commit = wire.start(source)
    jobs = wire.pps.InspectJobSet(pps.InspectJobSetRequest(job_set=pps.JobSet(id=commit.id)))

    repos = {(each.repo.name, each.repo.type) for each in wire.in_set(commit.id) if each.id == commit.id}
    assert {(source.repo.name, "user"), (pipeline.name, "user"), (pipeline.name, "meta")} == repos
    assert [pipeline.name] == [each.job.pipeline.name for each in jobs]


def test_a_commit_is_finished_once(wire):
    """By any spelling."""
    branch = wire.branch()
    wire.finish(wire.start(branch))

    assert CODE.FAILED_PRECONDITION is failure(lambda: wire.finish(head_of(branch)))[0]


def test_a_description_of_the_end_replaces_that_of_the_start(wire):
    """An absent one does not."""
    branch = wire.branch()

    first = wire.finish(wire.start(branch, description="old"))
    second = wire.finish(wire.start(branch, description="old"), description="new")

    assert ["old", "new"] == [wire.commit(each).description for each in (first, second)]


def test_a_commit_with_an_error_is_no_base(wire):
    """Its children are built on its nearest good ancestor."""
    branch = wire.branch()
    wire.put(branch, {"/good": b"1"})
    bad = wire.put(branch, {"/bad": b"1"}, error="broken")

    child = wire.put(branch, {"/child": b"1"})

    assert ("broken", bad) == (wire.commit(bad).error, wire.commit(child).parent_commit)
    assert ["/child", "/good"] == wire.paths(child)


def test_an_output_commit_is_finished_by_force(wire):
    """Otherwise its job does it."""
    source = wire.branch()
    output = closed_output(wire, source)
    commit = in_repo(wire.put(source), output)

    refused = failure(lambda: wire.finish(commit))
    wire.finish(commit, force=True)

    assert CODE.FAILED_PRECONDITION is refused[0]
    assert wire.commit(commit).HasField("finished")


def test_an_open_commit_is_read_as_its_parent_with_what_was_written(wire):
    """So far."""
    branch = wire.branch()
    wire.put(branch, {"/a": b"1", "/b": b"1"})
    commit = wire.start(branch)

    wire.modify(commit, add("/b", b"2"), add("/c", b"3"))

    assert ["/a", "/b", "/c"] == wire.paths(commit)
    assert b"12" == wire.read(commit, "/b")


def test_commits_are_listed_newest_first(wire):
    """Or oldest first; a number cuts both."""
    branch, commits = history(wire)

    assert commits[::-1] == wire.commits(branch.repo)
    assert commits[::-1] == wire.commits(branch.repo, number=0)
    assert commits == wire.commits(branch.repo, reverse=True)
    assert commits[:1:-1] == wire.commits(branch.repo, number=2)
    assert commits[:2] == wire.commits(branch.repo, number=2, reverse=True)


def test_commits_are_listed_by_when_they_started(wire):
    """Before a time; in reverse after it."""
    branch, commits = history(wire)
    time = wire.commit(commits[2]).started

    assert commits[1::-1] == wire.commits(branch.repo, started_time=time)
    assert commits[3:] == wire.commits(branch.repo, started_time=time, reverse=True)


def test_commits_are_listed_by_origin(wire):
    """Without one they all are, whatever `all` says."""
    branch = wire.branch()
    wire.pfs.CreateBranch(pb.CreateBranchRequest(branch=branch))
    empty, commit = wire.head(branch), wire.put(branch)

    assert [commit] == wire.commits(branch.repo, origin_kind=pb.USER)
    assert [empty] == wire.commits(branch.repo, origin_kind=pb.AUTO)
    assert [commit, empty] == wire.commits(branch.repo) == wire.commits(branch.repo, all=True)


def test_a_listing_goes_up_from_one_commit_to_another(wire):
    """The last one is not in it."""
    branch, commits = history(wire)
    wire.put(wire.branch(branch.repo, "other"))

    assert commits[2::-1] == wire.commits(branch.repo, to=commits[2])
    assert commits[2:0:-1] == wire.commits(branch.repo, to=commits[2], from_=commits[0])
    assert commits[::-1] == wire.commits(branch.repo, to=head_of(branch))
    assert [commits[2]] == wire.commits(branch.repo, to=commits[2], number=1)


def test_a_listing_has_ends_that_fit(wire):
    """A beginning needs an end; parents have one order; both are there."""
    branch, [commit] = history(wire, 1)
    stranger = wire.put(wire.branch())
    codes = [
        failure(lambda fields=fields: wire.commits(branch.repo, **fields))[0]
        for fields in (
            {"from_": commit},
            {"to": commit, "reverse": True},
            {"to": stranger},
            {"number": -1},
            {"to": pb.Commit(repo=branch.repo, id=NO_ID)},
        )
    ]

    assert [CODE.INVALID_ARGUMENT] * 4 + [CODE.NOT_FOUND] == codes


def test_commits_of_all_repos_are_listed(wire):
    """Without a repo, or with an empty name; those of a missing repo are not found."""
    first, second = wire.put(wire.branch()), wire.put(wire.branch())

    assert [second, first] == wire.commits(number=2) == wire.commits(pb.Repo(), number=2)
    assert CODE.NOT_FOUND is failure(lambda: wire.commits(pb.Repo(name="nowhere")))[0]


def test_a_subscription_gives_what_is_there_and_then_what_comes(wire):
    """Oldest first, each once."""
    branch, commits = history(wire, 2)
    coming = subscription(wire, branch.repo)

    found = [next(coming), next(coming)]
    third = wire.start(branch)

    assert [*commits, third] == [*found, next(coming)]


def test_a_subscription_waits_for_a_state(wire):
    """A commit that has not come so far holds up those after it."""
    branch = wire.branch()
    first = wire.start(branch)
    coming = subscription(wire, branch.repo, state=pb.FINISHED)
    wire.finish(first)

    assert first == next(coming)


def test_a_subscription_is_to_a_branch_an_origin_and_from_a_commit(wire):
    """The branch is the one that a commit was started on; the beginning is left out."""
    branch = wire.branch()
    wire.pfs.CreateBranch(pb.CreateBranchRequest(branch=branch))
    empty = wire.head(branch)
    first = wire.put(branch)
    other = wire.put(wire.branch(branch.repo, "other"))
    wire.pfs.DeleteBranch(pb.DeleteBranchRequest(branch=wire.branch(branch.repo, "other")))
    last = wire.put(branch)

    def first_of(**fields):
        return next(subscription(wire, branch.repo, **fields))

    assert empty == first_of() == first_of(origin_kind=pb.AUTO)
    assert other == first_of(branch="other")
    assert first == first_of(branch="master", origin_kind=pb.USER)
    assert last == first_of(branch="master", from_=first)
    assert other == first_of(from_=first)


def test_a_set_is_shown_in_the_order_of_what_depends_on_what(wire):
    """With the older commits that it was made from."""
    source, other = wire.branch(), wire.branch()
    used = wire.put(other)
    middle = wire.output(source, other)
    last = wire.output(middle)

    commit = wire.start(source)

    found = [(each.repo.name, each.id) for each in wire.in_set(commit.id)]
    expected = [(branch.repo.name, commit.id) for branch in (source, middle, last)]
    assert expected == [each for each in found if each[1] == commit.id]
    assert found.index((other.repo.name, used.id)) < found.index((middle.repo.name, commit.id))


def test_waiting_for_a_set_gives_each_when_it_is_finished(wire):
    """Not before; a set without commits is not found."""
    source = wire.branch()
    output = closed_output(wire, source)
    commit = wire.start(source)
    request = pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=commit.id), wait=True)
    coming = wire.pfs.InspectCommitSet(request, timeout=WAIT)

    wire.finish(commit)
    first = next(coming)
    wire.finish(in_repo(commit, output), force=True)
    second = next(coming)

    assert [commit.repo, output.repo] == [first.commit.repo, second.commit.repo]
    assert {commit.id} == {first.commit.id, second.commit.id}
    assert [True, True] == [each.HasField("finished") for each in (first, second)]
    assert [] == list(coming)
    assert CODE.NOT_FOUND is failure(lambda: wire.in_set(NO_ID))[0]


def test_sets_are_listed_newest_first(wire):
    """Those that made a commit in a project, or all."""
    project = wire.project()
    commits = [wire.put(wire.branch(wire.repo(project.name))) for _ in range(3)]
    stranger = wire.put(wire.branch())

    def listed(**fields):
        return [info.commit_set.id for info in wire.pfs.ListCommitSet(pb.ListCommitSetRequest(**fields))]

    assert [each.id for each in reversed(commits)] == listed(project=project)
    assert [stranger.id, *(each.id for each in reversed(commits))] == listed()[:4]


def test_a_squashed_set_lives_on_in_its_children(wire):
    """Which must be there, and finished."""
    branch, (first, second) = history(wire, 2)
    opened = wire.start(branch)

    refused = failure(lambda: squash_set(wire, second.id))
    wire.finish(opened)
    squash_set(wire, second.id)

    assert CODE.FAILED_PRECONDITION is refused[0]
    assert ["/0", "/1"] == wire.paths(opened)
    assert first == wire.commit(opened).parent_commit
    assert [opened, first] == wire.commits(branch.repo)


def test_a_dropped_set_leaves_the_parent_as_head(wire):
    """It has no children."""
    branch, (first, second) = history(wire, 2)

    refused = failure(lambda: drop_set(wire, first.id))
    drop_set(wire, second.id)

    assert CODE.FAILED_PRECONDITION is refused[0]
    assert (first, ["/0"]) == (wire.head(branch), wire.paths(head_of(branch)))


def test_a_branch_that_loses_its_only_commit_gets_an_empty_one(wire):
    """A new one, of the origin AUTO."""
    branch, [commit] = history(wire, 1)

    drop_set(wire, commit.id)

    info = wire.commit(wire.head(branch))
    assert (True, pb.AUTO, []) == (info.commit != commit, info.origin.kind, wire.paths(info.commit))


def test_a_set_that_others_depend_on_is_not_removed(wire):
    """Neither way."""
    source, other = wire.branch(), wire.branch()
    used = wire.put(other)
    wire.output(source, other)
    wire.put(source)

    for remove in (squash_set, drop_set):
        code, text = failure(lambda remove=remove: remove(wire, used.id))

        assert CODE.FAILED_PRECONDITION is code
        assert "subvenant commit sets" in text


@pytest.mark.parametrize("remove", [squash_set, drop_set])
def test_what_made_a_pipeline_is_not_removed(wire, remove):
    """Its spec would be lost."""
    pipeline = wire.pipeline(wire.repo())
    [spec] = wire.commits(pb.Repo(name=pipeline.name, type="spec"))

    assert CODE.FAILED_PRECONDITION is failure(lambda: remove(wire, spec.id))[0]


@pytest.mark.parametrize("kind", ["Squash", "Drop"])
def test_one_commit_is_removed_with_what_depends_on_it(wire, kind):
    """If that is asked for; otherwise it is refused."""
    source = wire.branch()
    output = closed_output(wire, source)
    first = wire.put(source)
    wire.finish(in_repo(first, output), force=True)
    commit = wire.put(source)
    wire.finish(in_repo(commit, output), force=True)
    target = first if kind == "Squash" else commit
    request = {"Squash": pb.SquashCommitRequest, "Drop": pb.DropCommitRequest}[kind]
    call = getattr(wire.pfs, f"{kind}Commit")

    refused = failure(lambda: call(request(commit=target)))
    call(request(commit=target, recursive=True))

    assert CODE.FAILED_PRECONDITION is refused[0]
    assert CODE.NOT_FOUND is failure(lambda: wire.commit(target))[0]
    assert target.id not in [each.id for each in wire.commits(output.repo)]


def test_a_cleared_commit_holds_what_its_parent_does(wire):
    """It stays open."""
    branch = wire.branch()
    wire.put(branch, {"/a": b"1"})
    commit = wire.start(branch)
    wire.modify(commit, add("/b", b"2"))

    wire.pfs.ClearCommit(pb.ClearCommitRequest(commit=commit))

    assert ["/a"] == wire.paths(commit)
    assert not wire.commit(commit).HasField("finishing")


def test_a_search_tells_each_commit_that_changed_a_path_and_then_how_far_it_went(wire):
    """From one up through its parents; at most so many."""
    branch = wire.branch()
    first = wire.put(branch, {"/a": b"1"})
    wire.put(branch, {"/b": b"1"})
    third = wire.put(branch, {"/a": b"2"})

    def search(**fields):
        request = pb.FindCommitsRequest(start=third, file_path="/a", **fields)
        *found, last = wire.pfs.FindCommits(request)
        return [each.found_commit for each in found], last

    found, last = search()
    some, end = search(limit=1)

    assert ([third, first], first, 3) == (found, last.last_searched_commit, last.commits_searched)
    assert ([third], third) == (some, end.last_searched_commit)


def test_commits_have_the_origin_of_what_made_them(wire):
    """USER for those that were started, AUTO for those that follow."""
    source = wire.branch()
    output = wire.output(source)
    commit = wire.start(source)

    assert [pb.USER, pb.AUTO] == [wire.commit(each).origin.kind for each in (commit, in_repo(commit, output))]


def test_a_copy_from_an_open_commit_has_what_it_holds_then(wire):
    """It is readable like any other."""
    source, target = wire.branch(), wire.branch()
    opened = wire.start(source)
    wire.modify(opened, add("/a", b"1"))

    copied = wire.put(target, {}, copy(at(opened, "/a"), "/b"))

    assert b"1" == wire.read(copied, "/b")
