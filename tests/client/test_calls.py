# SPDX-License-Identifier: Apache-2.0
"""Projects, repos, branches, commits and pipelines by the client."""

import json
import threading

import grpc
import pytest

import howdah
from howdah.client import Client
from howdah.client.address import parse_address
from howdah.client.errors import ERRORS, from_status
from howdah.client.pipelines import _spec_json
from howdah.errors import AlreadyExists, BadRequest, Conflict, ErrorKind, HowdahError, NotFound, Refused, Unavailable
from howdah.model.logs import Speaker
from howdah.model.names import META
from howdah.model.refs import Branch, Commit, CommitRef, Repo
from howdah.model.states import CommitState, OriginKind


def test_the_client_is_in_the_top_package():
    """`howdah.Client` is the one of `howdah.client`, found when it is asked for."""
    assert Client is howdah.Client


def test_repos_have_their_values(client):
    """What was made is answered as a value, with a list in order of name."""
    for name in ("calls-b", "calls-a"):
        client.create_repo(name, description=f"repo {name}", update=True)

    info = client.inspect_repo("calls-a")

    assert (Repo("default", "calls-a"), "repo calls-a", ()) == (info.repo, info.description, info.branches)
    names = [each.repo.name for each in client.list_repos() if each.repo.name.startswith("calls-")]
    assert ["calls-a", "calls-b"] == names
    assert [] == [each for each in client.list_repos(repo_type=META) if each.repo.name.startswith("calls-")]


def test_a_repo_is_removed_once(client, repo):
    """True if there was one."""
    assert client.delete_repo(repo)
    assert not client.delete_repo(repo)


def test_a_project_of_its_own(server, client, repo):
    """A client of a project finds names there first."""
    client.create_project(repo, description="mine")
    with Client(server.grpc_address, project=repo) as ours:
        ours.create_repo("r")
        assert [Repo(repo, "r")] == [each.repo for each in ours.list_repos()]
        with pytest.raises(Refused) as error:
            ours.delete_project(repo)

    assert ErrorKind.HAS_DEPENDANTS is error.value.kind
    assert "mine" == client.inspect_project(repo).description
    assert repo in [each.name for each in client.list_projects()]
    client.delete_project(repo, force=True)


def test_branches_follow_branches(client, repo):
    """Provenance is told in both directions, and a commit above makes one below in the same set."""
    other = repo + "x"
    client.create_repo(other)
    client.create_branch(f"{repo}@above")
    client.create_branch(f"{other}@below", provenance=[f"{repo}@above"])

    commit = client.start_commit(f"{repo}@above")
    client.finish_commit(commit)

    above, below = Branch(Repo("default", repo), "above"), Branch(Repo("default", other), "below")
    assert (above,) == client.inspect_branch(below).direct_provenance
    assert (below,) == client.inspect_branch(above).subvenance
    assert {commit, Commit(Repo("default", other), commit.id)} == {
        info.commit for info in client.inspect_commit_set(commit.id)
    }
    assert OriginKind.AUTO is client.inspect_commit(below).origin
    with pytest.raises(Refused):
        client.delete_branch(above)
    client.delete_branch(below)


def test_commits_are_listed_from_the_newest(client, repo):
    """All, some, backwards, or between two of them."""
    ids = []
    for number in range(4):
        commit = client.start_commit(f"{repo}@master", description=str(number))
        client.finish_commit(commit)
        ids.append(commit.id)

    def listed(**how):
        return [info.commit.id for info in client.list_commits(repo, **how)]

    assert ids[::-1] == listed()
    assert ids[:1:-1] == listed(number=2)
    assert ids == listed(reverse=True)
    assert [ids[2], ids[1]] == listed(to=f"{repo}@master^", from_=Commit(Repo("default", repo), ids[0]))
    assert ids[1] == client.inspect_commit(f"{repo}@master.2").commit.id
    assert ids[3] == client.inspect_commit(CommitRef(Repo("default", repo), "master")).commit.id


def test_a_wait_ends_when_the_commit_does(client, repo):
    """It is woken by the finish, and by its time limit."""
    commit = client.start_commit(f"{repo}@master")
    with pytest.raises(Unavailable) as error:
        client.wait_commit(commit, timeout=0.05)
    threading.Timer(0.05, client.finish_commit, (commit,)).start()

    info = client.wait_commit(f"{repo}@master", timeout=20)

    assert ErrorKind.TIMED_OUT is error.value.kind
    assert CommitState.FINISHED is info.state
    assert [commit] == [each.commit for each in client.wait_commit_set(commit.id, timeout=20)]


@pytest.mark.parametrize(
    ("call", "group", "kind"),
    [
        (lambda c, r: c.create_repo(r), AlreadyExists, ErrorKind.REPO_EXISTS),
        (lambda c, r: c.inspect_repo("absent"), NotFound, ErrorKind.REPO_NOT_FOUND),
        (lambda c, r: c.inspect_branch(f"{r}@absent"), NotFound, ErrorKind.BRANCH_NOT_FOUND),
        (lambda c, r: c.inspect_commit(f"{r}@{'0' * 12}4{'0' * 19}"), NotFound, ErrorKind.COMMIT_NOT_FOUND),
        (lambda c, r: c.create_repo("a b"), BadRequest, ErrorKind.BAD_NAME),
        (lambda c, r: c.start_commit("no-branch"), BadRequest, ErrorKind.BAD_REFERENCE),
        (lambda c, r: c.inspect_pipeline("absent"), NotFound, ErrorKind.PIPELINE_NOT_FOUND),
        (lambda c, r: c.create_pipeline("{"), BadRequest, ErrorKind.BAD_SPEC),
        (lambda c, r: c.create_pipeline({"pipeline": {"name": "p"}, "frob": 1}), BadRequest, ErrorKind.BAD_SPEC),
    ],
)
def test_errors_are_those_of_the_tree(client, repo, call, group, kind):
    """The kind crosses the wire, so it is the same as if the server had been a function."""
    with pytest.raises(group) as error:
        call(client, repo)

    assert kind is error.value.kind


class Status(grpc.RpcError, grpc.Call):
    """A call that ended with a status."""

    def __init__(self, code, details, metadata=()):
        self._answer = code, details, metadata

    def code(self):
        return self._answer[0]

    def details(self):
        return self._answer[1]

    def trailing_metadata(self):
        return self._answer[2]

    initial_metadata = is_active = time_remaining = cancel = add_callback = None


Status.__abstractmethods__ = frozenset()


def test_every_code_means_an_error():
    """Also without a kind, as another server would send it; what is not in the table is a fault of the server."""
    for code in set(grpc.StatusCode) - {grpc.StatusCode.OK}:
        error = from_status(Status(code, "a text"), "host:1")
        assert isinstance(error, ERRORS.get(code, (HowdahError, None))[0])
        assert "a text" in error.message or code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_the_kind_of_a_newer_server_does_no_harm():
    """The group says what to do even if the kind is unknown."""
    error = from_status(Status(grpc.StatusCode.ABORTED, "x", (("howdah-kind", "of_tomorrow"),)), "host:1")

    assert isinstance(error, Conflict)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("localhost", "localhost:30650"),
        ("10.0.0.1:1", "10.0.0.1:1"),
        ("grpc://h:2", "h:2"),
        ("https://h", "grpcs://h:30650"),
        ("[::1]:5", "[::1]:5"),
    ],
)
def test_addresses_are_read(text, shown):
    """With and without scheme and port."""
    assert shown == str(parse_address(text))


@pytest.mark.parametrize("text", ["", "h:x", "h:99999", "ftp://h", "h/path", "u@h", "grpc://"])
def test_bad_addresses_are_refused(text):
    """The text says what one looks like."""
    with pytest.raises(BadRequest):
        parse_address(text)


def test_a_spec_goes_as_it_was_written():
    """JSON is sent as it is, YAML as JSON of the same; a project is filled in where it would be missed."""
    text = '{"pipeline": {"name": "p"},\n "transform": {}}'

    assert text == _spec_json(text, "default")
    assert json.loads(text) == json.loads(_spec_json("pipeline: {name: p}\ntransform: {}", "default"))
    assert {"name": "p", "project": {"name": "x"}} == json.loads(_spec_json(text, "x"))["pipeline"]
    with pytest.raises(BadRequest):
        _spec_json("a: 1\n---\nb: 2", "default")


def test_a_pipeline_is_made_and_shown(client, repo):
    """Its spec comes back as it was given, and in effect; stopped and started it says so."""
    name = f"{repo}-p"
    spec = {
        "pipeline": {"name": name},
        "input": {"pfs": {"repo": repo, "glob": "/*"}},
        "transform": {"cmd": ["true"]},
        "description": "nothing",
    }

    client.create_pipeline(spec)
    with pytest.raises(AlreadyExists):
        client.create_pipeline(spec)
    client.create_pipeline({**spec, "description": "something"}, update=True)

    info = client.inspect_pipeline(name)
    assert (2, "something", ("true",)) == (info.version, info.description, info.cmd)
    assert spec["input"]["pfs"]["repo"] == json.loads(info.user_spec)["input"]["pfs"]["repo"]
    assert name in [each.pipeline.name for each in client.list_pipelines()]
    jobs = list(client.list_jobs(name))
    assert {name} == {each.job.pipeline.name for each in jobs}
    assert jobs[0].job == client.inspect_job(jobs[0].job).job
    client.stop_pipeline(name)
    assert client.inspect_pipeline(name).stopped
    client.start_pipeline(name)
    assert [] == list(client.logs(pipeline=name, speakers=[Speaker.USER]))
    assert {Speaker.MASTER} == {line.speaker for line in client.logs(pipeline=name)}
    client.delete_pipeline(name)
    with pytest.raises(NotFound):
        client.inspect_pipeline(name)
