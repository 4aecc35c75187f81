# SPDX-License-Identifier: Apache-2.0
"""Names and ids."""

import pytest

from howdah.errors import BadRequest, ErrorKind
from howdah.kit.ids import new_id
from howdah.model import names


@pytest.mark.parametrize("parse", [names.project_name, names.repo_name, names.branch_name, names.pipeline_name])
@pytest.mark.parametrize("text", ["", "a b", "a/b", "a.b", "ä", "a\n", "a@b", "a" * 256])
def test_a_bad_name_is_refused_with_the_words_that_clients_know(parse, text):
    """The text begins as the protocol's does and stays on one line, whatever was sent."""
    with pytest.raises(BadRequest) as error:
        parse(text)

    assert ErrorKind.BAD_NAME == error.value.kind
    assert error.value.message.startswith("name (")
    assert ") invalid: " in error.value.message
    assert error.value.message.isprintable()


def test_the_characters_of_a_name_are_told():
    """The whole text that clients match."""
    with pytest.raises(BadRequest) as error:
        names.repo_name("a b")

    expected = "name (a b) invalid: only alphanumeric characters, underscores, and dashes are allowed"
    assert expected == error.value.message


@pytest.mark.parametrize("parse", [names.project_name, names.repo_name, names.branch_name, names.pipeline_name])
def test_a_good_name_comes_back(parse):
    """Letters, digits, underscores and dashes."""
    assert "a-B_9" == parse("a-B_9")


def test_projects_and_pipelines_start_with_a_letter_or_digit():
    """Repos and branches may start with anything of a name."""
    for parse in (names.project_name, names.pipeline_name):
        with pytest.raises(BadRequest):
            parse("_a")

    assert "_a" == names.repo_name("_a")
    assert "-a" == names.branch_name("-a")


def test_projects_and_pipelines_have_at_most_51_characters():
    """52 are too many."""
    for parse in (names.project_name, names.pipeline_name):
        assert "a" * 51 == parse("a" * 51)
        with pytest.raises(BadRequest):
            parse("a" * 52)


def test_a_pipeline_and_its_project_have_at_most_63_characters_together():
    """`<project>-<pipeline>-v99` must fit."""
    assert names.pipeline_name("p" * 40, "q" * 18)
    with pytest.raises(BadRequest):
        names.pipeline_name("p" * 40, "q" * 19)


def test_a_branch_does_not_look_like_a_commit():
    """Clients tell the two apart by the pattern of ids."""
    with pytest.raises(BadRequest) as error:
        names.branch_name(new_id())

    assert "looks like a commit id" in error.value.message


def test_the_reserved_repo_is_readable_and_cannot_be_made():
    """`__filesets__` is how filesets are addressed."""
    assert "__filesets__" == names.repo_name("__filesets__")
    with pytest.raises(BadRequest):
        names.new_repo_name("__filesets__")


def test_an_id_is_a_version_4_uuid():
    """32 lower-case hex digits, the 13th a 4."""
    assert names.is_commit_id("0123456789ab4def0123456789abcdef")
    assert not names.is_commit_id("0123456789ab5def0123456789abcdef")
    assert not names.is_commit_id("0123456789AB4DEF0123456789ABCDEF")
    assert not names.is_commit_id("0123456789ab4def0123456789abcdef\n")
    with pytest.raises(BadRequest) as error:
        names.commit_id("master")

    assert ErrorKind.BAD_REFERENCE == error.value.kind


def test_a_repo_is_a_users_unless_it_says_otherwise():
    """The types are few and known."""
    assert ["user", "user", "meta", "spec"] == [names.repo_type(t) for t in ("", "user", "meta", "spec")]
    with pytest.raises(BadRequest) as error:
        names.repo_type("data")

    assert "user, meta, spec" in error.value.message
