# SPDX-License-Identifier: Apache-2.0
"""What users of `python-pachyderm` do. Run with the server's address, the lake's id, and a folder."""

import io
import itertools
import json
import os
import sys
from pathlib import Path

import python_pachyderm
from python_pachyderm import Client
from python_pachyderm.client import BadClusterDeploymentID
from python_pachyderm.pfs import Commit
from python_pachyderm.service import health_proto, pfs_proto, pps_proto, transaction_proto
from steps import refused, run, step

_numbers = itertools.count(1)


def new_repo(client: Client) -> str:
    made = f"repo-{next(_numbers)}"
    client.create_repo(made, "of a test")
    return made


def put(client: Client, repo: str, files: dict[str, bytes]) -> str:
    with client.commit(repo, "master") as commit:
        for path, data in files.items():
            client.put_file_bytes(commit, path, data)
    return commit.id


def read(client: Client, commit, path: str) -> bytes:
    with client.get_file(commit, path) as file:
        return file.read()


def paths(infos):
    return [info.file.path for info in infos]


@step
def the_server_introduces_itself(client, lake, folder):
    version = client.get_remote_version()
    assert (version.major, version.minor) == (2, 12)
    assert client.inspect_cluster().deployment_id == lake
    assert client.health_check().status == health_proto.HealthCheckResponse.SERVING
    assert "UNIMPLEMENTED: the auth service is not activated" in refused(client.who_am_i)


@step
def a_config_file_leads_to_the_server_and_no_other(client, lake, folder):
    def config(id):
        here = {"pachd_address": f"grpc://{client.address}", "cluster_deployment_id": id}
        return io.StringIO(json.dumps({"v2": {"active_context": "here", "contexts": {"here": here}}}))

    assert Client.new_from_config(config(lake)).inspect_cluster().id == lake
    try:
        Client.new_from_config(config("another"))
    except BadClusterDeploymentID:
        return
    raise AssertionError("any server will do")


@step
def projects_come_and_go(client, lake, folder):
    client.create_project("science", description="why")
    client.create_repo("inside", project_name="science")
    projects = [pfs_proto.Project(name="science")]

    assert "why" == client.inspect_project("science").description
    assert ["inside"] == [info.repo.name for info in client.list_repo(projects_filter=projects)]
    assert "science" in [info.project.name for info in client.list_project()]
    commit = client.start_commit("inside", "master", project_name="science")
    client.put_file_bytes(commit, "/a", b"1")
    client.finish_commit(commit)
    assert b"1" == read(client, Commit(repo="inside", branch="master", project="science"), "/a")
    client.delete_repo("inside", project_name="science")
    client.delete_project("science")
    assert "science" not in [info.project.name for info in client.list_project()]


@step
def repos_and_branches_come_and_go(client, lake, folder):
    repo = new_repo(client)
    client.create_branch(repo, "one")
    client.create_branch(repo, "two", head_commit=(repo, "one"))
    client.create_repo(repo, "another text", update=True)

    assert "another text" == client.inspect_repo(repo).description
    assert repo in [info.repo.name for info in client.list_repo()]
    assert client.inspect_branch(repo, "one").head.id == client.inspect_branch(repo, "two").head.id
    assert ["two", "one"] == [info.branch.name for info in client.list_branch(repo)]
    client.delete_branch(repo, "one")
    assert ["two"] == [info.branch.name for info in client.list_branch(repo)]
    client.delete_repo(repo)
    client.delete_repo(repo)
    assert repo not in [info.repo.name for info in client.list_repo()]


@step
def commits_are_opened_closed_and_listed(client, lake, folder):
    repo = new_repo(client)
    started = client.start_commit(repo, "master", description="first")
    client.put_file_bytes(started, "/a", b"1")
    client.finish_commit((repo, "master"))
    second = put(client, repo, {"/b": b"2"})

    (waited,) = client.wait_commit((repo, "master"))
    (inspected,) = client.inspect_commit((repo, started.id))
    assert (second, "first") == (waited.commit.id, inspected.description)
    assert [second] == [info.commit.id for info in client.wait_commit(second)]
    assert [second, started.id] == [info.commit.id for info in client.list_commit(repo)]
    assert [second] == [info.commit.id for info in client.list_commit(repo, to_commit=(repo, "master"), number=1)]
    assert second == next(iter(client.list_commit())).commit_set.id
    assert started.id == next(iter(client.inspect_commit((repo, "master^")))).commit.id
    assert "has already finished" in refused(lambda: client.finish_commit((repo, started.id)))


@step
def new_commits_are_told_to_subscribers(client, lake, folder):
    repo = new_repo(client)
    first = put(client, repo, {"/a": b"1"})
    told = client.subscribe_commit(repo, "master", state=pfs_proto.CommitState.FINISHED)
    assert first == next(told).commit.id
    second = put(client, repo, {"/a": b"2"})
    assert second == next(told).commit.id
    after = client.subscribe_commit(repo, "master", from_commit=first)
    assert second == next(after).commit.id


@step
def a_commit_of_an_answer_names_itself_again(client, lake, folder):
    repo = new_repo(client)
    put(client, repo, {"/a": b"1"})
    (info,) = client.inspect_commit((repo, "master"))

    again = Commit.from_pb(info.commit)

    assert b"1" == read(client, info.commit, "/a")
    assert (repo, "", info.commit.id) == (again.repo, again.branch, again.id), again
    assert b"1" == read(client, again, "/a")


@step
def bytes_are_put_replaced_appended_and_deleted(client, lake, folder):
    repo = new_repo(client)
    with client.commit(repo, "master") as commit:
        client.put_file_bytes(commit, "/a", b"old")
        client.put_file_bytes(commit, "/a", io.BytesIO(b"new"))
        client.put_file_bytes(commit, "/a", b"er", append=True)
        client.put_file_bytes(commit, "/empty", b"")
        client.put_file_bytes(commit, "/gone", b"x")
    with client.commit(repo, "master") as commit:
        client.delete_file(commit, "/gone")
        client.copy_file((repo, "master^"), "/a", commit, "/copy")

    head = (repo, "master")
    assert (b"newer", b"newer", b"") == tuple(read(client, head, path) for path in ("/a", "/copy", "/empty"))
    assert ["/a", "/copy", "/empty"] == paths(client.list_file(head, "/"))
    assert b"wer" == client.get_file(head, "/a", offset=2).read()


@step
def a_write_to_a_branch_is_a_commit_of_its_own(client, lake, folder):
    repo = new_repo(client)
    client.put_file_bytes((repo, "master"), "/a", b"1")
    client.put_file_bytes((repo, "master"), "/b", b"2")

    assert 2 == len(list(client.list_commit(repo)))
    assert ["/a", "/b"] == paths(client.list_file((repo, "master"), "/"))


@step
def many_changes_are_one_stream(client, lake, folder):
    repo, lines = new_repo(client), b"".join(b"line %d\n" % number for number in range(2_000))
    (folder / "lines").write_bytes(lines)
    (folder / "nothing").write_bytes(b"")
    with client.modify_file_client((repo, "master")) as changes:
        changes.put_file_from_filepath("/lines", str(folder / "lines"))
        changes.put_file_from_filepath("/nothing", str(folder / "nothing"))
        changes.put_file_from_bytes("/bytes", b"1")
        changes.put_file_from_fileobj("/object", io.BytesIO(b"2"))
        changes.put_file_from_bytes("/gone", b"3")
        changes.delete_file("/gone")

    head = (repo, "master")
    assert 1 == len(list(client.list_commit(repo)))
    assert ["/bytes", "/lines", "/nothing", "/object"] == paths(client.list_file(head, "/"))
    assert (lines, b"") == (read(client, head, "/lines"), read(client, head, "/nothing"))


@step
def a_folder_goes_in_and_comes_out_as_a_tar(client, lake, folder):
    repo, source = new_repo(client), folder / "source"
    files = {"a": b"1", "sub/b": b"2", "sub/" + "n" * 150: b"long"}
    for name, data in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    with client.commit(repo, "master") as commit:
        python_pachyderm.put_files(client, source, commit, "/put")

    with client.get_file_tar((repo, "master"), "/put") as tar:
        tar.extractall(folder / "target")

    target = folder / "target" / "put"
    got = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert files == got, got


@step
def a_file_of_several_messages_comes_back(client, lake, folder):
    repo, data = new_repo(client), os.urandom(1 << 20) * 21
    client.put_file_bytes((repo, "master"), "/big", io.BytesIO(data))

    assert data == read(client, (repo, "master"), "/big")


@step
def paths_exist_or_not(client, lake, folder):
    repo = new_repo(client)
    put(client, repo, {"/dir/a": b"1"})

    assert client.path_exists((repo, "master"), "/dir/a")
    assert client.path_exists((repo, "master"), "/dir")
    assert not client.path_exists((repo, "master"), "/x")
    assert "ValueError" in refused(lambda: client.path_exists((repo, "nobranch"), "/x"))


@step
def files_are_listed_walked_globbed_and_paged(client, lake, folder):
    repo = new_repo(client)
    put(client, repo, {"/a/x.txt": b"1", "/a/y": b"22", "/b.txt": b"3"})
    head = (repo, "master")

    first = list(client.list_file(head, "/", number=1))
    assert ["/a/"] == paths(first)
    assert ["/b.txt"] == paths(client.list_file(head, "/", number=1, pagination_marker=first[-1].file))
    assert ["/", "/a/", "/a/x.txt", "/a/y", "/b.txt"] == paths(client.walk_file(head, "/"))
    assert ["/a/x.txt", "/b.txt"] == paths(client.glob_file(head, "/**.txt"))
    assert (3, pfs_proto.DIR) == (client.inspect_file(head, "/a").size_bytes, client.inspect_file(head, "/a").file_type)


@step
def what_differs_is_shown(client, lake, folder):
    repo = new_repo(client)
    put(client, repo, {"/same": b"s", "/changed": b"old"})
    put(client, repo, {"/changed": b"new", "/added": b"a"})

    for sides in (
        client.diff_file((repo, "master"), "/"),
        client.diff_file((repo, "master"), "/", (repo, "master^"), "/"),
    ):
        shown = [(each.old_file.file.path, each.new_file.file.path) for each in sides]
        assert [("", "/added"), ("/changed", "/changed")] == [each for each in shown if "/" != each[1]]


@step
def commits_are_squashed_and_dropped(client, lake, folder):
    repo = new_repo(client)
    ids = [put(client, repo, {f"/{number}": b""}) for number in range(3)]
    client.squash_commit(ids[0])
    client.drop_commit(ids[2])

    assert [ids[1]] == [info.commit.id for info in client.list_commit(repo)]
    assert ["/0", "/1"] == paths(client.list_file((repo, "master"), "/"))


@step
def transactions_are_made_whole_or_not_at_all(client, lake, folder):
    repos = [new_repo(client) for _ in range(2)]
    with client.transaction() as transaction:
        commits = [client.start_commit(repo, "master") for repo in repos]
        assert "not permitted" in refused(lambda: client.put_file_bytes((repos[0], "master"), "/a", b"1"))
    for commit in commits:
        client.finish_commit(commit)
    assert [transaction.id] * 2 == [commit.id for commit in commits]

    assert "already exists" in refused(lambda: failing_transaction(client, repos[0]))
    assert "never" not in [info.repo.name for info in client.list_repo()]
    assert [] == list(client.list_transaction())
    branches = [pfs_proto.Branch(repo=pfs_proto.Repo(name=repo, type="user"), name="master") for repo in repos]
    asked = [
        transaction_proto.TransactionRequest(start_commit=pfs_proto.StartCommitRequest(branch=each))
        for each in branches
    ]
    info = client.batch_transaction(asked)
    assert [info.transaction.id] * 2 == [answer.commit.id for answer in info.responses]


def failing_transaction(client, taken):
    with client.transaction():
        client.create_repo("never")
        client.create_repo(taken)


@step
def a_pipeline_runs_and_its_output_is_read(client, lake, folder):
    repo = new_repo(client)
    put(client, repo, {"/a": b"alpha", "/b": b"beta"})
    script = "for file in /pfs/*/*; do tr a-z A-Z < $file > /pfs/out/$(basename $file); echo done; done"
    client.create_pipeline(
        "upper",
        transform=pps_proto.Transform(cmd=["sh"], stdin=[script]),
        input=pps_proto.Input(pfs=pps_proto.PFSInput(repo=repo, glob="/*")),
    )
    job = next(iter(client.list_job("upper"))).job
    (info,) = client.inspect_job(job.id, "upper", wait=True, details=True)

    assert (pps_proto.JobState.JOB_SUCCESS, 2) == (info.state, info.data_processed)
    assert b"ALPHA" == read(client, ("upper", "master"), "/a")
    assert ["upper"] == [each.pipeline.name for each in client.list_pipeline()]
    assert ["sh"] == next(iter(client.inspect_pipeline("upper", details=True))).details.transform.cmd
    datums = list(client.list_datum("upper", job.id))
    assert 2 == len(datums)
    assert datums[0].datum.id == client.inspect_datum("upper", job.id, datums[0].datum.id).datum.id
    assert "done" in [line.message.strip() for line in client.get_job_logs("upper", job.id)]
    text = refused(lambda: client.restart_datum("upper", job.id, ["/a"]))
    assert "datum matching filter [/a] could not be found" in text
    assert "pipeline doesn't have a cron input" in refused(lambda: client.run_cron("upper"))
    client.stop_pipeline("upper")
    client.start_pipeline("upper")
    client.delete_pipeline("upper")
    assert [] == list(client.list_pipeline())


@step
def a_spec_of_many_fields_comes_back(client, lake, folder):
    repo = new_repo(client)
    fields = {
        "parallelism_spec": pps_proto.ParallelismSpec(constant=2),
        "resource_limits": pps_proto.ResourceSpec(cpu=1.5, memory="256Mi"),
        "scheduling_spec": pps_proto.SchedulingSpec(node_selector={"disk": "fast"}),
        "metadata": pps_proto.Metadata(labels={"team": "vision"}),
        "datum_tries": 4,
        "salt": "salt",
    }
    transform = pps_proto.Transform(cmd=["true"], env={"A": "b"}, accept_return_code=[3])
    reads = pps_proto.Input(pfs=pps_proto.PFSInput(repo=repo, glob="/"))
    client.create_pipeline("many", transform=transform, input=reads, **fields)
    client.create_pipeline("many", transform=transform, input=reads, update=True, **fields)
    info = next(iter(client.inspect_pipeline("many", details=True)))

    assert 1 == info.version
    assert transform.env == info.details.transform.env
    assert fields == {name: getattr(info.details, name) for name in fields}
    client.delete_pipeline("many")


@step
def a_pipeline_ticks(client, lake, folder):
    client.create_pipeline(
        "clock",
        transform=pps_proto.Transform(cmd=["true"]),
        input=pps_proto.Input(cron=pps_proto.CronInput(name="tick", spec="@never")),
    )
    client.run_cron("clock")
    job = next(iter(client.list_job("clock"))).job
    (info,) = client.inspect_job(job.id, "clock", wait=True)

    assert (pps_proto.JobState.JOB_SUCCESS, 1) == (info.state, info.data_total)
    assert 1 == len(list(client.list_file(("clock_tick", "master"), "/")))
    client.delete_pipeline("clock")
    assert "not found" in refused(lambda: client.inspect_repo("clock_tick"))


@step
def everything_is_deleted(client, lake, folder):
    new_repo(client)
    client.delete_all()

    assert [] == list(client.list_repo())


if __name__ == "__main__":
    run(Client.new_from_pachd_address(f"grpc://{sys.argv[1]}"), sys.argv[2], Path(sys.argv[3]))
