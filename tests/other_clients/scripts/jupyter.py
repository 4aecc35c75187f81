# SPDX-License-Identifier: Apache-2.0
"""What the browser asks of the server half of `jupyterlab-pachyderm`, which runs here. Run with address and folder.

Its own tests (`test_jupyterlab.py` runs them too) never send the marker back that a page ends with, nor open a file.
"""

import asyncio
import json
import os
import sys
import threading
from pathlib import Path

import httpx
import tornado.httpserver
import tornado.testing
import tornado.web
from jupyter_server.auth.identity import IdentityProvider, User
from jupyterlab_pachyderm.handlers import NAMESPACE, VERSION, setup_handlers
from pachyderm_sdk import Client
from pachyderm_sdk.api import pfs
from steps import run, step


class Anybody(IdentityProvider):
    """Who asks is let in."""

    def get_user(self, handler):  # the library's name
        return User("somebody")


def served(config: Path) -> str:
    """The address of the extension's handlers, in a thread of their own."""
    socket, port = tornado.testing.bind_unused_port()

    async def serve():
        app = tornado.web.Application(base_url="/")
        setup_handlers(app, config)
        app.settings.update(identity_provider=Anybody(), disable_check_xsrf=True)
        tornado.httpserver.HTTPServer(app).add_socket(socket)
        await asyncio.Event().wait()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    return f"http://127.0.0.1:{port}/{NAMESPACE}/{VERSION}"


def browse(http, path, **query):
    answer = http.get(f"/pfs/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


@step
def the_server_is_known_and_healthy(http, address, folder):
    assert {"status": "HEALTHY_NO_AUTH"} == http.get("/health").json()
    assert {"pachd_address": address} == http.get("/config").json()


@step
def another_address_is_taken_only_if_a_server_is_there(http, address, folder):
    assert 400 == http.put("/config", json={"pachd_address": "127.0.0.1:1"}).status_code
    assert 200 == http.put("/config", json={"pachd_address": f"grpc://{address}"}).status_code


@step
def repos_are_shown_with_their_branches(http, address, folder):
    repos = http.get("/repos").json()
    assert ["images@master"] == [
        branch["uri"].removeprefix("default/") for branch in repos["default/images"]["branches"]
    ]


@step
def a_branch_is_mounted_and_browsed(http, address, folder):
    assert 200 == http.put("/explore/mount", json={"commit_uri": "images@master"}).status_code

    assert ["images"] == [each["name"] for each in browse(http, "")["content"]]
    assert ["file", "file", "file", "directory"] == [each["type"] for each in browse(http, "images")["content"]]
    assert ["deep"] == [each["name"] for each in browse(http, "images/dir")["content"]]
    assert "text of b" == browse(http, "images/b.txt")["content"]


@step
def pages_follow_from_the_marker_that_the_last_one_ended_with(http, address, folder):
    names, marker = [], None
    for _ in range(4):
        query = {"number": 1} if marker is None else {"number": 1, "pagination_marker": marker}
        (only,) = browse(http, "images", **query)["content"]
        names.append(only["name"])
        marker = only["file_uri"]

    assert ["a.bin", "b.txt", "c", "dir"] == names, names
    assert marker.startswith("default/images@"), marker
    assert [] == browse(http, "images", number=1, pagination_marker=marker)["content"]


@step
def what_is_not_there_is_an_error_for_the_user(http, address, folder):
    assert 400 == http.put("/explore/mount", json={"commit_uri": "images@nobranch"}).status_code
    assert 500 == http.get("/pfs/images/nothing").status_code


@step
def files_and_folders_are_downloaded(http, address, folder):
    assert 200 == http.put("/download/explore/images/b.txt").status_code
    assert 200 == http.put("/download/explore/images/dir").status_code

    assert "text of b" == (folder / "b.txt").read_text()
    assert b"1" in [path.read_bytes() for path in (folder / "dir").rglob("deep")]
    assert 400 == http.put("/download/explore/images/b.txt").status_code


@step
def nothing_is_shown_when_it_is_unmounted(http, address, folder):
    assert 200 == http.put("/explore/unmount").status_code
    assert [] == browse(http, "")["content"]


def main(address: str, folder: Path) -> None:
    client = Client.from_pachd_address(address)
    client.pfs.create_repo(repo=pfs.Repo(name="images"))
    with client.pfs.commit(branch=pfs.Branch.from_uri("images@master")) as commit:
        for path, data in {"/a.bin": b"\xff\x00", "/b.txt": b"text of b", "/c": b"", "/dir/deep": b"1"}.items():
            commit.put_file_from_bytes(path=path, data=data)
    config = folder / "config.json"
    here = {"pachd_address": f"grpc://{address}"}
    config.write_text(json.dumps({"v2": {"active_context": "here", "contexts": {"here": here}}}))
    os.chdir(folder)
    with httpx.Client(base_url=served(config), timeout=60) as http:
        run(http, address, folder)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
