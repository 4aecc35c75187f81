# SPDX-License-Identifier: Apache-2.0
"""Secrets of a local run: from files of this machine, since the lake gives its own to workers alone."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from howdah.model.spec import PipelineSpec, SecretMount
    from howdah.worker.values import ClaimSecret

__all__ = ["given_secrets", "read_secrets"]


def read_secrets(given: Sequence[str]) -> dict[str, dict[str, bytes]]:
    """The values of `NAME=FILE` and `NAME/KEY=FILE`, by name and key; the key of the former is ''.

    Raises:
        UsageError: there is no `=`.
        NotFound, Refused: a file cannot be read.
    """
    from howdah.storage.local_files import explained

    found: dict[str, dict[str, bytes]] = {}
    for each in given:
        named, equals, path = each.partition("=")
        if not equals or not named:
            raise click.UsageError(f"--secret takes NAME=FILE or NAME/KEY=FILE; write --secret {each}=FILE")
        name, _, key = named.partition("/")
        with explained(path), open(path, "rb") as file:
            found.setdefault(name, {})[key or ""] = file.read()
    return found


def given_secrets(
    spec: "PipelineSpec", values: Mapping[str, Mapping[str, bytes]]
) -> "tuple[tuple[ClaimSecret, ...], list[str]]":
    """What user code is given of the secrets that a spec names, and the names of those that nobody gave."""
    found, missing = [], []
    for mount in spec.transform.secrets:
        one = _given(mount, values.get(mount.name, {}))
        if one is None:
            missing.append(mount.name)
        else:
            found.append(one)
    return tuple(found), sorted(set(missing))


def _given(mount: "SecretMount", values: Mapping[str, bytes]) -> "ClaimSecret | None":
    from howdah.worker.values import ClaimSecret

    value = values.get(mount.key, values.get(""))
    if not values or (mount.env_var and value is None):
        return None
    files = {key or mount.key or os.path.basename(mount.name): data for key, data in values.items()}
    return ClaimSecret(
        mount.mount_path, files if mount.mount_path else {}, mount.env_var, (value or b"") if mount.env_var else b""
    )
