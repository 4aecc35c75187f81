# SPDX-License-Identifier: Apache-2.0
"""Searches, walks, triggers, metadata and commit sets by the client."""

import pytest

from howdah.client import MetadataEdit
from howdah.errors import BadRequest, ErrorKind, NotFound, Refused
from howdah.model.infos import Trigger
from howdah.model.refs import Branch, Repo


def test_commits_that_changed_a_path_are_found(client, repo):
    """A search that was cut goes on with the parent of where it ended."""
    made = []
    for data in (b"1", b"2", b"3"):
        client.put_file(f"{repo}@master", "/a", data)
        made.insert(0, client.inspect_commit(f"{repo}@master").commit)

    *found, last = client.find_commits(f"{repo}@master", "/a", limit=2)
    rest = list(client.find_commits(client.inspect_commit(last.commit).parent, "/a", timeout=60))

    assert made[:2] == [each.commit for each in found]
    assert [(made[2], True), (made[2], False)] == [(each.commit, each.found) for each in rest]
    assert ([1, 2], 2) == ([each.searched for each in found], last.searched)


def test_provenance_is_walked(client, repo):
    """Of branches and of commits, up and down."""
    for name in ("b", "c"):
        client.create_repo(f"{repo}-{name}")
    client.create_branch(f"{repo}-b@master", provenance=[f"{repo}@master"])
    client.create_branch(f"{repo}-c@master", provenance=[f"{repo}-b@master"])
    top, middle, foot = (Branch(Repo("default", name), "master") for name in (repo, f"{repo}-b", f"{repo}-c"))

    assert [middle, top] == [info.branch for info in client.walk_branches(foot)]
    assert [middle] == [info.branch for info in client.walk_branches(top, above=False, depth=1)]
    assert [middle.repo, top.repo] == [info.commit.repo for info in client.walk_commits(f"{repo}-c@master")]
    assert [middle.repo] == [info.commit.repo for info in client.walk_commits(top, above=False, limit=1)]
    with pytest.raises(NotFound):
        list(client.walk_commits(f"{repo}@none"))


def test_branches_that_follow_are_made(client, repo):
    """By a trigger, or by provenance that is not followed."""
    client.create_repo(f"{repo}-out")
    client.create_branch(f"{repo}@master")
    client.create_branch(f"{repo}@kept", trigger=Trigger("master", size="1GB", commits=2, all=True))
    client.create_branch(f"{repo}-out@master", provenance=[f"{repo}@master"], never=[f"{repo}@master"])

    assert Trigger("master", size="1GB", commits=2, all=True) == client.inspect_branch(f"{repo}@kept").trigger
    assert (Branch(Repo("default", repo), "master"),) == client.inspect_branch(f"{repo}-out@master").never
    assert {"master", "kept"} <= {info.branch.name for info in client.list_branches() if info.branch.repo.name == repo}


def test_metadata_is_edited(client, repo):
    """In one call or not at all."""
    client.create_branch(f"{repo}@master")
    client.edit_metadata(
        MetadataEdit("repo", repo, add={"a": "1", "b": "2"}),
        MetadataEdit("commit", f"{repo}@master", edit={"c": "3"}),
    )

    with pytest.raises(Refused) as error:
        client.edit_metadata(MetadataEdit("repo", repo, delete=["a"]), MetadataEdit("repo", repo, add={"b": "3"}))
    assert ErrorKind.LABEL_EXISTS == error.value.kind
    with pytest.raises(BadRequest):
        client.edit_metadata(MetadataEdit("planet", "earth", replace={}))

    assert {"a": "1", "b": "2"} == client.inspect_repo(repo).metadata
    assert {"c": "3"} == client.inspect_commit(f"{repo}@master").metadata


def test_commit_sets_and_pages_of_repos_are_listed(client, repo):
    """Newest first; and a page is a part of the whole."""
    client.put_file(f"{repo}@master", "/a", b"1")
    id = client.inspect_commit(f"{repo}@master").commit.id
    everything = [info.repo for info in client.list_repos()]

    newest = next(client.list_commit_sets())

    assert (id, [repo]) == (newest.id, [info.commit.repo.name for info in newest.commits])
    assert everything[1:2] == [info.repo for info in client.list_repos(page_size=1, page=1)]
