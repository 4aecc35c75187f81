# SPDX-License-Identifier: Apache-2.0
"""Where the server's keys come from: files that nobody else may read, the environment, and how a key is replaced."""

import base64
import stat

import pytest

from howdah.errors import ErrorKind, Refused
from howdah.model.secrets import Secret
from howdah.pps.sealing import new_key
from howdah.server.app import opened
from howdah.server.rotating import rotate
from howdah.server.secret_keys import GivenKeys, KeyFile, default_key_file, server_keys
from howdah.testing.server import running_server

VALUE = b"hunter2-hunter2"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's configuration of this test alone."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def key_file(folder, *keys, mode=0o600):
    path = folder / "key"
    path.write_text("# a comment\n\n" + "".join(f"{key}\n" for key in keys or [new_key()]))
    path.chmod(mode)
    return path


def refused(root, file=None, given=None, store=None):
    with pytest.raises(Refused) as error:
        server_keys(root, store, file, given)
    assert ErrorKind.SECRETS_KEY == error.value.kind
    return error.value.message


def test_the_users_own_key_is_made_when_it_is_needed_and_for_this_user_alone(home):
    """Not before; then it stays, and another server of this user has the same."""
    keys = server_keys(home / "lake", None, None, None)
    before = list(keys.known()), default_key_file().exists()

    [key] = keys.made()

    assert ([], False) == before
    assert 0o600 == stat.S_IMODE(default_key_file().stat().st_mode)
    assert 0o700 == stat.S_IMODE(default_key_file().parent.stat().st_mode)
    assert [default_key_file()] == list(default_key_file().parent.iterdir())
    assert [key] == list(keys.made())
    assert [key] == list(server_keys(home / "other", None, None, None).known())


def test_two_servers_that_need_the_first_key_at_once_have_the_same(home):
    """Whoever is second takes what the first one made."""
    first, second = (server_keys(home / name, None, None, None) for name in ("a", "b"))

    assert first.made() == second.made()


def test_user_code_is_kept_from_the_key(home):
    """The default's folder is hidden before there is a key; a file that was named is hidden itself."""
    path = key_file(home)

    assert (default_key_file().parent,) == server_keys(home / "lake", None, None, None).hidden
    assert default_key_file().parent.is_dir()
    assert (path,) == server_keys(home / "lake", None, path, None).hidden


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606, 0o620])
def test_a_key_that_others_can_read_is_refused(home, mode):
    """The text says how to mend it, and that the key may be known by now."""
    path = key_file(home, mode=mode)

    text = refused(home / "lake", path)

    assert f"(mode {mode:04o})" in text
    assert f"chmod 600 {path}" in text
    assert "howdah rotate secrets-key" in text


def test_a_key_in_the_lake_is_refused(home):
    """Below the root, below a store in a folder, by a link, and where the user's own file would be there."""
    root, store = home / "lake", home / "store"
    for folder in (root, store):
        folder.mkdir()
    (home / "linked").symlink_to(root)

    texts = [
        refused(root, key_file(root)),
        refused(root, key_file(store), store=str(store)),
        refused(root, home / "linked" / "key"),
        refused(home),
    ]

    assert 4 == sum("lies in the lake's own folder" in text for text in texts)


def test_a_file_that_holds_no_key_is_refused_without_being_shown(home):
    """A slip in a key must not put the rest of it into a log."""
    slip = str(new_key())[:-2]
    path = key_file(home, slip)

    text = refused(home / "lake", path)

    assert "line 3 is no key" in text
    assert slip not in text
    assert "is not there" in refused(home / "lake", home / "nothing")
    assert "word 1 is no key" in refused(home / "lake", given=slip)
    assert "has no key" in refused(home / "lake", given="")


def test_keys_are_read_from_the_variable_and_the_file_goes_before_it(home):
    """Base64 or hex, the newest first; a key in the environment is in no file."""
    old, new = new_key(), new_key()
    given = f"{new}, {old.data.hex()}\n{old}"

    keys = server_keys(home / "lake", None, None, given)
    named = server_keys(home / "lake", None, key_file(home, old), given)

    assert isinstance(keys, GivenKeys)
    assert [new, old] == list(keys.known())
    assert isinstance(named, KeyFile)
    assert [old] == list(named.known())
    assert base64.b64encode(new.data).decode() not in repr(keys.known())


def test_a_key_is_replaced(home):
    """Everything is sealed by the new one; the old one stays for backups unless it shall not."""
    root = home / "lake"
    with opened(root, keys=server_keys(root, None, None, None)) as lake:
        for name in ("a", "b"):
            lake.pps.secrets.create(Secret(name, values={"k": VALUE}))
    [first] = KeyFile(default_key_file(), is_default=True).known()

    done = rotate(root, None, None)
    two = KeyFile(default_key_file(), is_default=True).known()
    again = rotate(root, None, None, forget_old=True)
    one = KeyFile(default_key_file(), is_default=True).known()

    assert (2, 1) == (done.secrets, done.old_keys)
    assert [done.fingerprint, first.fingerprint] == [key.fingerprint for key in two]
    assert (2, 0) == (again.secrets, again.old_keys)
    assert [again.fingerprint] == [key.fingerprint for key in one]
    assert 0o600 == stat.S_IMODE(default_key_file().stat().st_mode)


def test_a_server_that_starts_with_a_new_first_key_seals_by_it(home):
    """That is how a key in the environment is replaced; `rotate` says so."""
    root, old, new = home / "lake", new_key(), new_key()
    with opened(root, keys=GivenKeys(str(old))) as lake:
        lake.pps.secrets.create(Secret("a", values={"k": VALUE}))
    with pytest.raises(Refused, match="put a new key before the old one"):
        rotate(root, None, str(old))

    with running_server(root, keys=GivenKeys(f"{new} {old}")):
        pass

    with opened(root, keys=GivenKeys(str(new))) as lake:
        assert 0 == lake.pps.secrets.reseal()


def test_a_lake_with_another_key_is_not_given_a_new_one(home):
    """The key file is as it was, since what is sealed could not be sealed anew."""
    root = home / "lake"
    with opened(root, keys=GivenKeys(str(new_key()))) as lake:
        lake.pps.secrets.create(Secret("a", values={"k": VALUE}))
    path = key_file(home)
    before = path.read_text()

    with pytest.raises(Refused, match="was sealed with key"):
        rotate(root, path, None)

    assert before == path.read_text()
