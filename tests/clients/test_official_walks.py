# SPDX-License-Identifier: Apache-2.0
"""Searches, walks, triggers and metadata through the official client, unmodified, against a real server."""

import itertools

import grpc
import pytest
from pachyderm_sdk.api import metadata, pfs, pps

_numbers = itertools.count(1)


@pytest.fixture
def master(client):
    """The branch `master`, not made yet, of a new repo."""
    return pfs.Branch(repo=new_repo(client), name="master")


def new_repo(client):
    repo = pfs.Repo.from_uri(f"repo-{next(_numbers)}")
    client.pfs.create_repo(repo=repo)
    return repo


def put(client, branch, path, data=b"x"):
    with client.pfs.commit(branch=branch) as commit:
        commit.put_file_from_bytes(path=path, data=data)
    return commit


def follower(client, *upstreams, **options):
    """A branch of a new repo that depends on others; its head is finished."""
    branch = pfs.Branch(repo=new_repo(client), name="master")
    client.pfs.create_branch(branch=branch, provenance=list(upstreams), **options)
    return branch


def head(client, branch):
    return client.pfs.inspect_branch(branch=branch).head.id


def code_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        list(call())
    return caught.value.code()


def test_commits_that_changed_a_path_are_found(client, master):
    """Newest first, at last how far the search went."""
    first = put(client, master, "/a", b"1")
    put(client, master, "/b", b"1")
    third = put(client, master, "/a", b"2")
    start = pfs.Commit(repo=master.repo, id=third.id)

    *hits, last = client.pfs.find_commits(start=start, file_path="/a")

    assert [third.id, first.id] == [each.found_commit.id for each in hits]
    assert (first.id, 3) == (last.last_searched_commit.id, last.commits_searched)
    assert 1 == len(
        [each for each in client.pfs.find_commits(start=start, file_path="/a", limit=1) if each.found_commit]
    )


def test_provenance_is_walked(client, master):
    """Of commits and of branches, up and down, by every kind of picker."""
    middle = follower(client, master)
    last = follower(client, middle)
    top, foot = master.as_picker(), last.as_picker()

    up = [info.branch.repo.name for info in client.pfs.walk_branch_provenance(start=[foot])]
    down = [info.branch.repo.name for info in client.pfs.walk_branch_subvenance(start=[top])]
    above = client.pfs.walk_commit_provenance(start=[pfs.CommitPicker(branch_head=foot)])
    by_id = pfs.CommitPickerCommitByGlobalId(repo=master.repo.as_picker(), id=head(client, master))
    below = client.pfs.walk_commit_subvenance(start=[pfs.CommitPicker(id=by_id)], max_depth=1)

    assert [middle.repo.name, master.repo.name] == up
    assert [middle.repo.name, last.repo.name] == down
    assert up == [info.commit.repo.name for info in above]
    assert [middle.repo.name] == [info.commit.repo.name for info in below]
    assert grpc.StatusCode.INVALID_ARGUMENT == code_of(lambda: client.pfs.walk_commit_provenance(start=[]))


def test_pickers_count_parents_and_from_the_root(client, master):
    """Seen by what metadata they give to which commit."""
    commits = [put(client, master, f"/{n}") for n in range(3)]
    head_of = pfs.CommitPicker(branch_head=master.as_picker())
    pickers = {
        "up": pfs.CommitPicker(ancestor=pfs.CommitPickerAncestorOf(start=head_of, offset=1)),
        "root": pfs.CommitPicker(branch_root=pfs.CommitPickerBranchRoot(branch=master.as_picker(), offset=0)),
    }
    edits = [
        metadata.Edit(commit=picker, add_key=metadata.EditAddKey(key="by", value=name))
        for name, picker in pickers.items()
    ]

    client.metadata.edit_metadata(edits=edits)

    kept = [client.pfs.inspect_commit(commit=commit).metadata for commit in commits]
    assert [{"by": "root"}, {"by": "up"}, {}] == kept


def test_metadata_is_edited_and_shown(client, master):
    """On everything that has some; a key is added once, and then nothing of the call happens."""
    put(client, master, "/a")
    project, repo = pfs.ProjectPicker(name="default"), master.repo.as_picker()
    add = metadata.EditAddKey(key="k", value="v")
    targets = [
        {"project": project},
        {"repo": repo},
        {"branch": master.as_picker()},
        {"cluster": metadata.ClusterPicker()},
    ]
    client.metadata.edit_metadata(edits=[metadata.Edit(**target, add_key=add) for target in targets])

    wrong = [
        metadata.Edit(repo=repo, delete_key=metadata.EditDeleteKey(key="k")),
        metadata.Edit(project=project, add_key=add),
    ]
    code = code_of(lambda: client.metadata.edit_metadata(edits=wrong))

    assert grpc.StatusCode.FAILED_PRECONDITION == code
    infos = [
        client.pfs.inspect_project(project=pfs.Project(name="default")),
        client.pfs.inspect_repo(repo=master.repo),
        client.pfs.inspect_branch(branch=master),
        client.admin.inspect_cluster(),
    ]
    assert [{"k": "v"}] * 4 == [info.metadata for info in infos]
    replaced = metadata.EditReplace(replacement={})
    client.metadata.edit_metadata(edits=[metadata.Edit(**target, replace=replaced) for target in targets])
    assert {} == client.pfs.inspect_project(project=pfs.Project(name="default")).metadata


def test_metadata_of_a_pipeline_is_edited(client, master):
    """It starts no job."""
    pipeline = pps.Pipeline(project=pfs.Project(name="default"), name=f"pipe-{next(_numbers)}")
    client.pps.create_pipeline(
        pipeline=pipeline,
        transform=pps.Transform(cmd=["true"]),
        input=pps.Input(pfs=pps.PfsInput(repo=master.repo.name, glob="/*")),
    )
    picker = pps.PipelinePicker(
        name=pps.PipelinePickerPipelineName(project=pfs.ProjectPicker(name="default"), name=pipeline.name)
    )
    jobs = len(list(client.pps.list_job(pipeline=pipeline)))

    edit = metadata.EditEditKey(key="team", value="vision")
    client.metadata.edit_metadata(edits=[metadata.Edit(pipeline=picker, edit_key=edit)])

    assert {"team": "vision"} == client.pps.inspect_pipeline(pipeline=pipeline).metadata
    assert jobs == len(list(client.pps.list_job(pipeline=pipeline)))


def test_an_edit_needs_a_target_and_something_to_do(client):
    """Both are refused before anything happens."""
    for edit in (
        metadata.Edit(delete_key=metadata.EditDeleteKey(key="k")),
        metadata.Edit(cluster=metadata.ClusterPicker()),
    ):
        assert grpc.StatusCode.INVALID_ARGUMENT == code_of(
            lambda edit=edit: client.metadata.edit_metadata(edits=[edit])
        )


def test_a_trigger_moves_its_branch_when_a_commit_is_finished(client, master):
    """The client that finished it sees the move at once."""
    client.pfs.create_branch(branch=master)
    kept = pfs.Branch(repo=master.repo, name="kept")
    client.pfs.create_branch(branch=kept, trigger=pfs.Trigger(branch="master", commits=3))

    first = put(client, master, "/a")
    between = head(client, kept)
    second = put(client, master, "/b")

    assert first.id != between
    assert second.id == head(client, kept)
    info = client.pfs.inspect_branch(branch=kept)
    assert ("master", 3) == (info.trigger.branch, info.trigger.commits)


def test_a_branch_that_is_not_followed_is_shown_as_such(client, master):
    """New commits of it make none below."""
    never = pfs.BranchPropagationSpec(branch=master, propagation_spec=pfs.PropagationSpec(never=True))
    below = follower(client, master, branch_propagation_specs=[never])
    before = head(client, below)

    put(client, master, "/a")

    assert before == head(client, below)
    info = client.pfs.inspect_branch(branch=below)
    assert [(master.repo.name, True)] == [
        (spec.branch.repo.name, spec.propagation_spec.never) for spec in info.branch_propagation_specs
    ]
