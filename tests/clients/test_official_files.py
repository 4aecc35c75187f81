# SPDX-License-Identifier: Apache-2.0
"""Versioned files through the official client, unmodified, against a real server."""

import io
import itertools
import os

import grpc
import pytest
from pachyderm_sdk.api import pfs
from pachyderm_sdk.errors import AuthServiceNotActivated

MIB = 1 << 20

_numbers = itertools.count(1)


@pytest.fixture
def master(repo):
    return pfs.Branch(repo=repo, name="master")


def at(branch, path):
    """The file of that path at the branch's head."""
    return pfs.File(commit=pfs.Commit(branch=branch, repo=branch.repo), path=path)


def put(client, branch, files):
    """One commit with these files, finished."""
    with client.pfs.commit(branch=branch) as commit:
        for path, data in files.items():
            commit.put_file_from_bytes(path=path, data=data)
    return commit


def read(client, file):
    return client.pfs.pfs_file(file).read()


def paths(infos):
    return [info.file.path for info in infos]


def code_of(call):
    """The code and text by which a call fails; a stream fails when it is read."""
    with pytest.raises(grpc.RpcError) as caught:
        list(call()) if callable(call) else list(call)
    return caught.value.code(), caught.value.details()


def test_a_server_introduces_itself(client, server):
    """The version is the protocol's, and the deployment has the lake's id."""
    version = client.get_version()
    info = client.admin.inspect_cluster()

    assert (2, 12) == (version.major, version.minor)
    assert server.lake_id == info.deployment_id
    assert info.warnings_ok


def test_nobody_has_to_log_in(client):
    """Clients recognise a server without authentication."""
    with pytest.raises(AuthServiceNotActivated):
        client.auth.who_am_i()


def test_a_project_is_made_shown_and_deleted(client):
    """Its description can be changed, and a project with repos is not deleted without force."""
    project = pfs.Project(name="science")
    client.pfs.create_project(project=project, description="first")
    client.pfs.create_project(project=project, description="second", update=True)
    client.pfs.create_repo(repo=pfs.Repo(name="inside", type="user", project=project))

    seen = client.pfs.inspect_project(project=project)
    refused, _ = code_of(lambda: client.pfs.delete_project(project=project))
    client.pfs.delete_project(project=project, force=True)

    assert "second" == seen.description
    assert grpc.StatusCode.FAILED_PRECONDITION == refused
    assert not client.pfs.project_exists(project)
    assert "default" in [info.project.name for info in client.pfs.list_project()]


def test_a_repo_is_made_shown_and_deleted(client, repo):
    """It exists until it is deleted; deleting what is not there says so and is no error."""
    seen = client.pfs.inspect_repo(repo=repo)
    first = client.pfs.delete_repo(repo=repo)
    second = client.pfs.delete_repo(repo=repo)

    assert (repo.name, "user", "default") == (seen.repo.name, seen.repo.type, seen.repo.project.name)
    assert (True, False) == (first.deleted, second.deleted)
    assert not client.pfs.repo_exists(repo)


def test_a_branch_is_made_shown_and_deleted(client, repo):
    """A branch without a head gets an empty finished commit; listed branches come newest first."""
    for name in ("one", "two"):
        client.pfs.create_branch(branch=pfs.Branch(repo=repo, name=name))

    seen = client.pfs.inspect_branch(branch=pfs.Branch(repo=repo, name="one"))
    head = client.pfs.inspect_commit(commit=pfs.Commit(repo=repo, id=seen.head.id))
    listed = [info.branch.name for info in client.pfs.list_branch(repo=repo)]
    client.pfs.delete_branch(branch=pfs.Branch(repo=repo, name="one"))

    assert ["two", "one"] == listed
    assert pfs.OriginKind.AUTO == head.origin.kind
    assert not client.pfs.branch_exists(pfs.Branch(repo=repo, name="one"))


def test_a_commit_is_opened_and_closed(client, master):
    """It is finished when it was closed, and no branch is in its answer."""
    started = client.pfs.start_commit(branch=master, description="why")
    open_info = client.pfs.inspect_commit(commit=started)
    client.pfs.finish_commit(commit=started)
    info = client.pfs.wait_commit(commit=started)

    assert ("why", "") == (open_info.description, open_info.commit.branch.name)
    assert client.pfs.commit_exists(started)
    assert info.finished > info.started
    assert [started.id] == [each.commit.id for each in client.pfs.list_commit(repo=master.repo)]


def test_a_commit_set_is_inspected_and_listed(client, repo, master):
    """A commit downstream is made with the one that causes it, and both are in its set."""
    follower = pfs.Repo.from_uri(f"follower-{next(_numbers)}")
    client.pfs.create_repo(repo=follower)
    client.pfs.create_branch(branch=pfs.Branch(repo=follower, name="master"), provenance=[master])
    commit = put(client, master, {"/a": b"1"})

    infos = list(client.pfs.inspect_commit_set(commit_set=pfs.CommitSet(id=commit.id)))
    newest = next(iter(client.pfs.list_commit_set()))

    assert [repo.name, follower.name] == [info.commit.repo.name for info in infos]
    assert commit.id == newest.commit_set.id


def test_bytes_are_put_replaced_and_appended(client, master):
    """A put replaces what was there, an append adds to it, and an empty file is a file."""
    with client.pfs.commit(branch=master) as commit:
        commit.put_file_from_bytes(path="/a", data=b"old")
        commit.put_file_from_bytes(path="/a", data=b"new")
        commit.put_file_from_bytes(path="/a", data=b"er", append=True)
        commit.put_file_from_bytes(path="/empty", data=b"")

    assert b"newer" == read(client, at(master, "/a"))
    assert b"" == read(client, at(master, "/empty"))


def test_a_later_commit_adds_to_the_one_before(client, master):
    """What is not touched stays, an append goes on where the parent ended, and a deleted file is gone."""
    put(client, master, {"/stays": b"s", "/grows": b"1", "/goes": b"g"})
    with client.pfs.commit(branch=master) as commit:
        commit.put_file_from_bytes(path="/grows", data=b"2", append=True)
        commit.delete_file(path="/goes")

    assert ["/grows", "/stays"] == paths(client.pfs.list_file(file=at(master, "/")))
    assert b"12" == read(client, at(master, "/grows"))


def test_an_open_commit_shows_what_was_written_so_far(client, master):
    """The parent's files and its own, before it is finished."""
    put(client, master, {"/old": b"o"})
    commit = client.pfs.start_commit(branch=master)
    client.pfs.put_file_from_bytes(commit=commit, path="/new", data=b"n")

    seen = paths(client.pfs.list_file(file=pfs.File(commit=commit, path="/")))

    assert ["/new", "/old"] == seen


@pytest.mark.slow
def test_a_file_of_several_messages_comes_back(client, master):
    """25 MiB go in in two messages and come back in more than one, none over 20 MiB."""
    data = os.urandom(MIB) * 25
    with client.pfs.commit(branch=master) as commit:
        commit.put_file_from_file(path="/big", file=io.BytesIO(data))

    messages = [message.value for message in client.pfs.get_file(file=at(master, "/big"))]

    assert len(messages) > 1
    assert max(map(len, messages)) < 20 * MIB
    assert data == b"".join(messages)


def test_a_file_is_read_from_an_offset(client, master):
    """The bytes before the offset are left out."""
    put(client, master, {"/a": b"0123456789"})

    got = b"".join(message.value for message in client.pfs.get_file(file=at(master, "/a"), offset=7))

    assert b"789" == got


@pytest.mark.slow
def test_a_folder_of_many_files_goes_into_one_commit(client, master, tmp_path):
    """The client opens one stream for each file; all of them end up in the commit."""
    for number in range(100):
        (tmp_path / f"{number:03}").write_bytes(b"%d" % number)

    with client.pfs.commit(branch=master) as commit:
        commit.put_files(source=tmp_path, path="/many")

    seen = list(client.pfs.list_file(file=at(master, "/many")))
    assert 100 == len(seen)
    assert b"42" == read(client, at(master, "/many/042"))


def test_a_file_is_copied_without_its_bytes(client, master):
    """A copy, also from another commit, equals its source."""
    before = put(client, master, {"/dir/a": b"a", "/dir/b": b"b"})
    with client.pfs.commit(branch=master) as commit:
        commit.copy_file(src=pfs.File(commit=pfs.Commit(repo=master.repo, id=before.id), path="/dir"), dst="/copy")

    infos = {info.file.path: info for info in client.pfs.walk_file(file=at(master, "/"))}

    assert ["/", "/copy/", "/copy/a", "/copy/b", "/dir/", "/dir/a", "/dir/b"] == list(infos)
    assert infos["/dir/a"].hash == infos["/copy/a"].hash


def test_a_folder_is_deleted_by_its_slash(client, master):
    """Everything below it goes; a file whose name begins alike stays."""
    put(client, master, {"/d/a": b"1", "/d/e/f": b"2", "/d-not": b"3"})
    with client.pfs.commit(branch=master) as commit:
        commit.delete_file(path="/d/")

    assert ["/d-not"] == paths(client.pfs.list_file(file=at(master, "/")))


def test_files_are_listed_walked_and_globbed(client, master):
    """In the order of their bytes with the slash of a directory; a star stays in its directory."""
    put(client, master, {"/a/x.txt": b"1", "/a/y/z.txt": b"22", "/a-b": b"3", "/c.txt": b"4"})

    assert ["/a-b", "/a/", "/c.txt"] == paths(client.pfs.list_file(file=at(master, "/")))
    assert ["/a/", "/a/x.txt", "/a/y/", "/a/y/z.txt"] == paths(client.pfs.walk_file(file=at(master, "/a")))
    assert ["/c.txt"] == paths(client.pfs.glob_file(commit=at(master, "").commit, pattern="/*.txt"))
    assert ["/a/x.txt", "/a/y/z.txt", "/c.txt"] == paths(
        client.pfs.glob_file(commit=at(master, "").commit, pattern="/**.txt")
    )
    assert [] == list(client.pfs.glob_file(commit=at(master, "").commit, pattern="/none*"))


def test_a_directory_is_inspected_like_a_file(client, master):
    """Its path ends with a slash, its size is that of its files; commit and time are filled."""
    commit = put(client, master, {"/a/x": b"1", "/a/y": b"22"})

    info = client.pfs.inspect_file(file=at(master, "/a"))

    assert ("/a/", pfs.FileType.DIR, 3) == (info.file.path, info.file_type, info.size_bytes)
    assert (commit.id, master.repo.name) == (info.file.commit.id, info.file.commit.repo.name)
    assert info.committed == client.pfs.inspect_commit(commit=commit).finishing
    assert len(info.hash) == 32


def test_a_listing_goes_on_after_a_marker(client, master):
    """Pages of two, each after the last file of the one before; in reverse, before it."""
    put(client, master, {f"/{name}": b"" for name in "abcde"})
    root = at(master, "/")

    first = list(client.pfs.list_file(file=root, number=2))
    second = client.pfs.list_file(file=root, number=2, pagination_marker=first[-1].file)
    back = client.pfs.list_file(file=root, number=2, pagination_marker=at(master, "/d"), reverse=True)
    walked = client.pfs.walk_file(file=root, number=2, pagination_marker=at(master, "/d"), reverse=True)

    assert ["/a", "/b"] == paths(first)
    assert ["/c", "/d"] == paths(second)
    assert ["/c", "/b"] == paths(back)
    assert ["/c", "/b"] == paths(walked)


def test_a_walk_stops_at_its_number(client, master):
    """The first files of the walk, and then those after the marker."""
    put(client, master, {"/d/a": b"", "/d/b": b"", "/e": b""})

    first = paths(client.pfs.walk_file(file=at(master, "/"), number=3))
    rest = paths(client.pfs.walk_file(file=at(master, "/"), pagination_marker=at(master, first[-1])))

    assert ["/", "/d/", "/d/a"] == first
    assert ["/d/b", "/e"] == rest


def test_a_diff_shows_what_is_new_gone_and_changed(client, master):
    """Against the parent by default: new alone, old alone, or both sides."""
    put(client, master, {"/same": b"s", "/gone": b"g", "/changed": b"1"})
    with client.pfs.commit(branch=master) as commit:
        commit.delete_file(path="/gone")
        commit.put_file_from_bytes(path="/changed", data=b"2")
        commit.put_file_from_bytes(path="/new", data=b"n")

    pairs = [
        (each.new_file.file.path if each.new_file.file else "", each.old_file.file.path if each.old_file.file else "")
        for each in client.pfs.diff_file(new_file=at(master, "/"))
    ]

    assert [("/", "/"), ("/changed", "/changed"), ("", "/gone"), ("/new", "")] == pairs


def test_a_first_commit_is_compared_with_nothing(client, master):
    """All of it is new."""
    put(client, master, {"/a": b"1"})

    pairs = [each.new_file.file.path for each in client.pfs.diff_file(new_file=at(master, "/"))]

    assert ["/", "/a"] == pairs


def test_a_folder_comes_back_as_a_tar(client, master, tmp_path):
    """Names in order with directories, long and foreign ones too; contents as they were put."""
    long = "/d/" + "n" * 200
    files = {"/a": b"1", "/d/x": b"22", long: b"long", "/d/ü": b"umlaut", "/e": b""}
    put(client, master, files)

    with client.pfs.pfs_tar_file(at(master, "/")) as tar:
        tar.extractall(tmp_path)

    assert files == {
        "/" + str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    }


def test_a_tar_of_a_pattern_holds_what_matches(client, master):
    """The directories that match and what is below them, each once."""
    put(client, master, {"/a1/x": b"1", "/a2": b"2", "/b/a3": b"3"})

    with client.pfs.pfs_tar_file(at(master, "/a*")) as tar:
        names = [member.name for member in tar]

    assert ["a1", "a1/x", "a2"] == names


def test_a_write_to_a_branch_is_a_commit_of_its_own(client, master):
    """Without an open commit each stream makes a finished one."""
    commit = pfs.Commit(branch=master, repo=master.repo)
    client.pfs.put_file_from_bytes(commit=commit, path="/a", data=b"1")
    client.pfs.put_file_from_bytes(commit=commit, path="/b", data=b"2")

    infos = list(client.pfs.list_commit(repo=master.repo))

    assert 2 == len(infos)
    assert all(info.finished for info in infos)
    assert ["/a", "/b"] == paths(client.pfs.list_file(file=at(master, "/")))


def test_a_finished_commit_is_written_no_more(client, master):
    """Neither by its id nor by finishing it again; the text says so first."""
    commit = put(client, master, {"/a": b"1"})

    _, written = code_of(lambda: client.pfs.put_file_from_bytes(commit=commit, path="/b", data=b"2"))
    _, finished = code_of(lambda: client.pfs.finish_commit(commit=commit))

    assert written.startswith(f"commit default/{master.repo.name}@{commit.id} has already finished")
    assert finished.startswith(f"commit default/{master.repo.name}@{commit.id} has already finished")


def test_what_is_missing_is_not_found(client, repo, master):
    """One code for all, and the texts that clients match."""
    put(client, master, {"/a": b"1"})
    nowhere = pfs.Branch(repo=pfs.Repo.from_uri("nowhere"), name="master")
    nobranch = pfs.Branch(repo=repo, name="nobranch")
    unknown = "0123456789ab4000a000000000000000"

    expected = {
        f"file /x not found in repo default/{repo.name} at commit": lambda: client.pfs.inspect_file(
            file=at(master, "/x")
        ),
        "repo default/nowhere not found": lambda: client.pfs.start_commit(branch=nowhere),
        f"branch nobranch not found in repo default/{repo.name}": lambda: client.pfs.inspect_branch(branch=nobranch),
        f"commit default/{repo.name}@{unknown} not found": lambda: client.pfs.inspect_commit(
            commit=pfs.Commit(repo=repo, id=unknown)
        ),
        f"no commits found for commitset {unknown}": lambda: client.pfs.inspect_commit_set(
            commit_set=pfs.CommitSet(id=unknown)
        ),
    }
    for text, call in expected.items():
        code, details = code_of(call)

        assert (grpc.StatusCode.NOT_FOUND, text) == (code, details[: len(text)])
        assert "\n" not in details


def test_a_name_that_is_taken_already_exists(client, repo):
    """The code and the text say so."""
    code, details = code_of(lambda: client.pfs.create_repo(repo=repo))

    assert grpc.StatusCode.ALREADY_EXISTS == code
    assert "already exists" in details


def test_a_directory_is_not_got_as_a_file(client, master):
    """The text names the call that does it, for one directory and for several files."""
    put(client, master, {"/d/a": b"1", "/d/b": b"2"})

    _, directory = code_of(lambda: client.pfs.get_file(file=at(master, "/d")))
    _, several = code_of(lambda: client.pfs.get_file(file=at(master, "/d/*")))

    assert "Use GetFileTAR instead" in directory
    assert "Use GetFileTAR instead" in several


def test_an_output_branch_is_not_written(client, repo, master):
    """Nobody starts a commit on a branch that follows another."""
    put(client, master, {"/a": b"1"})
    output = pfs.Branch(repo=pfs.Repo.from_uri(f"output-{next(_numbers)}"), name="master")
    client.pfs.create_repo(repo=output.repo)
    client.pfs.create_branch(branch=output, provenance=[master])

    _, details = code_of(lambda: client.pfs.start_commit(branch=output))

    assert details.startswith("cannot start a commit on an output branch")


def test_a_commit_on_an_open_one_is_refused(client, master):
    """The parent must be finished first."""
    client.pfs.start_commit(branch=master)

    _, details = code_of(lambda: client.pfs.start_commit(branch=master))

    assert "parent commit" in details
    assert "has not been finished" in details


def test_ids_and_steps_name_commits(client, repo, master):
    """A branch, an id, and steps back from either."""
    first = put(client, master, {"/a": b"1"})
    second = put(client, master, {"/a": b"2"})

    def found(text):
        return client.pfs.inspect_commit(commit=pfs.Commit(repo=repo, id=text)).commit.id

    assert first.id == found("master^")
    assert first.id == found(f"{second.id}~1")
    assert first.id == found("master.1")
    assert second.id == client.pfs.inspect_commit(commit=pfs.Commit(branch=master)).commit.id


def test_a_new_version_of_a_big_file_stores_what_is_new(server, client, master):
    """The client deletes the path and adds the bytes; what both versions have is not stored again."""
    first = os.urandom(5 * MIB)
    second = first[: 2 * MIB] + b"inserted" + first[2 * MIB :]
    put(client, master, {"/big": first})
    before = stored(server)

    put(client, master, {"/big": second})

    assert stored(server) - before <= 1.5 * MIB
    assert second == read(client, at(master, "/big"))


def stored(server):
    return sum(each.size for each in server.pfs.storage.store.list("chunk/"))
