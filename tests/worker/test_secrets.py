# SPDX-License-Identifier: Apache-2.0
"""Secrets beside a datum: variables and files for its command, and nothing of them in its logs or on any disk."""

import base64

import pytest

from howdah.wire.stubs import howdah_v1_pb2 as wire
from howdah.worker.secrets import Mask
from howdah.worker.values import ClaimSecret
from tests.worker.test_work import Running
from tests.worker.test_work import server as server  # a fixture

VALUE = b"hunter2-hunter2"
SHOW = """
echo "it is $PASSWORD"; cat /secrets/db/password; echo; ls -l /secrets/db > /pfs/out/listed
printf "$PASSWORD" | base64; printf "$PASSWORD" | wc -c > /pfs/out/length
"""


def claim(server, script, *secrets):
    made = server.lake.claim({"in": {"/a": b"a"}}, [[("in", "/a")]], transform={"cmd": ["sh", "-c", script]})
    made.secrets.extend(secrets)
    return made


def bytes_below(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_user_code_has_its_secrets_and_nobody_sees_them(server, tmp_path):
    """Its lines are masked, plain and in base64; the disk of worker and lake has nothing of them."""
    worker = Running(server, tmp_path)
    if not worker.runner.is_contained:
        worker.close()
        pytest.skip("no namespaces here")
    files = {"password": VALUE, "user": b"ana"}

    mounted = wire.ClaimSecret(mount_path="/secrets/db", files=files)
    server.add(claim(server, SHOW, mounted, wire.ClaimSecret(env_var="PASSWORD", value=VALUE)))
    [result] = server.wait_done()
    worker.close()

    output = {path: data for (path, _), data in server.output().items()}
    assert "" == result.reason
    assert str(len(VALUE)).encode() == output["/length"].strip()
    assert 2 == output["/listed"].count(b"-r--------")
    assert ["it is ***", "***", "***"] == [line.rstrip("=") for line in server.log()]
    assert VALUE not in bytes_below(tmp_path)


def test_a_folder_of_secrets_needs_namespaces_and_a_variable_does_not(server, tmp_path):
    """Where there are none the datum fails with the way out, and a variable is given all the same."""
    worker = Running(server, tmp_path, refuse_namespaces=True)
    server.add(claim(server, "true", wire.ClaimSecret(mount_path="/secrets", files={"a": VALUE})), set_id=1)
    server.add(claim(server, 'echo "it is $P"', wire.ClaimSecret(env_var="P", value=VALUE)), set_id=2)

    [refused] = server.wait_done(1)
    [given] = server.wait_done(2)
    worker.close()

    assert "a secret cannot be mounted on /secrets without namespaces" in refused.reason
    assert "env_var" in refused.reason
    assert "" == given.reason
    assert ["it is ***"] == server.log()


@pytest.mark.parametrize(
    ("value", "line", "shown"),
    [
        (b"hunter2\n", b"a hunter2 and hunter2", b"a *** and ***"),
        (b"hunter2", base64.b64encode(b"hunter2"), b"***=="),
        (b"hunter2", base64.b64encode(b"hunter2\n"), b"***="),
        (b"-----BEGIN KEY-----\nabcdefgh\nij\n", b"second abcdefgh, third ij", b"second ***, third ij"),
        (b"\xff\xfe\xfd", b"<\xff\xfe\xfd>", b"<***>"),
        (b"ab", "cab ab, ab=ab abc äab".encode(), "cab ***, ***=*** abc äab".encode()),
        (b"7", b"PIN=7 of 17 (7)", b"PIN=*** of 17 (***)"),
        (b"a.c", b"abc a.c", b"abc ***"),
        (b"", b"anything", b"anything"),
    ],
)
def test_a_value_is_masked_as_it_is_and_encoded(value, line, shown):
    """Each line of a value with several; what is very short, where it is a word of its own."""
    mask = Mask([ClaimSecret(env_var="A", value=value)])

    assert shown == mask(line)


def test_of_two_values_the_longer_is_masked_whole():
    """One that begins with another leaves no rest; the worker's own lines are masked as well."""
    mask = Mask([ClaimSecret(mount_path="/a", files={"a": b"abc", "b": b"abcdef"})])

    assert b"***" == mask(b"abcdef")
    assert "datum *** failed" == mask("datum abc failed")
    assert "as it is" == Mask([])("as it is")
