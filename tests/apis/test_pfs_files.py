# SPDX-License-Identifier: Apache-2.0
"""What is read of files over `pfs_v2.API`: pages, differences, ranges; and files that come from or go to addresses."""

import io
import itertools
import tarfile

import grpc
import pytest
from google.protobuf.wrappers_pb2 import BytesValue

from howdah.apis.grpc.options import CHANNEL_OPTIONS
from howdah.model.refs import Branch, Repo
from howdah.testing.server import running_server
from howdah.wire.convert import branch_message, repo_message
from howdah.wire.stubs import pfs_v2_pb2 as pb
from howdah.wire.stubs import pfs_v2_pb2_grpc

FILES = {"/a": b"1", "/a-b": b"22", "/d/x": b"333", "/d/y/z": b"4444", "/e": b""}
WALKED = ["/", "/a", "/a-b", "/d/", "/d/x", "/d/y/", "/d/y/z", "/e"]
LISTED = ["/a", "/a-b", "/d/", "/e"]

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    with (
        running_server(tmp_path_factory.mktemp("lake")) as server,
        grpc.insecure_channel(server.grpc_address, options=CHANNEL_OPTIONS) as channel,
    ):
        yield pfs_v2_pb2_grpc.APIStub(channel)


@pytest.fixture
def master(api):
    repo = Repo("default", f"repo-{next(_numbers)}")
    api.CreateRepo(pb.CreateRepoRequest(repo=repo_message(repo)))
    return Branch(repo, "master")


@pytest.fixture
def commit(api, master):
    """A finished commit with some files."""
    return stored(api, master, FILES)


def stored(api, branch, files, *more):
    started = api.StartCommit(pb.StartCommitRequest(branch=branch_message(branch)))
    adds = [pb.ModifyFileRequest(add_file=pb.AddFile(path=p, raw=BytesValue(value=d))) for p, d in files.items()]
    api.ModifyFile(iter([pb.ModifyFileRequest(set_commit=started), *adds, *more]))
    api.FinishCommit(pb.FinishCommitRequest(commit=started))
    return started


def at(commit, path="/"):
    return pb.File(commit=commit, path=path)


def fetch(path, url, **options):
    source = pb.AddFile.URLSource(URL=url, **options)
    return pb.ModifyFileRequest(add_file=pb.AddFile(path=path, url=source))


def paths(answers):
    return [info.file.path for info in answers]


def content(api, commit, path):
    return b"".join(each.value for each in api.GetFile(pb.GetFileRequest(file=at(commit, path))))


def code_of(call):
    """The code and text by which a call fails; a stream fails when it is read."""
    with pytest.raises(grpc.RpcError) as caught:
        list(call() or ())
    return caught.value.code(), caught.value.details()


@pytest.mark.parametrize("number", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("method", "message", "expected"),
    [
        ("ListFile", pb.ListFileRequest, LISTED),
        ("WalkFile", pb.WalkFileRequest, WALKED),
    ],
)
@pytest.mark.parametrize("reverse", [False, True])
def test_pages_together_are_everything(api, commit, method, message, expected, number, reverse):
    """Each begins after the last entry of the one before; in reverse each ends before it, and is in reverse."""
    found, marker = [], None
    while True:
        request = message(file=at(commit), number=number, reverse=reverse, paginationMarker=marker)
        page = paths(getattr(api, method)(request))
        assert len(page) <= number
        if not page:
            break
        found += page
        marker = at(commit, page[-1])

    assert expected == (found[::-1] if reverse else found)


@pytest.mark.parametrize(
    ("marker", "forward", "backward"),
    [
        ("/a", ["/a-b", "/d/"], ["/"]),
        ("/b", ["/d/", "/d/x"], ["/a-b", "/a"]),
        ("/d", ["/d/", "/d/x"], ["/a-b", "/a"]),
        ("/d/", ["/d/x", "/d/y/"], ["/a-b", "/a"]),
        ("/d/m", ["/d/x", "/d/y/"], ["/d/", "/a-b"]),
        ("/zzz", [], ["/e", "/d/y/z"]),
    ],
)
def test_a_marker_need_not_be_there(api, commit, marker, forward, backward):
    """The page begins after or ends before where it would stand, by the order of bytes."""
    request = pb.WalkFileRequest(file=at(commit), number=2, paginationMarker=at(commit, marker))
    back = pb.WalkFileRequest(file=at(commit), number=2, paginationMarker=at(commit, marker), reverse=True)

    assert forward == paths(api.WalkFile(request))
    assert backward == paths(api.WalkFile(back))


@pytest.mark.parametrize("method", ["ListFile", "WalkFile"])
def test_the_path_of_a_file_is_a_page_of_its_own(api, commit, method):
    """Unless the marker is behind it."""
    message = pb.ListFileRequest if method == "ListFile" else pb.WalkFileRequest
    call = getattr(api, method)

    assert ["/d/x"] == paths(call(message(file=at(commit, "/d/x"))))
    assert ["/d/x"] == paths(call(message(file=at(commit, "/d/x"), paginationMarker=at(commit, "/d/a"))))
    assert [] == paths(call(message(file=at(commit, "/d/x"), paginationMarker=at(commit, "/d/x"))))
    assert ["/d/x"] == paths(
        call(message(file=at(commit, "/d/x"), paginationMarker=at(commit, "/e"), number=1, reverse=True))
    )


@pytest.mark.parametrize("method", ["ListFile", "WalkFile"])
@pytest.mark.parametrize("wrong", [{"number": 100_001}, {"number": -1}, {"reverse": True}])
def test_a_page_has_a_size_that_can_be(api, commit, method, wrong):
    """For both listings alike."""
    message = pb.ListFileRequest if method == "ListFile" else pb.WalkFileRequest

    code, _ = code_of(lambda: getattr(api, method)(message(file=at(commit), **wrong)))

    assert grpc.StatusCode.INVALID_ARGUMENT is code


def test_only_the_root_may_be_missing(api, master):
    """In an empty commit it is listed and walked, and has nothing; inspecting it finds nothing."""
    empty = stored(api, master, {})

    assert [] == paths(api.ListFile(pb.ListFileRequest(file=at(empty))))
    assert [] == paths(api.WalkFile(pb.WalkFileRequest(file=at(empty))))
    for call in (
        lambda: api.InspectFile(pb.InspectFileRequest(file=at(empty))),
        lambda: api.ListFile(pb.ListFileRequest(file=at(empty, "/d"))),
        lambda: api.WalkFile(pb.WalkFileRequest(file=at(empty, "/d"))),
    ):
        assert grpc.StatusCode.NOT_FOUND is code_of(call)[0]


def difference(api, new, old=None, **options):
    answers = api.DiffFile(pb.DiffFileRequest(new_file=new, old_file=old, **options))
    return [(each.new_file.file.path, each.old_file.file.path) for each in answers]


def test_a_difference_has_directories_and_is_by_path(api, master, commit):
    """Without an old file the same path of the parent is meant; what is on one side only has nothing on the other."""
    later = stored(api, master, {"/d/x": b"more", "/f/g": b"5"}, pb.ModifyFileRequest(delete_file={"path": "/a"}))
    expected = [("/", "/"), ("", "/a"), ("/d/", "/d/"), ("/d/x", "/d/x"), ("/f/", ""), ("/f/g", "")]

    assert expected == difference(api, at(later))
    assert expected == difference(api, at(later), at(commit))
    assert [("/d/", "/d/"), ("/d/x", "/d/x")] == difference(api, at(later, "/d"))
    assert [("", "/a"), ("/d/", "/d/"), ("/f/", "")] == difference(api, at(later), shallow=True)
    assert [("/f/", ""), ("/f/g", "")] == difference(api, at(later, "/f"))
    assert [("/f/g", "")] == difference(api, at(later, "/f"), shallow=True)


def test_the_first_commit_differs_from_nothing(api, commit):
    """Everything is new."""
    assert [(path, "") for path in WALKED] == difference(api, at(commit))


def test_two_directories_are_compared_by_what_is_below_them(api, master):
    """Whatever they are called; directories are compared too."""
    commit = stored(api, master, {"/a/same": b"1", "/a/x": b"2", "/b/same": b"1", "/b/y/z": b"3", "/b-c": b"4"})

    expected = [("/b/", "/a/"), ("", "/a/x"), ("/b/y/", ""), ("/b/y/z", "")]
    assert expected == difference(api, at(commit, "/b"), at(commit, "/a"))
    assert [("/a/x", "/b-c")] == difference(api, at(commit, "/a/x"), at(commit, "/b-c"))
    assert [] == difference(api, at(commit, "/a/same"), at(commit, "/b/same"))


@pytest.mark.parametrize(("offset", "expected"), [(0, b"4444"), (3, b"4"), (4, b""), (5, b"")])
def test_a_get_skips_bytes(api, commit, offset, expected):
    """Behind the end there is nothing, in one empty message."""
    answers = [each.value for each in api.GetFile(pb.GetFileRequest(file=at(commit, "/**/z"), offset=offset))]

    assert [expected] == answers


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("/none", grpc.StatusCode.NOT_FOUND, "file /none not found in repo default/"),
        ("/d", grpc.StatusCode.FAILED_PRECONDITION, "cannot get directory or non-regular file. Use GetFileTAR instead"),
        ("/*", grpc.StatusCode.FAILED_PRECONDITION, "matched multiple files. Use GetFileTAR instead"),
        ("/no*", grpc.StatusCode.NOT_FOUND, "file /no* not found in repo default/"),
        ("/!(", grpc.StatusCode.INVALID_ARGUMENT, "( is not closed"),
    ],
)
def test_a_get_says_why_there_is_no_one_file(api, commit, path, code, text):
    """Before any byte, in the words that clients know."""
    found, details = code_of(lambda: api.GetFile(pb.GetFileRequest(file=at(commit, path))))

    assert (code, True) == (found, text in details)


def test_a_tar_holds_names_of_any_length(api, master):
    """Absolute, in the order of paths, with the mode 0 and no owner; and nothing in it is empty."""
    long = "/" + "/".join(["n" * 200] * 3) + "/ü"
    commit = stored(api, master, {long: b"1", "/a b": b"2"})

    messages = [each.value for each in api.GetFileTAR(pb.GetFileRequest(file=at(commit)))]

    assert all(messages)
    data = b"".join(messages)
    assert bytes(1024) == data[-1024:]
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = tar.getmembers()
    assert {"/a b", long} == {member.name for member in members if member.isfile()}
    assert {(0, 0, 0)} == {(member.mode, member.uid, member.gid) for member in members}


def test_files_come_from_addresses(api, master, moto_bucket):
    """One object, or all below a key; added to what the path has, in the order of the messages."""
    client, name = moto_bucket
    for key in ("in/1", "in/2/3", "one"):
        client.put_object(Bucket=name, Key=key, Body=key.encode())
    one, below = fetch("/a", f"s3://{name}/one"), fetch("/all", f"s3://{name}/in", recursive=True, concurrency=2)
    raw = pb.ModifyFileRequest(add_file=pb.AddFile(path="/a", raw=BytesValue(value=b"!")))

    commit = stored(api, master, {"/a": b"before "}, one, raw, below, one)

    assert b"before one!one" == content(api, commit, "/a")
    assert (b"in/1", b"in/2/3") == (content(api, commit, "/all/1"), content(api, commit, "/all/2/3"))


def test_an_address_that_fails_leaves_nothing(api, master, moto_bucket):
    """Not even the files that came before it; the error names the address and the status."""
    _, name = moto_bucket
    started = api.StartCommit(pb.StartCommitRequest(branch=branch_message(master)))
    first = pb.ModifyFileRequest(set_commit=started)
    good = pb.ModifyFileRequest(add_file=pb.AddFile(path="/good", raw=BytesValue(value=b"1")))
    wrong = fetch("/bad", f"s3://{name}/none")

    code, text = code_of(lambda: api.ModifyFile(iter([first, good, wrong])))

    assert grpc.StatusCode.NOT_FOUND is code
    assert f"s3://{name}/none failed: status 404, it is not there; check the address" == text
    assert [] == paths(api.ListFile(pb.ListFileRequest(file=at(started))))


def test_files_go_to_an_address(api, commit, moto_bucket):
    """Those of a tar, within its range of paths, or one; under their whole paths, and nothing is streamed."""
    client, name = moto_bucket
    bounds = pb.PathRange(lower="/a-", upper="/e")

    tar = pb.GetFileRequest(file=at(commit), URL=f"s3://{name}/out", path_range=bounds)
    assert [] == list(api.GetFileTAR(tar))
    assert [] == list(api.GetFile(pb.GetFileRequest(file=at(commit, "/a"), URL=f"s3://{name}/one")))

    keys = [each["Key"] for each in client.list_objects_v2(Bucket=name)["Contents"]]
    assert ["one/a", "out/a-b", "out/d/x", "out/d/y/z"] == keys
    assert b"4444" == client.get_object(Bucket=name, Key="out/d/y/z")["Body"].read()


def test_a_commit_is_written_to_an_object_store(api, commit, moto_bucket):
    """Whole; the answer is the number of bytes. Databases are refused."""
    client, name = moto_bucket
    request = pb.EgressRequest(commit=commit, object_storage=pb.ObjectStorageEgress(url=f"s3://{name}"))

    assert 10 == api.Egress(request).object_storage.bytes_written
    assert len(FILES) == client.list_objects_v2(Bucket=name)["KeyCount"]
    sql = pb.EgressRequest(commit=commit, sql_database=pb.SQLDatabaseEgress(url="postgres://host/db"))
    assert grpc.StatusCode.UNIMPLEMENTED is code_of(lambda: api.Egress(sql))[0]
    assert grpc.StatusCode.INVALID_ARGUMENT is code_of(lambda: api.Egress(pb.EgressRequest(commit=commit)))[0]


@pytest.mark.parametrize("url", ["file:///etc", "http://127.0.0.1:1/x"])
def test_files_go_to_no_other_address(api, commit, url):
    """The server writes to no folder of its machine, and to no web server."""
    request = pb.GetFileRequest(file=at(commit), URL=url)

    code, text = code_of(lambda: api.GetFileTAR(request))

    assert grpc.StatusCode.UNIMPLEMENTED is code
    assert f"{url} is of no use here; files can be exported to s3://, gs:// and az://" == text
