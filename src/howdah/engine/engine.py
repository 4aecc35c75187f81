# SPDX-License-Identifier: Apache-2.0
"""A Docker Engine, or Podman's socket that speaks its language, by the engine's official client library.

Only what containers of workers need, with errors of ours: what went wrong, with which image, and the way out.
"""

import io
import logging
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any, Final, Self

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import DeviceRequest, LogConfig
from urllib3.exceptions import HTTPError

from howdah.engine.address import owners, silence
from howdah.engine.images import Credentials, Image, Progress, digest_name, kept_name, split_tag
from howdah.engine.pulling import auth_of, followed, unpulled
from howdah.engine.values import LABEL, Settings
from howdah.errors import ErrorKind, Refused, Unavailable
from howdah.errors import NotFound as Missing

__all__ = ["Engine"]

_SECONDS: Final = 60  # of a call; starting a container on a busy machine may take some
_NANO: Final = 1_000_000_000
_BRIDGE: Final = "bridge"
_OTHER_NETWORK: Final = "see the engine's networks, or start the server with another (--container-network)"

_log = logging.getLogger(__name__)

# What engines say, Docker and Podman, and what can be done about it.
_WAYS_OUT: Final = (
    ("could not select device driver", "this machine has no GPUs for containers; mend that, or ask for none"),
    ("unable to find user", "name a user that the image has, or a number (transform.user)"),
    ("container: network ", _OTHER_NETWORK),
    ("could not find a network", _OTHER_NETWORK),
    ("unable to find network", _OTHER_NETWORK),
)


class Engine:
    """An engine that answers. For many threads: a connection each."""

    def __init__(self, url: str) -> None:
        """`url` as in DOCKER_HOST: unix:///var/run/docker.sock, tcp://127.0.0.1:2375.

        Raises:
            Unavailable: no engine answers there.
        """
        self._url = url
        with self._explained():
            self._api: Any = docker.APIClient(base_url=url, timeout=_SECONDS, version="auto")

    def close(self) -> None:
        """Close its connections."""
        self._api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def image_id(self, image: str) -> str:
        """The id of an image that the engine has: a digest of its content.

        Raises:
            NotFound: IMAGE_NOT_FOUND.
        """
        return str(self._inspected(image)["Id"])

    def find(self, name: str) -> Image | None:
        """An image that the engine has, by any of its names; None if it has none of that name.

        One that was loaded from a file has no digests of registries, but is known by tags that spell them
        (`images.kept_name`).

        Raises:
            Unavailable: the engine does not answer.
            Refused: ENGINE_REFUSED, with what it says.
        """
        try:
            found = self._inspected(name)
        except Missing:
            return None
        spelled = (digest_name(tag) for tag in found.get("RepoTags") or ())
        # Those first: Podman makes up a digest of its own for what it loaded, which no registry has.
        digests = dict.fromkeys([*filter(None, spelled), *(found.get("RepoDigests") or ())])
        return Image(str(found["Id"]), tuple(digests))

    def file(self, image: str, path: str) -> bytes:
        """The bytes of a file of an image that the engine has. A container is made for it, not started, and removed.

        Raises:
            NotFound: IMAGE_NOT_FOUND: there is no such image, or no such file in it.
        """
        with self._explained(image):
            made = self._api.create_container(image, command=["none"])["Id"]
            try:
                stream, _ = self._api.get_archive(made, path)
                data = io.BytesIO(b"".join(stream))
            except NotFound as error:
                raise Missing(ErrorKind.IMAGE_NOT_FOUND, f"image {image} has no {path}; name another") from error
            finally:
                self._api.remove_container(made, force=True)
        with tarfile.open(fileobj=data) as tar:
            member = next(iter(tar))
            found = tar.extractfile(member) if member.isreg() else None
            if found is None:
                raise Missing(ErrorKind.IMAGE_NOT_FOUND, f"{path} of image {image} is no file; name another")
            return found.read()

    def pull(
        self,
        name: str,
        credentials: Credentials | None,
        told: Callable[[Progress], None],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """Fetch an image from its registry; `told` hears how far it is. One that is here is fetched if it is another.

        Without credentials those count that this user has given to the engine's own programs.

        Raises:
            NotFound: IMAGE_NOT_FOUND: the registry has none of that name.
            Refused: ENGINE_REFUSED: the registry wants other credentials, or engine or registry will not.
            Unavailable: UNREACHABLE: engine or registry do not answer; CANCELLED, as soon as it is `stopping`.
        """
        repository, tag = split_tag(name)
        with self._pulling(name, credentials):
            entries = self._api.pull(repository, tag=tag, stream=True, decode=True, auth_config=auth_of(credentials))
            said = followed(name, entries, told, stopping)
        if said:
            raise unpulled(name, said, credentials)

    def registry_digest(self, name: str, credentials: Credentials | None) -> str:
        """The exact name of what a tag is now in its registry; nothing is fetched. Empty if this engine cannot ask.

        Raises:
            NotFound, Refused, Unavailable: as `pull`.
        """
        if self._is_podman():
            return ""
        with self._pulling(name, credentials):
            found = self._api.inspect_distribution(name, auth_config=auth_of(credentials))
        return f"{split_tag(name)[0]}@{found['Descriptor']['digest']}"

    def _is_podman(self) -> bool:
        with self._explained():
            parts = self._api.version().get("Components") or ()
        return any("podman" in str(part.get("Name", "")).lower() for part in parts)

    @contextmanager
    def _pulling(self, name: str, credentials: Credentials | None) -> Iterator[None]:
        try:
            yield
        except APIError as error:
            raise unpulled(name, _said(error), credentials) from None  # the request that it holds has the credentials
        except (DockerException, OSError, HTTPError) as error:
            gone = silence(self._url)
            raise (self._gone(error) if gone else unpulled(name, _said(error), credentials)) from None

    def create(
        self,
        settings: Settings,
        binds: Mapping[str, tuple[str, str]],
        command: tuple[str, ...],
        *,
        terminal: bool = False,
        env: Mapping[str, str] = MappingProxyType({}),
        cwd: str = "/.howdah",
    ) -> str:
        """Make a container that runs `command`; `binds` says for each folder of this machine where it lies in there.

        With a `terminal` it has one, into which somebody types. `env` goes before the variables of the image.

        No capabilities, no new privileges, a network only by choice; none where `bridge` is chosen and Docker was told
        to have none (`dockerd --bridge=none`).

        Raises:
            NotFound: IMAGE_NOT_FOUND.
            Unavailable: the engine refuses, or is gone.
        """
        limits = settings.limits
        image = self.image_id(settings.image)
        with self._explained(settings.image):
            host = self._api.create_host_config(
                binds={folder: {"bind": place, "mode": mode} for folder, (place, mode) in binds.items()},
                network_mode=self._network(settings.network),
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                read_only=settings.read_only,
                pids_limit=limits.pids or None,
                shm_size=limits.shm_bytes or None,
                mem_limit=limits.memory_bytes or None,
                memswap_limit=limits.memory_bytes or None,
                nano_cpus=round(limits.cpus * _NANO) or None,
                device_requests=[DeviceRequest(count=limits.gpus, capabilities=[["gpu"]])] if limits.gpus else None,
                tmpfs={"/tmp": ""} if settings.read_only else None,
                log_config=LogConfig(type="none"),
            )
            made = self._api.create_container(
                image,
                entrypoint=list(command),
                command=[],
                working_dir=cwd,
                environment=dict(env),
                user=settings.user or None,
                labels=dict(settings.labels),
                host_config=host,
                stdin_open=terminal,
                tty=terminal,
                healthcheck={"Test": ["NONE"]},
            )
            return str(made["Id"])

    def _network(self, wanted: str) -> str:
        if wanted != _BRIDGE or self._is_podman() or _BRIDGE in (each["Name"] for each in self._api.networks()):
            return wanted
        _log.warning("the container engine at %s has no bridge, so containers have no network", self._url)
        return "none"

    def start(self, container: str) -> None:
        """Start a container.

        Raises:
            Refused: ENGINE_REFUSED: it cannot be started; the engine says why.
            Unavailable: the engine is gone.
        """
        with self._explained("to start a container"):
            self._api.start(container)

    def working_dir(self, image: str) -> str:
        """Where commands of an image begin unless they are told."""
        return str(self._inspected(image)["Config"].get("WorkingDir") or "/")

    def variables(self, image: str) -> dict[str, str]:
        """The variables that an image sets."""
        lines = self._inspected(image)["Config"].get("Env") or []
        return dict(line.split("=", 1) for line in lines)

    def state(self, container: str) -> Mapping[str, Any]:
        """What the engine knows of a container: Running, OOMKilled, ExitCode, Error; empty if it is gone.

        Raises:
            Unavailable: the engine does not answer.
            Refused: ENGINE_REFUSED, with what it says.
        """
        with self._explained(container):
            try:
                return dict(self._api.inspect_container(container)["State"])
            except NotFound:
                return {}

    def wait(self, container: str, seconds: float) -> None:
        """Return when a container has ended.

        Raises:
            Unavailable, Refused: it has not after so many seconds.
        """
        with self._explained(container):
            self._api.wait(container, timeout=seconds)

    def remove(self, container: str) -> None:
        """Kill a container and remove it. Nothing happens if it is gone."""
        with self._explained(container), suppress(NotFound):
            self._api.remove_container(container, force=True, v=True)

    def owners(self) -> dict[str, str]:
        """All containers with the label `LABEL`, running or not, and its value of each."""
        return owners(self._url)

    def leftovers(self, value: str) -> list[str]:
        """The containers whose label `LABEL` has a value, running or not."""
        with self._explained():
            found = self._api.containers(all=True, quiet=True, filters={"label": f"{LABEL}={value}"})
        return [each["Id"] for each in found]

    def _inspected(self, name: str) -> Mapping[str, Any]:
        """What the engine knows of an image, by its name or by the one that it has when it was loaded from a file."""
        kept = kept_name(name)
        with self._explained(name):
            try:
                found: Mapping[str, Any] = self._api.inspect_image(name)
            except NotFound:
                if not kept:
                    raise
                found = self._api.inspect_image(kept)
        return found

    @contextmanager
    def _explained(self, what: str = "") -> Iterator[None]:
        try:
            yield
        except ImageNotFound as error:
            text = f"image {what} is not on this machine: {_said(error)}; pull it, or load it into the engine"
            raise Missing(ErrorKind.IMAGE_NOT_FOUND, text) from error
        except APIError as error:
            text = f"the container engine refused {what}: {_said(error)}"
            raise Refused(ErrorKind.ENGINE_REFUSED, f"{text}; {_way_out(text)}") from error
        except (DockerException, OSError) as error:
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> Unavailable:
        """That it does not answer; why not is plainer when it is asked again than in what its library says."""
        why = silence(self._url) or _said(error)
        text = f"no container engine answers at {self._url}: {why}; start it, or name another"
        return Unavailable(ErrorKind.UNREACHABLE, text)


def _way_out(text: str) -> str:
    """What to do about a refusal, by what it says."""
    return next((way_out for said, way_out in _WAYS_OUT if said in text), "mend what it names")


def _said(error: Exception) -> str:
    text = getattr(error, "explanation", None) or str(error)
    return " ".join(str(text).split())
