# SPDX-License-Identifier: Apache-2.0
"""Files from addresses, from a web server and from an S3 server of our own; and what is said when it fails."""

import os

import pytest

from howdah.errors import BadRequest, ErrorKind, NotFound, Refused, Unavailable, Unsupported
from howdah.storage.urls import Target, check_source, fetched, fetched_below
from tests.storage.web_server import Quiet, web_server

MIB = 1 << 20
BIG = os.urandom(5 * MIB + 7)


class _Web(Quiet):
    def do_GET(self):  # noqa: N802 - the library calls it so
        path = self.path.partition("?")[0]
        if path == "/moved":
            self.answer(302, location="/big")
        elif path == "/to-a-file":
            self.answer(302, location="file:///etc/hostname")
        elif path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x" * 10)
        elif path == "/big":
            self.answer(200, BIG)
        else:
            self.answer(int(path[1:]))


@pytest.fixture(scope="module")
def web():
    with web_server(_Web) as address:
        yield address


def filled(bucket, files):
    client, name = bucket
    for key, data in files.items():
        client.put_object(Bucket=name, Key=key, Body=data)
    return f"s3://{name}"


def below(url, at_once=0):
    return {name: b"".join(pieces) for name, pieces in fetched_below(url, at_once)}


@pytest.mark.parametrize("path", ["/big", "/moved", "/big?signature=x"])
def test_a_file_comes_from_the_web(web, path):
    """Whole, in pieces, after redirections too."""
    pieces = list(fetched(web + path))

    assert BIG == b"".join(pieces)
    assert len(pieces) > 1


@pytest.mark.parametrize(
    ("path", "error", "says"),
    [
        ("/404", NotFound, "status 404 (not found); check the address"),
        ("/403", Refused, "status 403 (forbidden); check the address and the server's right to it"),
        ("/500", Unavailable, "status 500 (internal server error); try again when it answers"),
        ("/429", Unavailable, "status 429"),
        ("/cut", Unavailable, "it ended after 10 of 100 bytes"),
        ("/to-a-file", Refused, "status 302"),
    ],
)
def test_an_error_of_the_web_names_address_and_status(web, path, error, says):
    """And what leads to a file of this machine is not followed; nothing secret is in the text."""
    with pytest.raises(error) as caught:
        b"".join(fetched(f"{web}{path}?token=secret#x"))

    assert caught.value.kind in (ErrorKind.URL_NOT_FOUND, ErrorKind.URL_REFUSED, ErrorKind.URL_FAILED)
    assert caught.value.message.startswith(f"{web}{path} failed: ")
    assert says in caught.value.message
    assert "secret" not in caught.value.message


def test_a_server_that_is_not_there_is_named():
    """Nothing listens on the port."""
    with pytest.raises(Unavailable) as caught:
        b"".join(fetched("http://user:password@127.0.0.1:1/x"))

    assert caught.value.message.startswith("http://127.0.0.1:1/x failed: ")


@pytest.mark.parametrize(
    ("url", "recursive", "error"),
    [
        ("file:///etc/passwd", False, Unsupported),
        ("ftp://host/x", False, Unsupported),
        ("/just/a/path", False, Unsupported),
        ("", False, Unsupported),
        ("s3:///key", False, BadRequest),
        ("s3://bucket", False, BadRequest),
        ("http://host/x", True, BadRequest),
        ("http://[broken/x", False, BadRequest),
    ],
)
def test_an_address_that_will_not_do_is_refused_at_once(url, recursive, error):
    """Before anything is fetched; the text is one line with a way out."""
    with pytest.raises(error) as caught:
        check_source(url, recursive=recursive)

    assert ";" in caught.value.message
    assert caught.value.message.isprintable()


def test_an_object_comes_from_a_bucket(moto_bucket):
    """Whole, whatever its size; its key is taken as it stands."""
    url = filled(moto_bucket, {"d/big": BIG, "d/a b%20c?x": b"1", "empty": b""})

    assert BIG == b"".join(fetched(f"{url}/d/big"))
    assert b"1" == b"".join(fetched(f"{url}/d/a b%20c?x"))
    assert b"" == b"".join(fetched(f"{url}/empty"))


@pytest.mark.parametrize("at_once", [0, 1, 100])
def test_what_is_below_a_key_comes_with_its_names(moto_bucket, at_once):
    """Big and small; not what only begins alike, nor the markers of folders."""
    url = filled(moto_bucket, {"d/x/1": b"1", "d/x/y/2": b"2", "d/xx": b"no", "d/x/": b"", "d/x/big": BIG})

    assert {"1": b"1", "y/2": b"2", "big": BIG} == below(f"{url}/d/x", at_once)
    assert {"d/x/1", "d/x/y/2", "d/xx", "d/x/big"} == set(below(url, at_once))
    assert {"": b"1"} == below(f"{url}/d/x/1", at_once)


def test_many_objects_come_in_any_number(moto_bucket):
    """More than a page of the bucket's listing would make the test slow; more than are begun at once do not."""
    files = {f"d/{number:03}": b"%d" % number for number in range(50)}
    url = filled(moto_bucket, files)

    assert {key[2:]: data for key, data in files.items()} == below(f"{url}/d/")


def test_an_object_that_is_not_there_is_named(moto_bucket):
    """And so is a prefix that nothing has, and a bucket."""
    url = filled(moto_bucket, {"a": b"1"})

    for call in (
        lambda: b"".join(fetched(f"{url}/b")),
        lambda: below(f"{url}/c"),
        lambda: b"".join(fetched("s3://no-such-bucket-here/x")),
    ):
        with pytest.raises(NotFound) as caught:
            call()
        assert ErrorKind.URL_NOT_FOUND is caught.value.kind
        assert caught.value.message.startswith("s3://")


def test_files_are_written_below_an_address(moto_bucket):
    """Big ones in parts, empty ones too, over what is there."""
    client, name = moto_bucket
    target = Target(f"s3://{name}/out/")

    target.write("/a/big", [BIG[:MIB], memoryview(BIG)[MIB:]])
    target.write("/empty", [])
    target.write("/a/big", [BIG])

    read = {each["Key"]: each["Size"] for each in client.list_objects_v2(Bucket=name)["Contents"]}
    assert {"out/a/big": len(BIG), "out/empty": 0} == read


@pytest.mark.parametrize("url", ["http://host/x", "file:///tmp", "s3://"])
def test_files_are_written_to_object_stores_alone(url):
    """The web and this machine's own files are refused."""
    with pytest.raises((Unsupported, BadRequest)):
        Target(url)


def test_a_target_that_is_not_there_is_named(moto_bucket):
    """The bucket is missing."""
    with pytest.raises(NotFound) as caught:
        Target("s3://no-such-bucket-here/x").write("/a", [b"1"])

    assert caught.value.message.startswith("s3://no-such-bucket-here/x/a failed: status 404")
