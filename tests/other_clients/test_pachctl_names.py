# SPDX-License-Identifier: Apache-2.0
"""What `pachctl` sends about projects, repos, branches and transactions, command by command."""

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from howdah.wire.stubs import auth_v2_pb2 as auth
from howdah.wire.stubs import identity_v2_pb2 as identity
from howdah.wire.stubs import metadata_pb2 as metadata
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pps_v2_pb2 as pps
from howdah.wire.stubs import transaction_v2_pb2 as tx
from tests.other_clients.pachctl import branch, repo

PFS = "pfs_v2.API"


def create_repo(pachctl, name, **options):
    request = pb.CreateRepoRequest(repo=repo(name), **options)
    return pachctl.run(f"create repo {name}", f"{PFS}/CreateRepo", request, transacted=True)


def repo_names(pachctl, kind="user", project="default"):
    request = pb.ListRepoRequest(type=kind, projects=[pb.Project(name=project)])
    return [info.repo.name for info in pachctl.run("list repo", f"{PFS}/ListRepo", request)]


def test_repos_are_made_shown_and_deleted(pachctl):
    """`create`, `update`, `list`, `list --all`, `inspect` and `delete repo`; and what a second delete says."""
    create_repo(pachctl, "images", description="first")
    create_repo(pachctl, "images", description="second", update=True)
    listed = repo_names(pachctl), repo_names(pachctl, kind="")
    seen = pachctl.run("inspect repo images", f"{PFS}/InspectRepo", pb.InspectRepoRequest(repo=repo("images")))
    request = pb.DeleteRepoRequest(repo=repo("images"))
    deleted = [pachctl.run("delete repo images", f"{PFS}/DeleteRepo", request).deleted for _ in range(2)]

    assert "images" in listed[0]
    assert "images" in listed[1]
    assert ("second", True) == (seen.description, seen.HasField("details"))
    assert [True, False] == deleted
    assert "images" not in repo_names(pachctl)


def test_all_repos_of_a_project_are_deleted_at_once(pachctl):
    """`delete repo --all`; other projects keep theirs."""
    create_repo(pachctl, "kept")
    project = pb.Project(name="many")
    pachctl.run("create project many", f"{PFS}/CreateProject", pb.CreateProjectRequest(project=project))
    for name in ("a", "b"):
        request = pb.CreateRepoRequest(repo=repo(name, project="many"))
        pachctl.run(f"create repo {name} --project many", f"{PFS}/CreateRepo", request)

    request = pb.DeleteReposRequest(projects=[project])
    answer = pachctl.run("delete repo --all --project many", f"{PFS}/DeleteRepos", request)

    assert ["a", "b"] == sorted(each.name for each in answer.repos)
    assert [] == repo_names(pachctl, project="many")
    assert "kept" in repo_names(pachctl)


def test_branches_are_made_shown_and_deleted(pachctl):
    """Each branch that is listed has a head, which is followed without a look."""
    create_repo(pachctl, "trunk")
    create_repo(pachctl, "leaf")
    for made in (
        pb.CreateBranchRequest(branch=branch("trunk")),
        pb.CreateBranchRequest(branch=branch("leaf"), provenance=[branch("trunk")]),
    ):
        pachctl.run("create branch", f"{PFS}/CreateBranch", made, transacted=True)

    seen = pachctl.run("inspect branch", f"{PFS}/InspectBranch", pb.InspectBranchRequest(branch=branch("leaf")))
    listed = pachctl.run("list branch leaf", f"{PFS}/ListBranch", pb.ListBranchRequest(repo=repo("leaf")))
    request = pb.DeleteBranchRequest(branch=branch("leaf"))
    pachctl.run("delete branch leaf@master", f"{PFS}/DeleteBranch", request, transacted=True)

    assert ["trunk"] == [each.repo.name for each in seen.direct_provenance]
    assert [seen.head] == [info.head for info in listed]
    assert [] == pachctl.run("list branch leaf", f"{PFS}/ListBranch", pb.ListBranchRequest(repo=repo("leaf")))


def test_a_branch_gets_a_trigger(pachctl):
    """`create branch --trigger ... --trigger-size`."""
    create_repo(pachctl, "staged")
    pachctl.run("create branch", f"{PFS}/CreateBranch", pb.CreateBranchRequest(branch=branch("staged", "staging")))
    trigger = pb.Trigger(branch="staging", size="100MB", commits=3)

    request = pb.CreateBranchRequest(branch=branch("staged"), trigger=trigger)
    pachctl.run("create branch staged@master --trigger staging", f"{PFS}/CreateBranch", request, transacted=True)

    request = pb.InspectBranchRequest(branch=branch("staged"))
    assert trigger == pachctl.run("inspect branch staged@master", f"{PFS}/InspectBranch", request).trigger


def test_a_project_is_made_shown_and_deleted_with_what_is_in_it(pachctl):
    """Before it goes, its pipelines and repos are listed and deleted one by one."""
    project = pb.Project(name="science")
    for update in (False, True):
        request = pb.CreateProjectRequest(project=project, description="why", update=update)
        pachctl.run("create project science", f"{PFS}/CreateProject", request)
    request = pb.CreateRepoRequest(repo=repo("inside", project="science"))
    pachctl.run("create repo inside", f"{PFS}/CreateRepo", request)
    seen = pachctl.run("inspect project", f"{PFS}/InspectProjectV2", pb.InspectProjectV2Request(project=project))

    with pachctl.command("delete project science") as begun:
        pipelines = begun.call("pps_v2.API/ListPipeline", pps.ListPipelineRequest(projects=[project], commit_set={}))
        for info in begun.call(f"{PFS}/ListRepo", pb.ListRepoRequest(type="user", projects=[project])):
            begun.call(f"{PFS}/DeleteRepo", pb.DeleteRepoRequest(repo=info.repo))
        begun.call(f"{PFS}/DeleteProject", pb.DeleteProjectRequest(project=project))

    listed = pachctl.run("list project", f"{PFS}/ListProject", pb.ListProjectRequest())
    assert ("why", "{}") == (seen.info.description, seen.defaults_json)
    assert [] == pipelines
    assert "science" not in [info.project.name for info in listed]


def test_labels_are_edited(pachctl):
    """`edit metadata repo labelled add k=v`, and of the cluster."""
    create_repo(pachctl, "labelled")
    picker = pb.RepoPicker(name=pb.RepoPicker.RepoName(project=pb.ProjectPicker(name="default"), name="labelled"))
    edits = [
        metadata.Edit(repo=picker, add_key=metadata.Edit.AddKey(key="k", value="v")),
        metadata.Edit(cluster={}, replace=metadata.Edit.Replace(replacement={"owner": "us"})),
    ]

    pachctl.run("edit metadata", "metadata.API/EditMetadata", metadata.EditMetadataRequest(edits=edits))

    request = pb.InspectRepoRequest(repo=repo("labelled"))
    assert {"k": "v"} == pachctl.run("inspect repo labelled", f"{PFS}/InspectRepo", request).metadata


def test_commands_of_a_transaction_happen_at_its_end(pachctl):
    """Its id is kept in the context and sent with those commands that can be part of one."""
    started = pachctl.run("start transaction", "transaction_v2.API/StartTransaction", tx.StartTransactionRequest())
    pachctl.transaction = started.id
    create_repo(pachctl, "later")
    request = pb.StartCommitRequest(branch=branch("later"))
    opened = pachctl.run("start commit later@master", f"{PFS}/StartCommit", request, transacted=True)
    before = repo_names(pachctl)
    inspected = tx.InspectTransactionRequest(transaction=started)
    info = pachctl.run("inspect transaction", "transaction_v2.API/InspectTransaction", inspected)
    listed = pachctl.run("list transaction", "transaction_v2.API/ListTransaction", tx.ListTransactionRequest())
    finished = pachctl.run(
        "finish transaction", "transaction_v2.API/FinishTransaction", tx.FinishTransactionRequest(transaction=started)
    )

    assert "later" not in before
    assert "later" in repo_names(pachctl)
    assert started.id == opened.id
    assert [info.transaction.id] == [each.transaction.id for each in listed.transaction_info]
    assert [True, False] == [each.HasField("create_repo") for each in finished.requests]
    assert [started.id] == [each.commit.id for each in finished.responses if each.HasField("commit")]


def test_a_transaction_is_given_up(pachctl):
    """`delete transaction`; nothing of it has happened, and it is not found any more."""
    started = pachctl.run("start transaction", "transaction_v2.API/StartTransaction", tx.StartTransactionRequest())
    pachctl.transaction = started.id
    create_repo(pachctl, "never")
    request = tx.DeleteTransactionRequest(transaction=started)
    pachctl.run("delete transaction", "transaction_v2.API/DeleteTransaction", request)

    with pytest.raises(grpc.RpcError) as caught:
        pachctl.run("resume transaction", "transaction_v2.API/InspectTransaction", request)

    assert grpc.StatusCode.NOT_FOUND == caught.value.code()
    assert "never" not in repo_names(pachctl)


def test_everything_is_deleted(pachctl):
    """`delete all`: who logs in is asked too, and that nobody does is no obstacle."""
    create_repo(pachctl, "gone")
    pachctl.run("start commit", f"{PFS}/StartCommit", pb.StartCommitRequest(branch=branch("gone")))
    with pachctl.command("delete all") as begun:
        begun.call(f"{PFS}/ListRepo", pb.ListRepoRequest(type="user"))
        begun.call("pps_v2.API/ListPipeline", pps.ListPipelineRequest(commit_set={}))
        texts = []
        for method, request in (
            ("identity_v2.API/DeleteAll", identity.DeleteAllRequest()),
            ("auth_v2.API/Deactivate", auth.DeactivateRequest()),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                begun.call(method, request)
            texts.append(caught.value.details())
        begun.call("pps_v2.API/DeleteAll", Empty())
        begun.call(f"{PFS}/DeleteAll", Empty())
        begun.call("transaction_v2.API/DeleteAll", tx.DeleteAllRequest())

    assert all("the auth service is not activated" in text for text in texts)
    assert [] == repo_names(pachctl)
    listed = pachctl.run("list project", f"{PFS}/ListProject", pb.ListProjectRequest())
    assert ["default"] == [info.project.name for info in listed]
