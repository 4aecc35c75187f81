# SPDX-License-Identifier: Apache-2.0
"""The secrets that a spec asks for: `transform.secrets`. Whether they exist is asked in `pps.secrets`."""

from typing import Final

from howdah.errors import BadRequest
from howdah.model.secrets import secret_name
from howdah.model.spec.codec import bad_spec
from howdah.model.spec.values import PipelineSpec, SecretMount
from howdah.model.texts import one_line

__all__ = ["check_secrets"]

_PLACES_TAKEN: Final = ("/pfs", "/proc", "/dev", "/sys")


def check_secrets(spec: PipelineSpec) -> None:
    """Refuse what cannot be given to any command.

    Raises:
        BadRequest: BAD_SPEC, naming the field.
    """
    paths: set[str] = set()
    for number, mount in enumerate(spec.transform.secrets):
        field = f"transform.secrets[{number}]"
        try:
            secret_name(mount.name)
        except BadRequest as error:
            raise bad_spec(f"{field}.name", error.message) from None
        if not mount.mount_path and not mount.env_var:
            raise bad_spec(field, "it goes nowhere; give mountPath, or envVar and key")
        if mount.env_var:
            _check_variable(mount, field)
        if mount.mount_path:
            _check_path(mount.mount_path, f"{field}.mountPath", paths)


def _check_variable(mount: SecretMount, field: str) -> None:
    if not mount.key:
        raise bad_spec(f"{field}.key", f"secret {mount.name} has env_var set but is missing key; name the key")
    if "=" in mount.env_var or "\0" in mount.env_var:
        raise bad_spec(f"{field}.envVar", "no variable can have this name; leave = and NUL out")


def _check_path(path: str, field: str, others: set[str]) -> None:
    parts = path.rstrip("/").split("/")
    if not path.startswith("/") or len(parts) < 2 or "\0" in path or any(part in ("", ".", "..") for part in parts[1:]):
        raise bad_spec(field, f"{one_line(path)} is no folder's path; start it with /, and leave . and .. out")
    whole = "/".join(parts)
    if any(whole == taken or whole.startswith(f"{taken}/") for taken in _PLACES_TAKEN):
        raise bad_spec(field, f"{one_line(path)} is taken; use a folder outside of {', '.join(_PLACES_TAKEN)}")
    if whole in others:
        raise bad_spec(field, f"{one_line(path)} is given to two secrets; give each a folder of its own")
    others.add(whole)
