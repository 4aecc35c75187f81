# SPDX-License-Identifier: Apache-2.0
"""`pfs_v2.API` and its neighbours by raw messages: what the official client cannot send, and calls that wait."""

import itertools
import threading

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.wrappers_pb2 import BytesValue

from howdah.apis.grpc.options import CHANNEL_OPTIONS
from howdah.model.refs import Branch, Commit, Repo
from howdah.testing.server import running_server
from howdah.wire.convert import branch_message, commit_message, repo_message
from howdah.wire.stubs import (
    admin_v2_pb2,
    admin_v2_pb2_grpc,
    auth_v2_pb2,
    auth_v2_pb2_grpc,
    health_v1_pb2,
    health_v1_pb2_grpc,
    howdah_v1_pb2,
    howdah_v1_pb2_grpc,
    pfs_v2_pb2_grpc,
)
from howdah.wire.stubs import pfs_v2_pb2 as pb

WAIT = 10.0  # seconds; reached only by a failing test

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("lake")) as running:
        yield running


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(server.grpc_address, options=CHANNEL_OPTIONS) as opened:
        yield opened


@pytest.fixture(scope="module")
def api(channel):
    return pfs_v2_pb2_grpc.APIStub(channel)


@pytest.fixture(scope="module")
def lake(channel):
    return howdah_v1_pb2_grpc.LakeStub(channel)


@pytest.fixture
def repo(api):
    made = Repo("default", f"repo-{next(_numbers)}")
    api.CreateRepo(pb.CreateRepoRequest(repo=repo_message(made)))
    return made


@pytest.fixture
def master(repo):
    return Branch(repo, "master")


def start(api, branch):
    return api.StartCommit(pb.StartCommitRequest(branch=branch_message(branch)))


def finish(api, commit):
    api.FinishCommit(pb.FinishCommitRequest(commit=commit))


def modify(api, commit, *operations):
    first = pb.ModifyFileRequest(set_commit=commit)
    return api.ModifyFile(iter([first, *operations]), timeout=WAIT)


def add(path, data=None, datum=""):
    return pb.ModifyFileRequest(
        add_file=pb.AddFile(path=path, datum=datum, raw=None if data is None else BytesValue(value=data))
    )


def consumed(answer):
    """A stream fails when it is read."""
    return list(answer) if hasattr(answer, "__iter__") else answer


def failure(call):
    """Code, text and kind of the error by which a call ends."""
    with pytest.raises(grpc.RpcError) as caught:
        consumed(call())
    error = caught.value
    return error.code(), error.details(), dict(error.trailing_metadata()).get("howdah-kind")


def test_an_error_carries_its_kind(api):
    """Beside the code and the text, for our own client."""
    code, text, kind = failure(lambda: api.InspectRepo(pb.InspectRepoRequest(repo=pb.Repo(name="none"))))

    assert (grpc.StatusCode.NOT_FOUND, "repo_not_found") == (code, kind)
    assert text.startswith("repo default/none not found")


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("InspectProject", pb.InspectProjectRequest()),
        ("InspectProjectV2", pb.InspectProjectV2Request()),
        ("DeleteProject", pb.DeleteProjectRequest()),
        ("DeleteBranch", pb.DeleteBranchRequest()),
    ],
)
def test_a_missing_field_is_an_invalid_argument(api, method, request_):
    """Checked before anything is done."""
    code, text, _ = failure(lambda: getattr(api, method)(request_))

    assert grpc.StatusCode.INVALID_ARGUMENT == code
    assert text.startswith("validate request: ")


def test_the_first_message_of_an_upload_is_a_commit(api):
    """Neither a file nor nothing at all."""
    expected = (grpc.StatusCode.INVALID_ARGUMENT, "first message must be a commit")

    for messages in ([], [add("/a", b"1")]):
        code, text, _ = failure(lambda messages=messages: api.ModifyFile(iter(messages), timeout=WAIT))

        assert expected == (code, text.partition(";")[0])


def test_an_upload_that_fails_at_its_end_is_always_answered(api):
    """The status never gets lost between the end of the client's stream and the error; it did once in ten."""
    codes = {failure(lambda: api.ModifyFile(iter([add("/a")]), timeout=WAIT))[0] for _ in range(50)}

    assert {grpc.StatusCode.INVALID_ARGUMENT} == codes


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        pytest.param(pb.ModifyFileRequest(), "validate request: ", id="no operation"),
        pytest.param(pb.ModifyFileRequest(set_commit=pb.Commit()), "the commit was set before", id="a second commit"),
        pytest.param(pb.ModifyFileRequest(copy_file=pb.CopyFile(dst="/b")), "validate request: ", id="no source"),
        pytest.param(add("/../x", b"1"), "path (/../x) invalid", id="a bad path"),
    ],
)
def test_an_upload_with_a_wrong_message_applies_nothing(api, master, operation, text):
    """What came before it in the stream is not applied either."""
    commit = start(api, master)

    code, details, _ = failure(lambda: modify(api, commit, add("/a", b"1"), operation))

    assert grpc.StatusCode.INVALID_ARGUMENT == code
    assert details.startswith(text)
    assert [] == list(api.ListFile(pb.ListFileRequest(file=pb.File(commit=commit, path="/"))))


def test_pieces_of_one_path_become_one_file(api, master):
    """In the order of the stream, with and without a source; another path between them begins anew."""
    commit = start(api, master)
    modify(api, commit, add("/a"), add("/a", b"1"), add("/a", b"2"), add("/b"), add("/a", b"3"))

    got = [message.value for message in api.GetFile(pb.GetFileRequest(file=pb.File(commit=commit, path="/a")))]
    empty = [message.value for message in api.GetFile(pb.GetFileRequest(file=pb.File(commit=commit, path="/b")))]

    assert b"123" == b"".join(got)
    assert [b""] == empty


def test_waiting_for_a_commit_ends_when_it_is_finished(api, master):
    """The call is answered by the event, with the commit as it is then."""
    commit = start(api, master)
    waiting = api.InspectCommit.future(pb.InspectCommitRequest(commit=commit, wait=pb.FINISHED), timeout=WAIT)

    finish(api, commit)

    assert waiting.result().HasField("finished")
    assert waiting.result().HasField("details")


def test_an_open_commit_shows_no_end(api, master):
    """Clients test these fields for presence."""
    info = api.InspectCommit(pb.InspectCommitRequest(commit=start(api, master)))

    assert info.HasField("started")
    assert not any(info.HasField(field) for field in ("finishing", "finished", "details", "parent_commit"))


def test_waiting_for_a_commit_that_is_deleted_ends(api, repo, master):
    """With the text that clients match."""
    commit = start(api, master)
    waiting = api.InspectCommit.future(pb.InspectCommitRequest(commit=commit, wait=pb.FINISHED), timeout=WAIT)

    api.DeleteRepo(pb.DeleteRepoRequest(repo=repo_message(repo)))

    with pytest.raises(grpc.RpcError) as caught:
        waiting.result()
    assert "not found" in caught.value.details() or "was deleted" in caught.value.details()


def test_a_subscription_gives_old_and_new_commits_once(api, master):
    """Oldest first, each when it has reached the state; the first one is left out when asked."""
    first = start(api, master)
    finish(api, first)
    second = start(api, master)
    request = pb.SubscribeCommitRequest(repo=repo_message(master.repo), branch="master", state=pb.FINISHED)
    everything = api.SubscribeCommit(request, timeout=WAIT)
    getattr(request, "from").CopyFrom(first)
    later = api.SubscribeCommit(request, timeout=WAIT)

    assert first.id == next(everything).commit.id
    finish(api, second)
    assert second.id == next(everything).commit.id
    assert second.id == next(later).commit.id
    everything.cancel()
    later.cancel()


def test_a_subscription_to_nothing_is_not_found(api):
    """At once, not after for ever."""
    request = pb.SubscribeCommitRequest(repo=pb.Repo(name="none"))

    assert grpc.StatusCode.NOT_FOUND == failure(lambda: api.SubscribeCommit(request, timeout=WAIT))[0]


def test_a_commit_says_which_repo_is_listed(api, repo, master):
    """Where no repo is named, as the official client does with one that was never set."""
    first = start(api, master)
    finish(api, first)
    second = start(api, master)
    phantom = pb.Repo(type="user", project=pb.Project(name="default"))
    head = pb.Commit(repo=phantom, branch=branch_message(master))

    listed = api.ListCommit(pb.ListCommitRequest(repo=phantom, to=head))
    subscription = pb.SubscribeCommitRequest(repo=phantom)
    getattr(subscription, "from").CopyFrom(first)

    assert [second.id, first.id] == [info.commit.id for info in listed]
    assert second.id == next(api.SubscribeCommit(subscription, timeout=WAIT)).commit.id


def test_an_alias_is_answered_with_the_commit_that_it_means(api, repo, master):
    """`repo@ID` of a repo that made none in the set: the one that the set's commits were made from."""
    other = Branch(Repo("default", f"{repo.name}-other"), "master")
    output = Branch(Repo("default", f"{repo.name}-both"), "master")
    for each in (other.repo, output.repo):
        api.CreateRepo(pb.CreateRepoRequest(repo=repo_message(each)))
    both = [branch_message(master), branch_message(other)]
    api.CreateBranch(pb.CreateBranchRequest(branch=branch_message(output), provenance=both))
    head = api.InspectBranch(pb.InspectBranchRequest(branch=branch_message(other))).head

    commit = start(api, master)
    alias = commit_message(Commit(other.repo, commit.id))

    assert head == api.InspectCommit(pb.InspectCommitRequest(commit=alias)).commit
    found = api.InspectCommitSet(pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=commit.id)))
    assert {head.id, commit.id} == {info.commit.id for info in found}
    assert head == api.ListCommit(pb.ListCommitRequest(repo=alias.repo, to=alias)).next().commit


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("FindCommits", pb.FindCommitsRequest(file_path="/a")),
        ("WalkCommitProvenance", pb.WalkCommitProvenanceRequest()),
        ("WalkCommitSubvenance", pb.WalkCommitSubvenanceRequest(start=[pb.CommitPicker()])),
        ("WalkBranchProvenance", pb.WalkBranchProvenanceRequest()),
        ("WalkBranchSubvenance", pb.WalkBranchSubvenanceRequest(start=[pb.BranchPicker()])),
    ],
)
def test_a_search_or_walk_needs_a_start(api, method, request_):
    """And says so before it answers anything."""
    assert grpc.StatusCode.INVALID_ARGUMENT == failure(lambda: getattr(api, method)(request_))[0]


def test_a_search_within_a_deadline_says_how_far_it_came(api, repo, master):
    """It keeps some of the time for that."""
    commit = start(api, master)
    modify(api, commit, add("/a", b"1"))
    finish(api, commit)

    *found, last = api.FindCommits(pb.FindCommitsRequest(start=commit, file_path="/a"), timeout=WAIT)

    assert [commit.id] == [each.found_commit.id for each in found]
    assert (commit.id, 1) == (last.last_searched_commit.id, last.commits_searched)


def test_waiting_for_a_commit_set_gives_each_when_it_is_finished(api, repo, master):
    """The first comes while the second is still open."""
    other = Branch(Repo("default", f"{repo.name}-out"), "master")
    api.CreateRepo(pb.CreateRepoRequest(repo=repo_message(other.repo)))
    api.CreateBranch(pb.CreateBranchRequest(branch=branch_message(other), provenance=[branch_message(master)]))
    first_output = api.InspectBranch(pb.InspectBranchRequest(branch=branch_message(other))).head
    api.FinishCommit(pb.FinishCommitRequest(commit=first_output, force=True))
    commit = start(api, master)
    request = pb.InspectCommitSetRequest(commit_set=pb.CommitSet(id=commit.id), wait=True)
    infos = api.InspectCommitSet(request, timeout=WAIT)

    finish(api, commit)
    first = next(infos)
    output = commit_message(Commit(other.repo, commit.id))
    api.FinishCommit(pb.FinishCommitRequest(commit=output, force=True))
    second = next(infos)

    assert [repo.name, other.repo.name] == [first.commit.repo.name, second.commit.repo.name]
    assert second.HasField("finished")
    assert [] == list(infos)


@pytest.mark.slow
def test_many_waiting_calls_hold_no_thread(api, master):
    """Two hundred calls that wait cost the process no thread, and another call is answered."""
    commit = start(api, master)
    request = pb.InspectCommitRequest(commit=commit, wait=pb.FINISHED)
    few = [api.InspectCommit.future(request, timeout=WAIT) for _ in range(60)]
    before = threading.active_count()

    many = [api.InspectCommit.future(request, timeout=WAIT) for _ in range(140)]
    api.InspectRepo(pb.InspectRepoRequest(repo=repo_message(master.repo)), timeout=WAIT)
    after = threading.active_count()
    finish(api, commit)

    assert all(call.result().HasField("finished") for call in (*few, *many))
    assert after - before < 60


def test_a_page_may_not_be_too_big(api, master):
    """Nor negative, nor missing in reverse."""
    commit = start(api, master)
    for wrong in ({"number": 100_001}, {"number": -1}, {"reverse": True}):
        request = pb.ListFileRequest(file=pb.File(commit=commit, path="/"), **wrong)

        assert grpc.StatusCode.INVALID_ARGUMENT == failure(lambda request=request: api.ListFile(request))[0]


def test_a_missing_file_ends_a_tar_before_its_first_byte(api, master):
    """As it does a get."""
    commit = start(api, master)
    request = pb.GetFileRequest(file=pb.File(commit=commit, path="/none"))

    assert grpc.StatusCode.NOT_FOUND == failure(lambda: api.GetFileTAR(request))[0]
    assert grpc.StatusCode.NOT_FOUND == failure(lambda: api.GetFile(request))[0]


def test_a_tar_is_bounded_by_a_range_of_paths(api, master):
    """The lower bound is in, the upper one is not."""
    commit = start(api, master)
    modify(api, commit, *(add(f"/{name}", b"x") for name in "abcd"))
    request = pb.GetFileRequest(file=pb.File(commit=commit, path="/*"), path_range=pb.PathRange(lower="/b", upper="/d"))

    data = b"".join(message.value for message in api.GetFileTAR(request))

    assert [True, False] == [b"/b" in data and b"/c" in data, b"/a" in data or b"/d" in data]


def test_repos_of_a_project_are_deleted_together(api):
    """Those of others stay; without a project and without `all` nothing goes."""
    project = f"project-{next(_numbers)}"
    api.CreateProject(pb.CreateProjectRequest(project=pb.Project(name=project)))
    for name in ("one", "two"):
        api.CreateRepo(pb.CreateRepoRequest(repo=repo_message(Repo(project, name))))

    nothing = api.DeleteRepos(pb.DeleteReposRequest())
    gone = api.DeleteRepos(pb.DeleteReposRequest(projects=[pb.Project(name=project)]))

    assert [] == list(nothing.repos)
    assert ["one", "two"] == sorted(repo.name for repo in gone.repos)


def test_a_caller_of_a_missing_project_is_warned(channel):
    """Asking for the cluster never fails."""
    admin = admin_v2_pb2_grpc.APIStub(channel)

    info = admin.InspectCluster(admin_v2_pb2.InspectClusterRequest(current_project=pb.Project(name="gone")))

    assert 1 == len(info.warnings)
    assert "gone" in info.warnings[0]


def test_health_is_told_and_watched(channel):
    """Of the server and of its services; an unknown name is not found, or unknown to those who watch."""
    health = health_v1_pb2_grpc.HealthStub(channel)
    serving, unknown = health_v1_pb2.HealthCheckResponse.SERVING, health_v1_pb2.HealthCheckResponse.SERVICE_UNKNOWN

    def watch(name):
        return next(health.Watch(health_v1_pb2.HealthCheckRequest(service=name), timeout=WAIT)).status

    assert serving == health.Check(health_v1_pb2.HealthCheckRequest()).status
    assert serving == health.Check(health_v1_pb2.HealthCheckRequest(service="pfs_v2.API")).status
    assert [serving, unknown] == [watch(""), watch("none")]
    assert (
        grpc.StatusCode.NOT_FOUND == failure(lambda: health.Check(health_v1_pb2.HealthCheckRequest(service="none")))[0]
    )


def test_authentication_is_not_activated(channel):
    """The text by which clients know it."""
    auth = auth_v2_pb2_grpc.APIStub(channel)

    code, text, _ = failure(lambda: auth.WhoAmI(auth_v2_pb2.WhoAmIRequest()))

    assert grpc.StatusCode.UNIMPLEMENTED == code
    assert text.startswith("the auth service is not activated")


@pytest.mark.slow
def test_everything_can_be_deleted(tmp_path):
    """What is left is the project `default`, empty."""
    with running_server(tmp_path) as server, grpc.insecure_channel(server.grpc_address) as channel:
        api = pfs_v2_pb2_grpc.APIStub(channel)
        api.CreateProject(pb.CreateProjectRequest(project=pb.Project(name="p")))
        for repo in (Repo("p", "r"), Repo("default", "r")):
            api.CreateRepo(pb.CreateRepoRequest(repo=repo_message(repo)))

        api.DeleteAll(Empty())

        assert [] == list(api.ListRepo(pb.ListRepoRequest()))
        assert ["default"] == [info.project.name for info in api.ListProject(pb.ListProjectRequest())]


def test_the_lake_tells_where_its_bytes_are(lake, server):
    """The id is that of its `lake.json`, and the store a folder below the root."""
    answer = lake.GetLake(howdah_v1_pb2.GetLakeRequest())

    assert (server.lake_id, (server.root / "lake").as_uri()) == (answer.lake_id, answer.store_url)


def test_a_fileset_is_opened_by_its_commit(api, lake, master):
    """Its root is the one that the lake has; the time is there once it was closed."""
    commit = start(api, master)
    modify(api, commit, add("/a", b"1"))
    request = howdah_v1_pb2.OpenFilesetRequest(commit=commit)

    still_open = lake.OpenFileset(request)
    finish(api, commit)
    closed = lake.OpenFileset(request)

    assert still_open.root == closed.root
    assert [False, True] == [still_open.HasField("committed"), closed.HasField("committed")]


def test_a_lease_is_given_renewed_and_lost(api, lake, master):
    """Before anything is stored; an unknown one is a conflict."""
    started = lake.StartWrite(howdah_v1_pb2.StartWriteRequest(commit=start(api, master)))
    lake.RenewWrite(howdah_v1_pb2.RenewWriteRequest(lease_id=started.lease_id))

    code, _, kind = failure(lambda: lake.RenewWrite(howdah_v1_pb2.RenewWriteRequest(lease_id="none")))

    assert started.lease_seconds > 0
    assert (grpc.StatusCode.ABORTED, "lease_expired") == (code, kind)
