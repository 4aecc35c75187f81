# SPDX-License-Identifier: Apache-2.0
"""Secrets by the official Python client, used by real workers; then everything is searched for their values."""

import logging
import sqlite3
import stat
import subprocess

import grpc
import pytest
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs, pps

from howdah.pps.sealing import new_key
from howdah.server.secret_keys import KeyFile
from howdah.testing.server import running_server

VALUE = "hunter2-hunter2"
DATA = {"password": VALUE}
# Its output tells that it had both, and not what.
SCRIPT = """
echo "the password is $PASSWORD and $(cat /secrets/password)"
test "$PASSWORD" = "$(cat /secrets/password)" && printf %s "$PASSWORD" | md5sum > /pfs/out/sum
"""


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "key"
    path.write_text(f"{new_key()}\n")
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return KeyFile(path)


@pytest.fixture(scope="module")
def lake(tmp_path_factory, key):
    """A server with a worker, and its client."""
    with running_server(tmp_path_factory.mktemp("lake"), workers=1, keys=key) as server:
        yield server, Client(host=server.host, port=server.grpc_port)


def used(client):
    """A pipeline that has used a secret, mounted and as a variable; the lines of its log."""
    client.pps.create_secret(name="db", data=DATA)
    repo = pfs.Repo(name="in", type="user")
    client.pfs.create_repo(repo=repo)
    with client.pfs.commit(branch=pfs.Branch(repo=repo, name="master")) as commit:
        commit.put_file_from_bytes(path="/a", data=b"a")
    mounts = [
        pps.SecretMount(name="db", mount_path="/secrets"),
        pps.SecretMount(name="db", env_var="PASSWORD", key="password"),
    ]
    pipeline = pps.Pipeline(name="up")
    client.pps.create_pipeline(
        pipeline=pipeline,
        transform=pps.Transform(cmd=["sh"], stdin=SCRIPT.splitlines(), secrets=mounts),
        input=pps.Input(pfs=pps.PfsInput(repo="in", glob="/*")),
    )
    output = pfs.Commit(branch=pfs.Branch(repo=pfs.Repo(name="up", type="user"), name="master"))
    client.pfs.wait_commit(output)
    return [line.message for line in client.pps.get_logs(pipeline=pipeline) if line.user]


@pytest.mark.slow
def test_a_secret_is_used_and_found_nowhere(lake, caplog, capfd):
    """Not in the lake, its database with WAL and events, the logs of server and worker, an answer, or `ps`."""
    server, client = lake
    caplog.set_level(logging.DEBUG)

    lines = used(client)

    [secret] = client.pps.list_secret().secret_info
    shown = [
        repr(client.pps.inspect_secret(secret=secret.secret)),
        repr(client.pps.inspect_pipeline(pipeline=pps.Pipeline(name="up"), details=True)),
        *map(repr, client.pps.list_job(details=True)),
    ]
    disk = {str(path): path.read_bytes() for path in server.root.rglob("*") if path.is_file()}
    processes = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=False).stdout
    assert ("db", "Opaque") == (secret.secret.name, secret.type)
    assert secret.creation_timestamp is not None
    assert ["the password is *** and ***"] == lines
    assert any(path.endswith("metadata.db-wal") for path in disk)
    assert [] == [path for path, data in disk.items() if VALUE.encode() in data]
    assert VALUE not in "".join([*shown, processes, caplog.text, *capfd.readouterr()])
    with client.pfs.pfs_file(file=pfs.File.from_uri("up@master:/sum")) as file:
        assert 35 < len(file.read())


def test_the_errors_of_secrets_are_those_that_clients_expect(lake):
    """A code for each, and a text without a value."""
    _, client = lake
    client.pps.create_secret(name="other", data=DATA)
    calls = [
        lambda: client.pps.create_secret(name="other", data=DATA),
        lambda: client.pps.create_secret(name="Not A Name", data=DATA),
        lambda: client.pps.inspect_secret(secret=pps.Secret(name="none")),
        lambda: client.pps.delete_secret(secret=pps.Secret(name="none")),
    ]

    errors = []
    for call in calls:
        with pytest.raises(grpc.RpcError) as error:
            call()
        errors.append(error.value)
    client.pps.delete_secret(secret=pps.Secret(name="other"))

    code = grpc.StatusCode
    assert [code.ALREADY_EXISTS, code.INVALID_ARGUMENT, code.NOT_FOUND, code.NOT_FOUND] == [
        error.code() for error in errors
    ]
    assert 'secrets "other" already exists' in errors[0].details()
    assert VALUE not in "".join(error.details() for error in errors)


def test_the_tables_hold_nothing_in_the_clear(lake):
    """Row by row, whatever file a page of it lies in."""
    server, _ = lake
    with sqlite3.connect(server.root / "metadata.db") as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()

    assert VALUE not in dump
    assert VALUE.encode().hex() not in dump.lower()
