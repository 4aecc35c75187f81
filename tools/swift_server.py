# SPDX-License-Identifier: Apache-2.0
"""OpenStack Swift on this machine, seen through its S3 interface: four processes, one disk, one copy.

Swift is no dependency of howdah's: `pip install swift 'setuptools<81'` into an environment of its own, and name its
`bin` folder in $HOWDAH_SWIFT, unless the programs are on the PATH. `.ci/run` does so.
"""

import getpass
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

READY_SECONDS = 60.0  # reached only when a start hangs
PARTS = ("object", "container", "account")
KEYS = {"AWS_ACCESS_KEY_ID": "test:tester", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}

SWIFT = """[swift-hash]
swift_hash_path_suffix = howdah
swift_hash_path_prefix = howdah
"""
COMMON = """[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {folder}
user = {user}
workers = 0
log_level = ERROR
log_address = {folder}/no-syslog
"""
STORAGE = """devices = {folder}/disks
mount_check = false
fallocate_reserve = 0
[pipeline:main]
pipeline = {part}-server
[app:{part}-server]
use = egg:swift#{part}
allow_versions = true
"""
PROXY = """[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth bulk slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcache}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""


def swift_folder() -> Path | None:
    """Where Swift's programs are; None if it is not installed."""
    found = shutil.which("swift-proxy-server", path=os.environ.get("HOWDAH_SWIFT") or os.environ.get("PATH"))
    return Path(found).parent if found else None


@contextmanager
def swift_server(programs: Path, folder: Path) -> Iterator[str]:
    """The endpoint of a server without buckets inside the block; all that it stores is in `folder`."""
    (folder / "disks" / "d1").mkdir(parents=True)
    (folder / "swift.conf").write_text(SWIFT)
    ports = dict(zip((*PARTS, "proxy", "memcache"), free_ports(5), strict=True))
    for part in (*PARTS, "proxy"):
        text = COMMON + (PROXY if part == "proxy" else STORAGE)
        values = {"folder": folder, "user": getpass.getuser(), "port": ports[part], "part": part}
        (folder / f"{part}.conf").write_text(text.format(**values, memcache=ports["memcache"]))
    for part in PARTS:
        make_ring(programs, folder, part, ports[part])
    with ExitStack() as stack:
        for part in (*PARTS, "proxy"):
            log = stack.enter_context((folder / f"{part}.log").open("wb"))
            program = [str(programs / f"swift-{part}-server"), str(folder / f"{part}.conf")]
            environment = {**os.environ, "SWIFT_CONF_FILE": str(folder / "swift.conf")}
            process = subprocess.Popen(program, stdout=log, stderr=log, env=environment, start_new_session=True)
            stack.callback(end, process)
        endpoint = f"http://127.0.0.1:{ports['proxy']}"
        wait_until_answered(endpoint, folder / "proxy.log")
        yield endpoint


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def make_ring(programs: Path, folder: Path, part: str, port: int) -> None:
    """Say that all of one kind is on the one disk."""
    builder = [str(programs / "swift-ring-builder"), str(folder / f"{part}.builder")]
    for words in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
        done = subprocess.run([*builder, *words], capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: a warning


def wait_until_answered(endpoint: str, log: Path) -> None:
    """Return when there is an answer of any kind."""
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(endpoint, timeout=5).close()
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return
        except OSError:
            pass
        else:
            return
        assert time.monotonic() < until, log.read_text(errors="replace")[-2000:]
        time.sleep(0.05)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a server and wait for its end."""
    process.kill()
    process.wait()
