# SPDX-License-Identifier: Apache-2.0
"""Commands that run as another user: for a worker of root, and what others say."""

import os

import pytest

from howdah.errors import BadRequest
from howdah.worker.nest import Command, Nest
from howdah.worker.users import Owner, give, owner_of

ROOT = os.geteuid() == 0
NOBODY = 65534


def test_no_user_and_the_workers_own_are_the_same():
    """By name, by number; the worker need not be root for that."""
    assert (None, None) == (owner_of(""), owner_of(str(os.geteuid())))


@pytest.mark.parametrize("user", ["no-such-user", "0:no-such-group", "no-such-user:0"])
def test_a_user_that_is_not_there_is_named(user):
    """The pipeline's author has to choose another one."""
    with pytest.raises(BadRequest) as error:
        owner_of(user)

    assert error.value.message.startswith(f"transform.user {user} ")


def test_only_root_can_be_somebody_else(monkeypatch):
    """A server of an ordinary user says who it is."""
    monkeypatch.setattr(os, "geteuid", lambda: 1234)

    with pytest.raises(BadRequest) as error:
        owner_of("0")

    assert "only a worker of root can run commands as another user, and this one is user 1234" in error.value.message


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
def test_root_knows_users_by_name_and_by_number():
    """A number without a name has the group of root, as in an image."""
    assert NOBODY == owner_of("nobody").uid
    assert Owner(4242, 0, (0,), "/") == owner_of("4242")
    assert (4242, 77) == (owner_of("4242:77").uid, owner_of("4242:77").gid)


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
@pytest.mark.parametrize("contained", [True, False])
def test_a_command_runs_as_its_user(tmp_path, contained):
    """It has that user's rights, and none of root's; what it writes is its own; a missing program is still said."""
    work = tmp_path / "work"
    (work / "pfs/out").mkdir(parents=True)
    for each in (*tmp_path.parents, tmp_path, work):
        if each.is_relative_to("/tmp") and each != each.parent and str(each) != "/tmp":
            each.chmod(0o755)
    give(str(work / "pfs"), Owner(NOBODY, NOBODY, (NOBODY,), "/"))
    lines = []
    user = (NOBODY, NOBODY, (NOBODY,))

    with Nest.start(work, refuse_namespaces=not contained) as nest:
        script = "id -u; id -G; touch /pfs/out/mine; cat /etc/shadow"
        env = {"PATH": os.environ["PATH"]}
        command = Command(("sh", "-c", script), work / "pfs", env=env, user=user, on_output=lines.append)
        first = nest.run(command)
        second = nest.run(Command(("/etc/passwd",), work / "pfs", user=user))

    assert [b"65534", b"65534"] == lines[:2]
    assert b"denied" in lines[2]
    assert (1, NOBODY) == (first.exit_code, (work / "pfs/out/mine").stat().st_uid)
    assert (126, "command not executable: /etc/passwd") == (second.exit_code, second.error)
