# SPDX-License-Identifier: Apache-2.0
"""Projects: namespaces, of which `default` always exists."""

import pytest

from howdah.errors import AlreadyExists, BadRequest, ErrorKind, NotFound, Refused
from howdah.pfs.catalog import Catalog
from tests.pfs.catalogs import repo


def test_default_is_always_there(desk):
    """A fresh lake has it, and opening the lake again keeps it as it was."""
    desk.projects.create("default", "ours", update=True)

    Catalog.open(desk.db)

    assert ["ours"] == [each.description for each in desk.projects.list()]


def test_a_project_is_created_once(desk):
    """The second time is an error, unless it is an update."""
    desk.projects.create("vision", "first")

    with pytest.raises(AlreadyExists) as error:
        desk.projects.create("vision", "second")
    assert ErrorKind.PROJECT_EXISTS == error.value.kind

    desk.projects.create("vision", "third", update=True)
    assert "third" == desk.projects.inspect("vision").description


def test_a_bad_name_is_refused(desk):
    """Names are checked before anything is written."""
    with pytest.raises(BadRequest) as error:
        desk.projects.create("a b")

    assert ErrorKind.BAD_NAME == error.value.kind


def test_a_missing_project_is_not_found(desk):
    """Inspecting and deleting it says so."""
    for call in (desk.projects.inspect, desk.projects.delete):
        with pytest.raises(NotFound) as error:
            call("nowhere")
        assert ErrorKind.PROJECT_NOT_FOUND == error.value.kind


def test_projects_are_listed_by_name(desk):
    """All of them, across pages."""
    names = sorted(f"p{n}" for n in range(205))
    for name in reversed(names):
        desk.projects.create(name)

    assert ["default", *names] == [each.name for each in desk.projects.list()]


def test_a_project_with_repos_is_not_deleted(desk):
    """Its repos go first, or it is forced."""
    desk.projects.create("vision")
    desk.repo("vision/images")

    with pytest.raises(Refused) as error:
        desk.projects.delete("vision")
    assert ErrorKind.HAS_DEPENDANTS == error.value.kind

    desk.projects.delete("vision", force=True)
    assert ["default"] == [each.name for each in desk.projects.list()]
    assert [] == list(desk.repos.list())


def test_deleting_default_leaves_it_empty(desk):
    """Clients that know of no projects must go on."""
    desk.projects.create("default", "ours", update=True)
    desk.repo("images")

    desk.projects.delete("default", force=True)

    assert "" == desk.projects.inspect("default").description
    assert [] == list(desk.repos.list())


def test_a_guard_forbids_the_deletion_of_a_project(desk):
    """Whoever keeps something in a project may say no, and then nothing has happened."""

    def forbid(tx, name):
        raise Refused(ErrorKind.HAS_DEPENDANTS, f"project {name} holds pipelines; delete them first")

    desk.projects.create("vision")
    desk.repo("vision/images")
    desk.projects.guards.append(forbid)

    with pytest.raises(Refused):
        desk.projects.delete("vision", force=True)

    assert [repo("vision/images")] == [each.repo for each in desk.repos.list()]


def test_changes_of_a_project_are_events(desk):
    """Created, updated and deleted, each under the project's name."""
    desk.projects.create("vision")
    desk.projects.create("vision", "x", update=True)
    desk.projects.delete("vision")

    kinds = [kind for _, kind in desk.events("project/vision")]

    assert ["created", "updated", "deleted"] == kinds
