# SPDX-License-Identifier: Apache-2.0
"""References and their texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import BadRequest, ErrorKind
from howdah.model.refs import (
    HEAD,
    Ancestry,
    Branch,
    Commit,
    CommitRef,
    File,
    Job,
    Pipeline,
    Repo,
    commit_ref,
    parse_ancestry,
    parse_branch,
    parse_commit,
    parse_file,
    parse_job,
    parse_pipeline,
    parse_repo,
)

ID = "0123456789ab4def0123456789abcdef"
IMAGES = Repo("default", "images")

_names = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
_repos = st.builds(Repo, st.just("p"), _names, st.sampled_from(["user", "meta", "spec"]))
_roots = st.one_of(st.none(), st.integers(1, 99))
_steps = st.builds(lambda root, up: Ancestry(min(up, root - 1) if root else up, root), _roots, st.integers(0, 99))


def test_texts_are_those_that_clients_know():
    """The name forms of messages and of the command line."""
    meta = Repo("p", "edges", "meta")

    assert "default/images" == str(IMAGES)
    assert "p/edges.meta" == str(meta)
    assert "default/images@master" == str(Branch(IMAGES, "master"))
    assert f"default/images@{ID}" == str(Commit(IMAGES, ID))
    assert f"p/edges.meta@{ID}:/a" == str(File(Commit(meta, ID), "/a"))
    assert f"p/edges@{ID}" == str(Job(Pipeline("p", "edges"), ID))


@pytest.mark.parametrize(
    ("text", "start", "ancestry"),
    [
        ("master", "master", HEAD),
        ("master^", "master", Ancestry(1)),
        ("master~", "master", Ancestry(1)),
        ("master^^", "master", Ancestry(2)),
        ("master~~~", "master", Ancestry(3)),
        ("master^3", "master", Ancestry(3)),
        ("master~3", "master", Ancestry(3)),
        ("master^0", "master", HEAD),
        ("master^2^", "master", Ancestry(3)),
        ("master.3", "master", Ancestry(0, 3)),
        ("master.3^2", "master", Ancestry(2, 3)),
        ("master.3~~", "master", Ancestry(2, 3)),
        (f"{ID}~1", ID, Ancestry(1)),
        ("^2", "", Ancestry(2)),
        ("", "", HEAD),
    ],
)
def test_steps_are_cut_off(text, start, ancestry):
    """All spellings of the same steps are equal."""
    assert (start, ancestry) == parse_ancestry(text)


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("master^~", "cannot be mixed"),
        ("master~2^1", "cannot be mixed"),
        ("master.0", "the first is .1"),
        ("master.2^2", "at most 1"),
        ("master.-1", "use ^, ^3"),
        ("master.", "use ^, ^3"),
        ("master^x", "use ^, ^3"),
        ("master^2.3", "use ^, ^3"),
        ("master.1.2", "use ^, ^3"),
        ("master^4294967296", "at most 4294967295"),
        ("master^4294967295^1", "at most 4294967295"),
        ("master." + "9" * 5000, "at most 4294967295"),
        ("master^٣", "use ^, ^3"),
    ],
)
def test_steps_that_mean_nothing_are_refused(text, way_out):
    """The message says what can be written instead."""
    with pytest.raises(BadRequest) as error:
        parse_ancestry(text)

    assert ErrorKind.BAD_REFERENCE == error.value.kind
    assert way_out in error.value.message


@pytest.mark.parametrize(
    ("branch", "commit", "expected"),
    [
        ("master", "", CommitRef(IMAGES, branch="master")),
        ("", ID, CommitRef(IMAGES, id=ID)),
        ("master", ID, CommitRef(IMAGES, branch="master", id=ID)),
        ("", "master", CommitRef(IMAGES, branch="master")),
        ("", "master^2", CommitRef(IMAGES, branch="master", ancestry=Ancestry(2))),
        ("", f"{ID}~1", CommitRef(IMAGES, id=ID, ancestry=Ancestry(1))),
        ("master", "^2", CommitRef(IMAGES, branch="master", ancestry=Ancestry(2))),
        ("master", ".3", CommitRef(IMAGES, branch="master", ancestry=Ancestry(0, 3))),
        (ID, "", CommitRef(IMAGES, id=ID)),
    ],
)
def test_every_spelling_of_a_commit_in_a_request(branch, commit, expected):
    """A branch and an id come together in three ways; a real id wins."""
    assert expected == commit_ref(IMAGES, branch=branch, commit=commit)


@pytest.mark.parametrize(("branch", "commit"), [("", ""), ("", "^2"), ("a^", "^")])
def test_a_commit_that_is_not_named_is_refused(branch, commit):
    """Neither steps alone nor steps twice name a commit."""
    with pytest.raises(BadRequest) as error:
        commit_ref(IMAGES, branch=branch, commit=commit)

    assert ErrorKind.BAD_REFERENCE == error.value.kind


def test_repos_are_read_with_their_project_and_type():
    """What is left out has a default."""
    assert IMAGES == parse_repo("images")
    assert Repo("p", "images") == parse_repo("images", "p")
    assert Repo("q", "images") == parse_repo("q/images", "p")
    assert Repo("q", "edges", "meta") == parse_repo("q/edges.meta")


def test_commits_and_files_are_read():
    """A path may hold anything after the first colon."""
    assert CommitRef(IMAGES, branch="master", id=ID) == parse_commit(f"images@master={ID}")
    assert CommitRef(IMAGES, branch="b", id=ID, ancestry=Ancestry(1)) == parse_commit(f"images@b={ID}^")
    assert File(CommitRef(IMAGES, branch="master"), "/") == parse_file("images@master")
    assert File(CommitRef(IMAGES, branch="master"), "/") == parse_file("images@master:")
    assert File(CommitRef(IMAGES, branch="master"), "/a:b@c=d") == parse_file("images@master:a:b@c=d")
    assert Branch(Repo("q", "edges", "spec"), "master") == parse_branch("q/edges.spec@master")


@pytest.mark.parametrize(
    ("parse", "text", "kind"),
    [
        (parse_repo, "", ErrorKind.BAD_REFERENCE),
        (parse_repo, "images.", ErrorKind.BAD_REFERENCE),
        (parse_repo, "images.data", ErrorKind.BAD_NAME),
        (parse_repo, "a/b/c", ErrorKind.BAD_NAME),
        (parse_repo, "/images", ErrorKind.BAD_NAME),
        (parse_branch, "images", ErrorKind.BAD_REFERENCE),
        (parse_branch, "images@", ErrorKind.BAD_REFERENCE),
        (parse_branch, f"images@{ID}", ErrorKind.BAD_NAME),
        (parse_branch, "@master", ErrorKind.BAD_REFERENCE),
        (parse_branch, "images@master:/a", ErrorKind.BAD_REFERENCE),
        (parse_commit, "images", ErrorKind.BAD_REFERENCE),
        (parse_commit, "images@master=other", ErrorKind.BAD_REFERENCE),
        (parse_commit, f"images@={ID}", ErrorKind.BAD_NAME),
        (parse_file, ":/a", ErrorKind.BAD_REFERENCE),
        (parse_pipeline, "", ErrorKind.BAD_REFERENCE),
        (parse_pipeline, "a b", ErrorKind.BAD_NAME),
        (parse_job, "edges", ErrorKind.BAD_REFERENCE),
        (parse_job, "edges@master", ErrorKind.BAD_REFERENCE),
    ],
)
def test_a_bad_reference_is_refused(parse, text, kind):
    """One line that names what was written."""
    with pytest.raises(BadRequest) as error:
        parse(text)

    assert kind == error.value.kind
    assert error.value.message.isprintable()


@given(_repos, _names.filter(lambda name: len(name) < 32), _steps)
def test_a_reference_is_read_back_from_its_text(repo, name, steps):
    """str() and the parsers are inverse."""
    ref = CommitRef(repo, branch=name, ancestry=steps)

    assert repo == parse_repo(str(repo))
    assert Branch(repo, name) == parse_branch(f"{repo}@{name}")
    assert ref == parse_commit(str(ref))
    assert File(ref, "/a:b") == parse_file(str(File(ref, "/a:b")))
    assert CommitRef(repo, id=ID) == parse_commit(str(Commit(repo, ID)))


def test_references_are_ordered_by_project_then_name():
    """As lists of repos are shown."""
    repos = [Repo("b", "a"), Repo("a", "z"), Repo("a", "b", "spec"), Repo("a", "b", "meta")]

    assert ["a/b.meta", "a/b.spec", "a/z", "b/a"] == [str(repo) for repo in sorted(repos)]
