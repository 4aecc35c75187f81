# SPDX-License-Identifier: Apache-2.0
"""What users of `pachyderm-sdk` do; the same for every version of it. Run with the server's address and a folder."""

import io
import itertools
import json
import os
import sys
from pathlib import Path

from pachyderm_sdk import Client
from pachyderm_sdk.api import logs, metadata, pfs, pps
from pachyderm_sdk.api.transaction import TransactionRequest
from pachyderm_sdk.errors import AuthServiceNotActivated
from steps import refused, run, step

_numbers = itertools.count(1)
UPPER = "for file in /pfs/*/*; do tr a-z A-Z < $file > /pfs/out/$(basename $file); done"


def new_repo(client: Client) -> pfs.Repo:
    made = pfs.Repo.from_uri(f"repo-{next(_numbers)}")
    client.pfs.create_repo(repo=made)
    return made


def new_branch(client: Client) -> pfs.Branch:
    return pfs.Branch(repo=new_repo(client), name="master")


def put(client: Client, branch: pfs.Branch, files: dict[str, bytes]) -> pfs.Commit:
    with client.pfs.commit(branch=branch) as commit:
        for path, data in files.items():
            commit.put_file_from_bytes(path=path, data=data)
    return commit


def at(branch: pfs.Branch, path: str) -> pfs.File:
    return pfs.File(commit=pfs.Commit(branch=branch, repo=branch.repo), path=path)


def read(client: Client, file: pfs.File) -> bytes:
    with client.pfs.pfs_file(file) as opened:
        return opened.read()


def paths(infos):
    return [info.file.path for info in infos]


@step
def the_server_introduces_itself(client, folder):
    assert (client.get_version().major, client.get_version().minor) == (2, 12)
    assert client.admin.inspect_cluster().deployment_id
    try:
        client.auth.who_am_i()
    except AuthServiceNotActivated:
        return
    raise AssertionError("somebody is logged in")


@step
def a_config_file_leads_to_the_server(client, folder):
    context = {"pachd_address": f"grpc://{client.address}"}
    path = folder / "config.json"
    path.write_text(json.dumps({"v2": {"active_context": "here", "contexts": {"here": context}}}))

    assert Client.from_config(path).get_version() == client.get_version()


@step
def projects_repos_and_branches_come_and_go(client, folder):
    project = pfs.Project(name="science")
    repo = pfs.Repo(name="inside", type="user", project=project)
    branch = pfs.Branch(repo=repo, name="master")
    client.pfs.create_project(project=project, description="why")
    client.pfs.create_repo(repo=repo)
    client.pfs.create_branch(branch=branch)

    assert "why" == client.pfs.inspect_project(project=project).description
    assert client.pfs.branch_exists(branch)
    assert client.pfs.repo_exists(repo)
    assert ["inside"] == [info.repo.name for info in client.pfs.list_repo(projects=[project])]
    assert ["master"] == [info.branch.name for info in client.pfs.list_branch(repo=repo)]
    assert "ALREADY_EXISTS" in refused(lambda: client.pfs.create_repo(repo=repo))
    client.pfs.delete_branch(branch=branch)
    assert client.pfs.delete_repo(repo=repo).deleted
    client.pfs.delete_project(project=project)
    assert not client.pfs.project_exists(project)


@step
def commits_are_opened_closed_and_listed(client, folder):
    branch = new_branch(client)
    started = client.pfs.start_commit(branch=branch, description="first")
    client.pfs.put_file_from_bytes(commit=started, path="/a", data=b"1")
    client.pfs.finish_commit(commit=started)
    second = put(client, branch, {"/b": b"2"})

    assert client.pfs.wait_commit(started).description == "first"
    assert [info.commit.id for info in second.wait_all()] == [second.id]
    assert [second.id, started.id] == [info.commit.id for info in client.pfs.list_commit(repo=branch.repo)]
    assert second.id == next(iter(client.pfs.list_commit_set())).commit_set.id
    told = client.pfs.subscribe_commit(repo=branch.repo, branch="master", state=pfs.CommitState.STARTED)
    assert [started.id, second.id] == [next(told).commit.id for _ in range(2)]
    assert "has already finished" in refused(lambda: client.pfs.finish_commit(commit=started))


@step
def an_error_within_a_commit_closes_it_all_the_same(client, folder):
    branch = new_branch(client)
    assert "ValueError" in refused(lambda: failing_commit(client, branch))

    (info,) = client.pfs.list_commit(repo=branch.repo)
    assert info.finished


def failing_commit(client, branch):
    with client.pfs.commit(branch=branch) as commit:
        commit.put_file_from_bytes(path="/a", data=b"1")
        raise ValueError


@step
def bytes_are_put_replaced_appended_copied_and_deleted(client, folder):
    branch = new_branch(client)
    with client.pfs.commit(branch=branch) as commit:
        commit.put_file_from_bytes(path="/a", data=b"old")
        commit.put_file_from_bytes(path="/a", data=b"new")
        commit.put_file_from_bytes(path="/a", data=b"er", append=True)
        commit.put_file_from_bytes(path="/empty", data=b"")
        commit.put_file_from_bytes(path="/gone/x", data=b"x")
    with client.pfs.commit(branch=branch) as commit:
        commit.copy_file(src=at(branch, "/a"), dst="/copy")
        commit.delete_file(path="/gone/")

    assert (b"newer", b"newer", b"") == tuple(read(client, at(branch, path)) for path in ("/a", "/copy", "/empty"))
    assert ["/a", "/copy", "/empty"] == paths(client.pfs.list_file(file=at(branch, "/")))
    assert client.pfs.path_exists(at(branch, "/a"))
    assert not client.pfs.path_exists(at(branch, "/gone"))


@step
def a_file_of_several_messages_comes_back(client, folder):
    branch, data = new_branch(client), os.urandom(1 << 20) * 21
    with client.pfs.commit(branch=branch) as commit:
        commit.put_file_from_file(path="/big", file=io.BytesIO(data))

    assert data == read(client, at(branch, "/big"))
    offset = len(data) - 5
    assert data[offset:] == b"".join(m.value for m in client.pfs.get_file(file=at(branch, "/big"), offset=offset))


@step
def a_folder_goes_in_and_comes_out_as_a_tar(client, folder):
    branch, source = new_branch(client), folder / "source"
    files = {"a": b"1", "sub/b": b"2", "sub/" + "n" * 150: b"long"}
    for name, data in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    with client.pfs.commit(branch=branch) as commit:
        commit.put_files(source=source, path="/put")

    with client.pfs.pfs_tar_file(at(branch, "/put")) as tar:
        tar.extractall(folder / "target")

    target = folder / "target" / "put"
    got = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert files == got, got


@step
def files_are_listed_walked_globbed_and_paged(client, folder):
    branch = new_branch(client)
    commit = put(client, branch, {"/a/x.txt": b"1", "/a/y": b"22", "/b.txt": b"3", "/c": b"4"})
    head = pfs.Commit(branch=branch, repo=branch.repo)

    first = list(client.pfs.list_file(file=at(branch, "/"), number=2))
    rest = client.pfs.list_file(file=at(branch, "/"), number=2, pagination_marker=first[-1].file)
    # A page's last file as text and back is what the Jupyter extension sends for the next page.
    marker = pfs.File.from_uri(str(first[-1].file))
    assert f"default/{branch.repo.name}@{commit.id}:/b.txt" == str(first[-1].file), str(first[-1].file)
    assert ["/a/", "/b.txt"] == paths(first)
    assert ["/c"] == paths(rest)
    assert ["/c"] == paths(client.pfs.list_file(file=at(branch, "/"), pagination_marker=marker))
    assert (commit.id, branch.repo.name) == (first[0].file.commit.id, first[0].file.commit.repo.name)
    assert ["/a/", "/a/x.txt", "/a/y"] == paths(client.pfs.walk_file(file=at(branch, "/a")))
    assert ["/a/x.txt", "/b.txt"] == paths(client.pfs.glob_file(commit=head, pattern="/**.txt"))
    assert client.pfs.inspect_file(file=at(branch, "/a")).file_type == pfs.FileType.DIR


@step
def what_differs_is_shown(client, folder):
    branch = new_branch(client)
    put(client, branch, {"/same": b"s", "/changed": b"old"})
    put(client, branch, {"/changed": b"new", "/added": b"a"})

    sides = [(d.old_file.file.path, d.new_file.file.path) for d in client.pfs.diff_file(new_file=at(branch, "/"))]

    assert [("", "/added"), ("/changed", "/changed")] == [each for each in sides if "/" != each[1]]


@step
def what_is_missing_is_not_found(client, folder):
    branch = new_branch(client)
    put(client, branch, {"/a": b"1"})
    nowhere = pfs.Branch(repo=pfs.Repo.from_uri("nowhere"), name="master")

    assert not client.pfs.repo_exists(nowhere.repo)
    assert not client.pfs.branch_exists(nowhere)
    assert not client.pfs.commit_exists(pfs.Commit(repo=branch.repo, id="0123456789ab4000a000000000000000"))
    assert refused(lambda: client.pfs.inspect_file(file=at(branch, "/x"))).startswith("NOT_FOUND: file /x not found")


@step
def transactions_are_made_whole_or_not_at_all(client, folder):
    branches = [new_branch(client) for _ in range(2)]
    with client.transaction.transaction() as transaction:
        commits = [client.pfs.start_commit(branch=branch) for branch in branches]
    assert [transaction.id] * 2 == [commit.id for commit in commits]
    for commit in commits:
        client.pfs.finish_commit(commit=commit)

    never = pfs.Repo(name="never", type="user")
    assert "ALREADY_EXISTS" in refused(lambda: failing_transaction(client, never, branches[0].repo))
    assert not client.pfs.repo_exists(never)
    asked = [TransactionRequest(start_commit=pfs.StartCommitRequest(branch=branch)) for branch in branches]
    info = client.transaction.batch_transaction(requests=asked)
    assert [info.transaction.id] * 2 == [answer.commit.id for answer in info.responses]


def failing_transaction(client, never, taken):
    with client.transaction.transaction():
        client.pfs.create_repo(repo=never)
        client.pfs.create_repo(repo=taken)


@step
def commits_are_squashed_and_dropped(client, folder):
    branch = new_branch(client)
    ids = [put(client, branch, {f"/{number}": b""}).id for number in range(3)]
    client.pfs.squash_commit_set(commit_set=pfs.CommitSet(id=ids[0]))
    client.pfs.drop_commit_set(commit_set=pfs.CommitSet(id=ids[2]))

    assert [ids[1]] == [info.commit.id for info in client.pfs.list_commit(repo=branch.repo)]
    assert ["/0", "/1"] == paths(client.pfs.list_file(file=at(branch, "/")))


@step
def commits_that_touched_a_file_are_found(client, folder):
    branch = new_branch(client)
    ids = [put(client, branch, {path: b"%d" % n}).id for n, path in enumerate(["/a", "/b", "/a"])]

    answers = list(client.pfs.find_commits(start=pfs.Commit(repo=branch.repo, id=ids[2]), file_path="/a"))

    assert [ids[2], ids[0]] == [each.found_commit.id for each in answers if each.found_commit.id]


@step
def file_sets_are_made_and_added_to_a_commit(client, folder):
    branch = new_branch(client)
    added = [pfs.ModifyFileRequest(add_file=pfs.AddFile(path=path, raw=b"1")) for path in ("/a", "/b")]
    made = client.pfs.create_file_set(iter(added)).file_set_id
    client.pfs.renew_file_set(file_set_id=made, ttl_seconds=60)
    with client.pfs.commit(branch=branch) as commit:
        client.pfs.add_file_set(commit=commit, file_set_id=made)

    assert ["/a", "/b"] == paths(client.pfs.list_file(file=at(branch, "/")))


@step
def labels_are_edited_and_shown(client, folder):
    branch = new_branch(client)
    picker = branch.repo.as_picker()
    edit = metadata.Edit(repo=picker, add_key=metadata.EditAddKey(key="k", value="v"))
    client.metadata.edit_metadata(edits=[edit])

    assert {"k": "v"} == client.pfs.inspect_repo(repo=branch.repo).metadata


@step
def a_pipeline_runs_and_its_output_is_read(client, folder):
    branch, pipeline = new_branch(client), pps.Pipeline(name="upper")
    commit = put(client, branch, {"/a": b"alpha", "/b": b"beta"})
    client.pps.create_pipeline(
        pipeline=pipeline,
        transform=pps.Transform(cmd=["sh"], stdin=[UPPER]),
        input=pps.Input(pfs=pps.PfsInput(repo=branch.repo.name, glob="/*")),
    )
    job = next(client.pps.list_job(pipeline=pipeline)).job
    info = client.pps.inspect_job(job=job, wait=True)

    assert (pps.JobState.JOB_SUCCESS, 2) == (info.state, info.data_processed)
    assert b"ALPHA" == read(client, pfs.File.from_uri("upper@master:/a"))
    commit = put(client, branch, {"/c": b"gamma"})
    client.pfs.wait_commit(pfs.Commit(repo=pfs.Repo(name="upper", type="user"), id=commit.id))
    assert b"GAMMA" == read(client, pfs.File.from_uri("upper@master:/c"))
    assert 3 == len(list(client.pps.list_datum(job=pps.Job(pipeline=pipeline, id=commit.id))))
    assert client.pps.inspect_pipeline(pipeline=pipeline, details=True).details.transform.cmd == ["sh"]
    assert list(client.pps.get_logs(pipeline=pipeline))
    assert list(client.pps.get_logs(job=job, master=True))
    if hasattr(client, "logs"):  # 2.10 does not know the younger service
        query = logs.LogQuery(user=logs.UserLogQuery(job=job.id))
        answers = client.logs.get_logs(query=query, filter=logs.LogFilter(limit=1), want_paging_hint=True)
        assert [True, False] == [bool(one.log.verbatim.line) for one in answers]
    client.pps.delete_pipeline(pipeline=pipeline)
    assert not client.pps.pipeline_exists(pipeline)


@step
def a_spec_is_published_as_a_notebook_does_it(client, folder):
    branch, pipeline = new_branch(client), pps.Pipeline(name="published")
    reads = pps.PfsInput(repo=branch.repo.name, glob="/*")
    request = pps.CreatePipelineRequest(
        pipeline=pipeline,
        transform=pps.Transform(cmd=["true"]),
        input=pps.Input(cross=[pps.Input(pfs=reads)]),
        parallelism_spec=pps.ParallelismSpec(constant=2),
        datum_tries=2,
        update=True,
        reprocess=True,
    )
    text = request.to_json()
    client.pps.create_pipeline_v2(create_pipeline_request_json=text, update=True, reprocess=True)
    again = client.pps.create_pipeline_v2(create_pipeline_request_json=text)
    info = client.pps.inspect_pipeline(pipeline=pipeline, details=True)

    assert '"2"' in text
    assert (2, text, 2) == (info.version, info.user_spec_json, info.details.datum_tries)
    assert 2 == json.loads(again.effective_create_pipeline_request_json)["parallelismSpec"]["constant"]
    wrong = text.replace("datumTries", "datumTrys")
    answer = refused(lambda: client.pps.create_pipeline_v2(create_pipeline_request_json=wrong))
    assert answer.startswith("INVALID_ARGUMENT: could not make effective spec: datumTrys: unknown field")
    client.pps.delete_pipeline(pipeline=pipeline)


if __name__ == "__main__":
    run(Client.from_pachd_address(sys.argv[1]), Path(sys.argv[2]))
