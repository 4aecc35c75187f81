# SPDX-License-Identifier: Apache-2.0
"""Container engines of our own in a folder: a Docker daemon and Podman's service. For tests."""

import fcntl
import io
import os
import shutil
import socket
import struct
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from docker import APIClient
from docker.errors import DockerException

START_SECONDS = 60
ADD_BRIDGE, DELETE_BRIDGE, SET_FLAGS = 0x89A0, 0x89A1, 0x8914  # requests to Linux, by their numbers there
SHELL = Path("/bin/busybox")
# What the busybox of an image is called by too.
APPLETS = (
    "awk cat chmod chown chroot cp cut dd echo env false find grep head id kill ln ls mkdir mkfifo mknod mount mv "
    "printf ps pwd readlink rm seq setsid sh sleep su sync tail touch tr true umount unshare wc whoami yes"
)


def missing_for(engine: str) -> str:
    """The first program that is not here and an engine needs; empty if all are."""
    wanted = {"docker": ("dockerd", "runc"), "podman": ("podman", "runc")}[engine]
    absent = [name for name in wanted if shutil.which(name) is None]
    return (absent or [str(path) for path in (SHELL,) if not path.exists()] or [""])[0]


class Daemon:
    """An engine that keeps everything in `folder`; it can be killed and started again."""

    def __init__(self, engine: str, folder: Path, registries: Sequence[str] = ()) -> None:
        self._folder = folder
        self.address = f"unix://{folder}/sock"
        self._bridge = _made_bridge() if engine == "docker" else ""
        docker = engine == "docker"
        words = _docker(folder, self.address, self._bridge) if docker else _podman(folder, self.address, registries)
        self._words = words
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; return when it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._words, stdout=log, stderr=log)
        _await(self.address, self._process, self._folder / "log")

    def kill(self) -> None:
        """Kill the process that answers, and no other of its; return when it is dead."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        # Docker's helper dies with it; where nobody waits for orphans its number stays, and is taken for it.
        (self._folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)

    def end(self) -> None:
        """Have it end by itself, and remove what it kept."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        _remove_bridge(self._bridge)
        for mounted in _mounts(self._folder):
            subprocess.run(["umount", "-l", mounted], check=False)
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def running(engine: str, folder: Path, registries: Sequence[str] = ()) -> Iterator[str]:
    """The address of an engine that keeps everything in `folder`, inside the block; its containers go with it.

    It asks `registries` of this machine without TLS.
    """
    with daemon(engine, folder, registries) as started:
        yield started.address


@contextmanager
def daemon(engine: str, folder: Path, registries: Sequence[str] = ()) -> Iterator[Daemon]:
    """As `running`, for who wants to kill it."""
    made = Daemon(engine, folder, registries)
    try:
        made.start()
        yield made
        _remove_containers(made.address)
    finally:
        made.end()


def build(address: str, name: str, files: Mapping[str, bytes | str], changes: tuple[str, ...] = ()) -> str:
    """Make an image of files, by path: bytes for an executable, words for a link; `changes` as in a Dockerfile."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.mode = 0o755
            if isinstance(content, bytes):
                info.size = len(content)
                info.mode = {"etc": 0o644, "setuid": 0o4755}.get(path.partition("/")[0], 0o755)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = (tarfile.SYMTYPE, content) if content else (tarfile.DIRTYPE, "")
                tar.addfile(info)
    return _imported(address, name, stream, changes)


def _imported(address: str, name: str, stream: io.BytesIO, changes: tuple[str, ...]) -> str:
    name = f"localhost/{name}"  # a bare name would be one of a public registry to Podman
    api = APIClient(base_url=address, version="auto")
    try:
        api.import_image_from_data(stream.getvalue(), repository=f"{name}:1", changes=list(changes))
    finally:
        api.close()
    return f"{name}:1"


def take(address: str, name: str, root: Path, changes: tuple[str, ...] = ()) -> str:
    """Make an image of a folder."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(root, ".")
    return _imported(address, name, stream, changes)


def forget(address: str, image: str) -> None:
    """Delete an image with all of its names."""
    api = APIClient(base_url=address, version="auto")
    try:
        api.remove_image(api.inspect_image(image)["Id"], force=True)
    finally:
        api.close()


def program(name: str) -> dict[str, bytes | str]:
    """The files of a program of this machine and the libraries that it loads."""
    path = Path(shutil.which(name) or name)
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    loaded = [Path(word) for word in said.split() if word.startswith("/")]
    return {str(each).lstrip("/"): each.read_bytes() for each in (path, *loaded)}


def with_shell(**others: bytes | str) -> dict[str, bytes | str]:
    """The files of an image with a shell and its usual commands."""
    links: dict[str, bytes | str] = {f"bin/{name}": "/bin/busybox" for name in APPLETS.split()}
    users = b"root:x:0:0:root:/root:/bin/sh\nworker:x:1234:1234::/:/bin/sh\n"
    own: dict[str, bytes | str] = {"tmp": "", "bin/busybox": SHELL.read_bytes(), "etc/passwd": users}
    return {**own, **links, **program("flock"), **others}


def _docker(folder: Path, address: str, bridge: str) -> list[str]:
    places = ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    # A daemon that is told to have none deletes docker0, and with it the network of the machine's own Docker.
    network = [f"--bridge={bridge or 'none'}", "--iptables=false", "--ip6tables=false"]
    return ["dockerd", *places, "-H", address, *network, "--ip-forward=false", "--ip-masq=false"]


def _podman(folder: Path, address: str, registries: Sequence[str]) -> list[str]:
    known = folder / "registries.conf"  # Docker trusts what is on this machine anyway
    known.write_text("".join(f'[[registry]]\nlocation="{each}"\ninsecure=true\n' for each in registries))
    settings = folder / "containers.conf"
    settings.write_text(
        '[containers]\ndefault_ulimits=["nofile=4096:4096","nproc=4096:4096"]\n[engine]\nruntime="runc"\n'
    )
    places = ["--root", f"{folder}/data", "--runroot", f"{folder}/run", "--storage-driver", "vfs"]
    variables = [f"CONTAINERS_CONF={settings}", f"CONTAINERS_REGISTRIES_CONF={known}"]
    chosen = ["env", *variables, "podman", *places, "--cgroup-manager", "cgroupfs"]
    return [*chosen, "system", "service", "--time", "0", address]


def _made_bridge() -> str:
    """A bridge of our own, on which containers reach nobody; none where the system makes none."""
    name = f"howdah{os.urandom(4).hex()}"
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        fcntl.ioctl(asking, ADD_BRIDGE, f"{name}\0".encode())
        return name
    return ""


def _remove_bridge(name: str) -> None:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        if name:
            fcntl.ioctl(asking, SET_FLAGS, struct.pack("16sh14x", name.encode(), 0))  # down
            fcntl.ioctl(asking, DELETE_BRIDGE, f"{name}\0".encode())


def _await(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            api = APIClient(base_url=address, version="auto")
            api.close()
            return
        except DockerException as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no engine at {address}: {log.read_text()[-2000:]}") from error
            time.sleep(0.05)


def _remove_containers(address: str) -> None:
    api = APIClient(base_url=address, version="auto")
    for each in api.containers(all=True, quiet=True):
        api.remove_container(each["Id"], force=True)
    api.close()


def _mounts(folder: Path) -> list[str]:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((point for point in points if point.startswith(f"{folder}/")), reverse=True)
