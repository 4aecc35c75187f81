# SPDX-License-Identifier: Apache-2.0
"""Calls on secrets. A value goes to the server and never comes back: only user code is given it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.empty_pb2 import Empty

from howdah.client.caller import Caller
from howdah.client.read_pfs import when
from howdah.errors import ErrorKind, Refused
from howdah.model.refs import Pipeline
from howdah.model.secrets import DEFAULT_TYPE, Secret, SecretInfo, parse_secret, secret_json, secret_name
from howdah.wire.stubs import pps_v2_pb2 as pb

__all__ = ["SecretCalls"]


class SecretCalls(Caller):
    """What user code is given and nobody else: passwords, tokens, keys. Secrets belong to no project."""

    def create_secret(self, name: str, values: Mapping[str, str | bytes], *, secret_type: str = DEFAULT_TYPE) -> None:
        """Keep values under keys; a pipeline asks for them by `transform.secrets`.

        Raises:
            AlreadyExists: SECRET_EXISTS: delete it first.
            BadRequest: a name or key is none, or it is all too big.
            Refused: SECRETS_KEY: the server has no key to seal it with.
        """
        data = {key: value.encode() if isinstance(value, str) else value for key, value in values.items()}
        self._create(secret_json(Secret(secret_name(name), secret_type, data)))

    def create_secret_from(self, kubernetes: str | bytes | Mapping[str, Any]) -> str:
        """The same from what Kubernetes calls a Secret, in JSON or as a tree; its name. Raises as `create_secret`."""
        text = kubernetes if isinstance(kubernetes, str | bytes) else json.dumps(kubernetes)
        file = text.encode() if isinstance(text, str) else text
        name = parse_secret(file).name
        self._create(file)
        return name

    def inspect_secret(self, name: str) -> SecretInfo:
        """Name, type and time of a secret. Raises NotFound."""
        request = pb.InspectSecretRequest(secret=pb.Secret(name=name))
        return _info(self._wire.call(self._wire.pps.InspectSecret, request))

    def list_secrets(self) -> Iterator[SecretInfo]:
        """All secrets, by name."""
        return map(_info, self._wire.call(self._wire.pps.ListSecret, Empty()).secret_info)

    def delete_secret(self, name: str, *, force: bool = False) -> None:
        """Delete a secret. With `force` also one that pipelines ask for: they do nothing more until it is there again.

        Raises:
            NotFound: SECRET_NOT_FOUND.
            Refused: HAS_DEPENDANTS: pipelines ask for it, and `force` is off.
        """
        users = [] if force else self.secret_users(name)
        if users:
            text = f"secret {name} cannot be deleted: pipeline{'s' if users[1:] else ''} {', '.join(map(str, users))}"
            text += f" use{'' if users[1:] else 's'} it; update or delete what uses it, or use force"
            raise Refused(ErrorKind.HAS_DEPENDANTS, text)
        self._wire.call(self._wire.pps.DeleteSecret, pb.DeleteSecretRequest(secret=pb.Secret(name=name)))

    def secret_users(self, name: str) -> tuple[Pipeline, ...]:
        """The pipelines, of all projects, whose present version asks for a secret, also to fetch its image."""
        found = self._wire.stream(self._wire.pps.ListPipeline, pb.ListPipelineRequest())
        return tuple(
            Pipeline(each.pipeline.project.name, each.pipeline.name)
            for each in found
            if name in (mount.name for mount in each.details.transform.secrets)
            or name in each.details.transform.image_pull_secrets
        )

    def _create(self, file: bytes) -> None:
        self._wire.call(self._wire.pps.CreateSecret, pb.CreateSecretRequest(file=file))


def _info(message: pb.SecretInfo) -> SecretInfo:
    created = when(message.creation_timestamp) if message.HasField("creation_timestamp") else None
    return SecretInfo(message.secret.name, message.type, created)
