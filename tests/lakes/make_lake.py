# SPDX-License-Identifier: Apache-2.0
"""python make_lake.py ARCHIVE: make the lake of tests/lakes with whatever howdah is imported, and pack it.

Run it with the *last* howdah of a format, before the next one is begun:

    git worktree add /somewhere COMMIT
    PYTHONPATH=/somewhere/src python tests/lakes/make_lake.py tests/lakes/format-N.tar.xz

Beside the lake the archive holds `expected.json`: of each commit its files, with sizes, and the first digits of SHA-256
and of our own hash. Only what every version of the client has is used here.
"""

import hashlib
import json
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from howdah.client import Client
from howdah.errors import HowdahError
from howdah.testing.server import running_server

MIB = 1 << 20
ROWS = b"one row of a table that shrinks well\n" * 70_000  # 2.5 MiB: chunks of its own, in frames
SPEC = {
    "transform": {"cmd": ["sh", "-c", 'tr a-z A-Z < "$words" > "/pfs/out/${words##*/}"']},
    "input": {"pfs": {"repo": "words", "glob": "/*.txt"}},
}
SUM = {
    "pipeline": {"name": "sum"},
    "transform": {"cmd": ["sh", "-c", "cat /pfs/loud/*.txt | wc -c > /pfs/out/count"]},
    "input": {"cross": [{"pfs": {"repo": "loud", "glob": "/"}}, {"pfs": {"repo": "tables", "glob": "/"}}]},
}


def fill(client: Client) -> dict[str, Any]:
    """Files of every size and kind, history, and pipelines that have run; what is expected of all of it."""
    client.create_repo("words")
    client.create_repo("tables", description="big ones")
    client.create_repo("many")
    with client.commit("words@master") as commit:
        for name in ("one", "two", "three"):
            commit.put(f"/{name}.txt", name.encode() * 9)
        commit.put("/empty", b"")
        commit.put("/ö/ü/é", "ähm".encode())
    with client.commit("tables@master") as commit:
        commit.put("/big", ROWS)
        commit.put("/limit", bytes(MIB))
    client.put_file("tables@master", "/big", b"appended\n" * 9, append=True)
    client.copy_file("tables@master:/big", "tables@master", "/copy")
    with client.commit("many@master") as commit:
        for number in range(900):  # more than one range
            commit.put(f"/{number % 7}/{number:04}", b"%d" % number)
    client.create_branch("words@first", head="words@master")
    client.create_pipeline({"pipeline": {"name": "loud"}, **SPEC})
    client.create_pipeline(SUM)
    client.put_file("words@master", "/two.txt", b"more", append=True)
    client.delete_file("words@master", "/one.txt")
    for info in client.list_jobs():
        client.wait_job(info.job, timeout=60)
    client.start_commit("many@master", description="open")
    for number in range(3):  # handed in, and not yet merged
        client.put_file("many@master", f"/late-{number}", b"%d late" % number)
    return {
        "commits": {f"{info.commit}": files_of(client, info.commit) for info in commits(client)},
        "jobs": {f"{info.job}": info.state.name for info in client.list_jobs()},
    }


def commits(client: Client) -> list[Any]:
    repos = ("words", "tables", "many", "loud", "sum")
    return [info for repo in repos for info in client.list_commits(repo) if not info.error]


def files_of(client: Client, commit: Any) -> dict[str, list[Any]]:
    found = {}
    for info in client.walk_files(commit, "/"):
        if not info.is_dir:
            data = client.get_file(commit, info.path)
            found[info.path] = [len(data), hashlib.sha256(data).hexdigest()[:12], info.hash.hex()[:12]]
    return found


def main() -> int:
    archive = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        with running_server(root, workers=1) as server, Client(server.grpc_address) as client:
            try:
                expected = fill(client)
            except HowdahError as error:
                sys.exit(error.message)
        expected["lake"] = server.lake_id
        Path(folder, "expected.json").write_text(json.dumps(expected, indent=1))
        (root / "server.lock").unlink(missing_ok=True)
        with tarfile.open(archive, "w:xz") as tar:
            tar.add(root, "root")
            tar.add(Path(folder, "expected.json"), "expected.json")
    sys.stdout.write(f"{archive}: {archive.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
