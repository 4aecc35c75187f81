# SPDX-License-Identifier: Apache-2.0
"""What `pachctl` sends about files, command by command."""

import io
import itertools
import os
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest

from howdah.wire.stubs import pfs_v2_pb2 as pb
from tests.other_clients.pachctl import MIB, commit, file, put_file, repo

PFS = "pfs_v2.API"

_numbers = itertools.count(1)


@pytest.fixture
def name(pachctl):
    """A repo of its own."""
    made = f"repo-{next(_numbers)}"
    pachctl.run(f"create repo {made}", f"{PFS}/CreateRepo", pb.CreateRepoRequest(repo=repo(made)))
    return made


@pytest.fixture
def page():
    """The address of a page, served while the test runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"from the web")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/page"
    server.shutdown()
    thread.join()
    server.server_close()


def put(pachctl, to, files, **how):
    with pachctl.command(f"put file {to}@master -r -f folder") as begun:
        put_file(begun, commit(to, name="master"), files, **how)


def got(begun, what, **options):
    return b"".join(m.value for m in begun.call(f"{PFS}/GetFile", pb.GetFileRequest(file=what, **options)))


def got_tar(begun, what):
    data = b"".join(m.value for m in begun.call(f"{PFS}/GetFileTAR", pb.GetFileRequest(file=what)))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: tar.extractfile(member).read() if member.isfile() else None for member in tar}


def paths(infos):
    return [info.file.path for info in infos]


def test_a_folder_is_put_by_one_stream(pachctl, name):
    """All its files, big, small and empty, are one commit of a branch that was not there before."""
    big = os.urandom(MIB) * 5 + b"end"
    put(pachctl, name, {"/dir/big": big, "/dir/small": b"s", "/empty": b""})

    commits = pachctl.run("list commit", f"{PFS}/ListCommit", pb.ListCommitRequest(repo=repo(name), all=True))
    with pachctl.command(f"get file {name}@master:/dir/big") as begun:
        read = [got(begun, file(name, path)) for path in ("/dir/big", "/dir/small", "/empty")]

    assert 1 == len(commits)
    assert [big, b"s", b""] == read


def test_a_put_replaces_and_an_append_adds(pachctl, name):
    """`-a` sends no delete before."""
    put(pachctl, name, {"/a": b"old", "/b": b"old"})
    put(pachctl, name, {"/a": b"new"})
    put(pachctl, name, {"/b": b"er"}, append=True)

    with pachctl.command(f"get file {name}@master:/a") as begun:
        assert (b"new", b"older") == (got(begun, file(name, "/a")), got(begun, file(name, "/b")))


def test_a_page_of_the_web_is_put_by_its_address(pachctl, name, page):
    """`-f http://...`: the server fetches it."""
    put(pachctl, name, {"/page": pb.AddFile.URLSource(URL=page)})

    with pachctl.command(f"get file {name}@master:/page") as begun:
        assert b"from the web" == got(begun, file(name, "/page"))


def test_a_put_into_a_repo_that_is_not_there_says_so(pachctl):
    """The text has what `pachctl` looks for before it tells users to make the repo."""
    with pytest.raises(grpc.RpcError) as caught:
        put(pachctl, "nowhere", {"/a": b"1"})

    assert grpc.StatusCode.NOT_FOUND == caught.value.code()
    assert "not found" in caught.value.details()


def test_a_file_is_got_from_an_offset(pachctl, name):
    """`--offset`, and `--retry` after an interruption."""
    put(pachctl, name, {"/a": b"0123456789"})

    with pachctl.command(f"get file {name}@master:/a --offset 7") as begun:
        assert b"789" == got(begun, file(name, "/a"), offset=7)


def test_a_directory_needs_the_option_for_it(pachctl, name):
    """The text has what `pachctl` looks for before it tells users of `-r`."""
    put(pachctl, name, {"/dir/a": b"1"})

    with pytest.raises(grpc.RpcError, match="Use GetFileTAR instead"), pachctl.command("get file") as begun:
        got(begun, file(name, "/dir"))


def test_a_folder_is_got_below_its_own_path(pachctl, name):
    """`-r -o`: each name in the tar begins with the path that was inspected before, which is cut off."""
    put(pachctl, name, {"/dir/a": b"1", "/dir/sub/b": b"2", "/other": b"3"})

    with pachctl.command(f"get file {name}@master:/dir -r -o there") as begun:
        prefix = begun.call(f"{PFS}/InspectFile", pb.InspectFileRequest(file=file(name, "/dir"))).file.path
        members = got_tar(begun, file(name, "/dir"))
        alone = begun.call(f"{PFS}/InspectFile", pb.InspectFileRequest(file=file(name, "/other"))).file.path
        other = got_tar(begun, file(name, "/other"))

    assert "/dir/" == prefix
    assert all(member.startswith(prefix.rstrip("/")) for member in members)
    assert {"a": b"1", "sub/b": b"2"} == {
        member.removeprefix(prefix): data for member, data in members.items() if data is not None
    }
    assert {alone: b"3"} == other


def test_files_are_listed_matched_and_inspected(pachctl, name):
    """Directories end with a slash in what is printed."""
    put(pachctl, name, {"/dir/a.txt": b"1", "/b.txt": b"22"})

    listed = pachctl.run("list file", f"{PFS}/ListFile", pb.ListFileRequest(file=file(name, "/")))
    request = pb.GlobFileRequest(commit=commit(name, name="master"), pattern="/**.txt")
    matched = pachctl.run("glob file", f"{PFS}/GlobFile", request)
    one = pachctl.run("inspect file", f"{PFS}/InspectFile", pb.InspectFileRequest(file=file(name, "/dir")))

    assert [("/b.txt", pb.FILE), ("/dir/", pb.DIR)] == [(info.file.path, info.file_type) for info in listed]
    assert ["/b.txt", "/dir/a.txt"] == paths(matched)
    assert ("/dir/", 1, True) == (one.file.path, one.size_bytes, one.HasField("committed"))


def test_what_differs_is_got_from_both_sides(pachctl, name):
    """`diff file`: each side that there is, is read at the commit that it names."""
    put(pachctl, name, {"/same": b"s", "/changed": b"old", "/gone": b"g"})
    with pachctl.command(f"put file {name}@master") as begun:
        put_file(begun, commit(name, name="master"), {"/changed": b"new", "/added": b"a"})
    with pachctl.command(f"delete file {name}@master:/gone") as begun:
        delete = pb.DeleteFile(path="/gone")
        first = pb.ModifyFileRequest(set_commit=commit(name, name="master"))
        begun.call(f"{PFS}/ModifyFile", iter([first, pb.ModifyFileRequest(delete_file=delete)]))

    with pachctl.command(f"diff file {name}@master:/ {name}@master~2:/") as begun:
        old = pb.File(commit=commit(name, "master~2"), path="/")
        request = pb.DiffFileRequest(new_file=file(name, "/"), old_file=old)
        sides = [
            tuple(
                got(begun, getattr(each, side).file) if each.HasField(side) else None
                for side in ("old_file", "new_file")
            )
            for each in begun.call(f"{PFS}/DiffFile", request)
            if not (each.new_file.file.path or each.old_file.file.path).endswith("/")
        ]

    assert [(None, b"a"), (b"old", b"new"), (b"g", None)] == sides


def test_files_are_copied_and_deleted_without_their_bytes(pachctl, name):
    """`copy file` and `delete file -r`, whose path ends with a slash then."""
    put(pachctl, name, {"/dir/a": b"1", "/dir/b": b"2", "/dir-not": b"3"})
    first = pb.ModifyFileRequest(set_commit=commit(name, name="master"))
    copy = pb.CopyFile(src=file(name, "/dir"), dst="/copy")
    delete = pb.DeleteFile(path="/dir/")
    for line, body in (
        ("copy file", pb.ModifyFileRequest(copy_file=copy)),
        ("delete file -r", pb.ModifyFileRequest(delete_file=delete)),
    ):
        with pachctl.command(line) as begun:
            begun.call(f"{PFS}/ModifyFile", iter([first, body]))

    request = pb.GlobFileRequest(commit=commit(name, name="master"), pattern="/**")
    assert ["/copy/", "/copy/a", "/copy/b", "/dir-not"] == paths(pachctl.run("glob file", f"{PFS}/GlobFile", request))


def test_files_go_into_an_open_commit(pachctl, name):
    """Between `start` and `finish commit`, by the branch or by the id."""
    request = pb.StartCommitRequest(branch=pb.Branch(repo=repo(name), name="master"))
    opened = pachctl.run(f"start commit {name}@master", f"{PFS}/StartCommit", request)
    put(pachctl, name, {"/by-branch": b"1"})
    with pachctl.command(f"put file {name}@{opened.id}") as begun:
        put_file(begun, commit(name, opened.id), {"/by-id": b"2"})
    request = pb.FinishCommitRequest(commit=commit(name, name="master"))
    pachctl.run(f"finish commit {name}@master", f"{PFS}/FinishCommit", request)

    listed = pachctl.run("list file", f"{PFS}/ListFile", pb.ListFileRequest(file=file(name, "/")))

    assert ["/by-branch", "/by-id"] == paths(listed)
    assert {opened.id} == {info.file.commit.id for info in listed}
