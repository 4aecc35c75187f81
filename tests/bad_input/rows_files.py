# SPDX-License-Identifier: Apache-2.0
"""Wrong calls: paths and patterns that no lake can hold, and files asked for in a wrong way."""

from howdah.errors import ErrorKind
from howdah.wire.stubs import pfs_v2_pb2 as pfs
from tests.bad_input.row import Row, commit, file
from tests.bad_input.world import World


def put(path: str, kind: ErrorKind, *texts: str, cli: bool = True) -> Row:
    """A put at that path, by each face."""
    return Row(
        kind,
        texts,
        cli=(lambda w: ("put", "file", f"images@master:{path}", "-f", w.file("x", "x"))) if cli else None,
        client=lambda w: w.client.put_file("images@master", path, b"x"),
        grpc=lambda w: modify(w, pfs.ModifyFileRequest(add_file=pfs.AddFile(path=path, raw={"value": b"x"}))),
    )


def modify(world: World, *requests: pfs.ModifyFileRequest, branch: str = "master") -> object:
    """A ModifyFile stream onto a branch of `images`."""
    target = pfs.ModifyFileRequest(set_commit=commit("images", branch))
    return world.pfs.ModifyFile(iter([target, *requests]))


PATHS = {
    "path with ..": put(
        "/a/../b", ErrorKind.BAD_PATH, "path (/a/../b) invalid: relative file paths are not allowed", "without"
    ),
    "path with .": put("/./b", ErrorKind.BAD_PATH, "path (/./b) invalid", "without the component ."),
    "path with NUL": put("/a\0b", ErrorKind.BAD_PATH, "invalid: it has the control character U+0000; rename"),
    "path with a newline": put("/a\nb", ErrorKind.BAD_PATH, "invalid: it has the control character U+000A; rename"),
    "path with an escape": put("/a\x1b[2Jb", ErrorKind.BAD_PATH, "invalid: it has the control character U+001B"),
    "path of 5,000 bytes": put("/abcdefghi" * 500, ErrorKind.BAD_PATH, "it has 5000 bytes; use at most 4000"),
    "component of 300 bytes": put(
        "/d/" + "é" * 150, ErrorKind.BAD_PATH, "its component ", "has 300 bytes; use at most 255"
    ),
    "empty path": put("", ErrorKind.BAD_PATH, "path / is the root directory, not a file", cli=False),
    "path of the root": put("/", ErrorKind.BAD_PATH, "path / is the root directory, not a file", cli=False),
    "file where a directory is": put("/dir", ErrorKind.PATH_COLLISION, "/dir", "delete or rename one of the two"),
    "file below a file": put("/a/b", ErrorKind.PATH_COLLISION, "/a", "delete or rename one of the two"),
    "read of a path with ..": Row(
        ErrorKind.BAD_PATH,
        ("path (/../a) invalid",),
        cli=lambda w: ("inspect", "file", "images@master:/../a"),
        client=lambda w: w.client.inspect_file("images@master", "/../a"),
        grpc=lambda w: w.pfs.GetFile(pfs.GetFileRequest(file=file("images", "master", "/../a"))),
    ),
    "list of a path with NUL": Row(
        ErrorKind.BAD_PATH,
        ("control character U+0000",),
        cli=lambda w: ("list", "file", "images@master:/a\0"),
        client=lambda w: w.client.list_files("images@master", "/a\0"),
        grpc=lambda w: w.pfs.ListFile(pfs.ListFileRequest(file=file("images", "master", "/a\0"))),
    ),
    "bad pattern": Row(
        ErrorKind.BAD_PATTERN,
        ("/[a",),
        cli=lambda w: ("glob", "file", "images@master:/[a"),
        client=lambda w: w.client.glob_files("images@master", "/[a"),
        grpc=lambda w: w.pfs.GlobFile(pfs.GlobFileRequest(commit=commit("images", "master"), pattern="/[a")),
    ),
    "read of a directory": Row(
        ErrorKind.NOT_A_FILE,
        ("/dir", "directory"),
        cli=lambda w: ("get", "file", "images@master:/dir"),
        client=lambda w: w.client.get_file("images@master", "/dir"),
        grpc=lambda w: w.pfs.GetFile(pfs.GetFileRequest(file=file("images", "master", "/dir"))),
    ),
    "local file that is not there": Row(
        ErrorKind.FILE_NOT_FOUND,
        ("no-such-file",),
        cli=lambda w: ("put", "file", "images@master:/x", "-f", str(w.folder / "no-such-file")),
        client=lambda w: w.client.put_file("images@master", "/x", w.folder / "no-such-file"),
    ),
    "local folder without -r": Row(
        ErrorKind.BAD_ARGUMENT,
        ("folder", "-r"),
        cli=lambda w: ("put", "file", "images@master:/x", "-f", str(w.folder)),
    ),
    "get onto a local folder that is not there": Row(
        ErrorKind.FILE_NOT_FOUND,
        ("no-such-folder",),
        cli=lambda w: ("get", "file", "images@master:/a", "-o", str(w.folder / "no-such-folder" / "a")),
        client=lambda w: w.client.save_file("images@master", "/a", w.folder / "no-such-folder" / "a"),
    ),
    "reference without a branch": Row(
        ErrorKind.BAD_REFERENCE,
        ("images",),
        cli=lambda w: ("list", "file", "images"),
        client=lambda w: w.client.list_files("images"),
    ),
    "stream that names no commit": Row(
        ErrorKind.BAD_ARGUMENT,
        ("commit",),
        grpc=lambda w: w.pfs.ModifyFile(
            iter([pfs.ModifyFileRequest(add_file=pfs.AddFile(path="/x", raw={"value": b"x"}))])
        ),
    ),
    "stream that names two commits": Row(
        ErrorKind.BAD_ARGUMENT,
        ("commit",),
        grpc=lambda w: modify(w, pfs.ModifyFileRequest(set_commit=commit("images", "draft"))),
    ),
    "file from a URL that nobody serves": Row(
        ErrorKind.URL_FAILED,
        ("http://127.0.0.1:1/x failed: ", "try again"),
        grpc=lambda w: modify(
            w, pfs.ModifyFileRequest(add_file=pfs.AddFile(path="/x", url={"URL": "http://127.0.0.1:1/x"}))
        ),
    ),
    "file from a URL of the server's own machine": Row(
        ErrorKind.UNSUPPORTED,
        ("file:///etc/passwd is of no use here; files can be fetched from http://",),
        grpc=lambda w: modify(
            w, pfs.ModifyFileRequest(add_file=pfs.AddFile(path="/x", url={"URL": "file:///etc/passwd"}))
        ),
    ),
}
