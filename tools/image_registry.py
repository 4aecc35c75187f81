# SPDX-License-Identifier: Apache-2.0
"""A registry of images of our own, with a password: Debian's `docker-registry`. For tests.

Images are put into it by its HTTP interface, without an engine, so that they are the same bytes for every engine.
"""

import base64
import gzip
import hashlib
import io
import json
import platform
import re
import shutil
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER, PASSWORD = "ana", "hunter2-hunter2"
START_SECONDS = 30
# Of the password, by bcrypt, which is all that the registry reads.
_HASHED = "$2b$04$IEvp/0DsvJPyIx292OMbw.0uOpL9/knakietP.N3vx9Yjz5ApgFxa"
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def is_missing() -> str:
    """The program that is not here and is needed; empty if it is."""
    return "" if shutil.which("docker-registry") else "docker-registry"


@dataclass(frozen=True)
class Registry:
    """A registry that runs, by its host and port."""

    address: str

    def push(self, name: str, tag: str, files: Sequence[Mapping[str, bytes]], config: Mapping[str, Any]) -> str:
        """Put an image with a layer for each of `files` under a tag; its name with its digest."""
        layers = [_tar(each) for each in files]
        packed = [gzip.compress(layer, mtime=0) for layer in layers]
        image = {
            "architecture": _MACHINES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": dict(config),
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer) for layer in layers]},
        }
        described = json.dumps(image).encode()
        for blob in (described, *packed):
            self._put_blob(name, blob)
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, described),
            "layers": [_descriptor(_LAYER, each) for each in packed],
        }
        body = json.dumps(manifest).encode()
        self._call("PUT", f"/v2/{name}/manifests/{tag}", body, _MANIFEST)
        return f"{self.address}/{name}@{_digest(body)}"

    def _put_blob(self, name: str, blob: bytes) -> None:
        place = self._call("POST", f"/v2/{name}/blobs/uploads/", b"")["Location"]
        path = place.partition(self.address)[2] or place
        self._call(
            "PUT", f"{path}{'&' if '?' in path else '?'}digest={_digest(blob)}", blob, "application/octet-stream"
        )

    def _call(self, method: str, path: str, body: bytes, kind: str = "") -> Any:
        word = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {word}", **({"Content-Type": kind} if kind else {})}
        request = urllib.request.Request(f"http://{self.address}{path}", body, headers, method=method)
        with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
            return answer.headers


@contextmanager
def running(folder: Path) -> Iterator[Registry]:
    """A registry on a free port of this machine, with its images in `folder`, inside the block."""
    (folder / "users").write_text(f"{USER}:{_HASHED}\n")
    (folder / "config.yml").write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/images}}}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
        f"auth: {{htpasswd: {{realm: test, path: {folder}/users}}}}\n"
    )
    words = ["docker-registry", "serve", str(folder / "config.yml")]
    with (folder / "log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as process:
        try:
            yield Registry(_address(process, folder / "log"))
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while True:
        if found := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text()):
            return found[1]
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"no registry: {log.read_text()[-2000:]}")
        time.sleep(0.02)


def _tar(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), 0o755
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def _descriptor(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "size": len(data), "digest": _digest(data)}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
