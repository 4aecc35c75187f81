# SPDX-License-Identifier: Apache-2.0
"""Secrets of a lake: kept sealed (`pps.sealing`), given to user code of pipelines that ask for them, shown to nobody.

The values are in the clear in memory alone: while one is created, and in the claims of workers. A secret is never
changed: it is deleted and created again, and has another version then. That, its name, its type and the lake are what
its values are bound to, so rows of the database cannot be swapped.
"""

import base64
import json
import logging
from collections.abc import Mapping
from typing import Final

from howdah.db.engine import Database
from howdah.db.transaction import Transaction
from howdah.errors import AlreadyExists, BadRequest, ErrorKind, Refused
from howdah.kit import fail
from howdah.kit.ids import NewId
from howdah.model.secrets import Secret, SecretInfo
from howdah.model.spec import PipelineSpec, SecretMount
from howdah.pfs.identity import identity
from howdah.pps import secret_rows
from howdah.pps.infos import GivenSecret
from howdah.pps.sealing import Key, KeySource, open_sealed, seal
from howdah.pps.secret_rows import SecretRow
from howdah.pps.subjects import WORK

__all__ = ["Secrets"]

_log: Final = logging.getLogger(__name__)


class Secrets:
    """The secrets of a lake. Safe for many threads."""

    def __init__(self, db: Database, keys: KeySource, new_id: NewId) -> None:
        self._db = db
        self._keys = keys
        self._new_id = new_id

    def create(self, secret: Secret) -> None:
        """Keep a secret. It is durable, and sealed, when this returns.

        Raises:
            AlreadyExists: SECRET_EXISTS: delete it first.
            Refused: SECRETS_KEY: there is no key to seal with, and none can be made.
        """
        with self._db.write() as tx:
            if secret_rows.find(tx, secret.name) is not None:
                text = f'secrets "{secret.name}" already exists; delete it first: howdah delete secret {secret.name}'
                raise AlreadyExists(ErrorKind.SECRET_EXISTS, text)
            # A lake whose key is lost must not silently get another.
            key = self._keys.made()[0] if not secret_rows.every(tx) else self._first(tx)
            version = self._new_id()
            bound_to = _bound_to(tx, secret.name, secret.type, version)
            sealed = seal(key, _packed(secret.values), bound_to)
            fail.here("secrets.sealed")
            secret_rows.insert_secret(tx, secret.name, secret.type, version, key.fingerprint, sealed)
            tx.emit(WORK, "waiting")  # a pipeline may have waited for it

    def inspect(self, name: str) -> SecretInfo:
        """What anybody may know of a secret.

        Raises:
            NotFound: SECRET_NOT_FOUND.
        """
        with self._db.read() as tx:
            return _info(secret_rows.get(tx, name))

    def list(self) -> tuple[SecretInfo, ...]:
        """All secrets, by name."""
        with self._db.read() as tx:
            return tuple(_info(row) for row in secret_rows.every(tx))

    def delete(self, name: str) -> None:
        """Delete a secret. User code that has it keeps it; a pipeline that asks for it is CRASHING from then on.

        Raises:
            NotFound: SECRET_NOT_FOUND.
        """
        with self._db.write() as tx:
            secret_rows.remove(tx, secret_rows.get(tx, name))

    def given(self, tx: Transaction, spec: PipelineSpec) -> tuple[GivenSecret, ...]:
        """What the user code of a pipeline is given of the secrets that its spec asks for, in their order.

        Raises:
            NotFound: SECRET_NOT_FOUND: one is not there.
            BadRequest: BAD_SPEC: one has no such key, or a value that no variable can have.
            Refused: SECRETS_KEY: one cannot be opened with the keys of this server.
        """
        return tuple(self._given(tx, mount) for mount in spec.transform.secrets)

    def values(self, tx: Transaction, name: str) -> Mapping[str, bytes]:
        """The values of a secret, by key: for what the server itself does with them.

        Raises:
            NotFound: SECRET_NOT_FOUND.
            Refused: SECRETS_KEY: it cannot be opened with the keys of this server.
        """
        return _unpacked(self._opened(tx, secret_rows.get(tx, name)))

    def reseal(self) -> int:
        """Seal anew, by the first key and in one transaction, what older keys sealed; how many secrets that was.

        Raises:
            Refused: SECRETS_KEY: one cannot be opened with the keys of this server; then none is changed.
        """
        with self._db.read() as tx:
            if all(row.key in self._fingerprints()[:1] for row in secret_rows.every(tx)):
                return 0
        with self._db.write() as tx:
            old = [row for row in secret_rows.every(tx) if row.key not in self._fingerprints()[:1]]
            opened = [(row, self._opened(tx, row)) for row in old]
            for row, data in opened:
                key = self._keys.known()[0]
                sealed = seal(key, data, _bound_to(tx, row.name, row.type, row.version))
                secret_rows.reseal(tx, row, key.fingerprint, sealed)
            fail.here("secrets.resealing")
        return len(old)

    def begin(self) -> None:
        """What a server that starts does: `reseal`; that it cannot is logged, since all else can be served."""
        try:
            if count := self.reseal():
                _log.info("%d secrets were sealed anew with key %s", count, self._fingerprints()[0])
        except Refused as error:
            _log.warning("%s", error.message)

    def _given(self, tx: Transaction, mount: SecretMount) -> GivenSecret:
        values = _unpacked(self._opened(tx, secret_rows.get(tx, mount.name)))
        files = values if mount.mount_path else {}
        if not mount.env_var:
            return GivenSecret(mount_path=mount.mount_path, files=files)
        if mount.key not in values:
            text = f"secret {mount.name} is missing key {mount.key}; create it again with that key"
            raise BadRequest(ErrorKind.BAD_SPEC, text)
        if b"\0" in values[mount.key]:
            text = f"key {mount.key} of secret {mount.name} has the byte NUL, which no variable can have"
            raise BadRequest(ErrorKind.BAD_SPEC, f"{text}; give mountPath instead of envVar")
        return GivenSecret(mount.mount_path, files, mount.env_var, values[mount.key])

    def _opened(self, tx: Transaction, row: SecretRow) -> bytes:
        """The values of a secret, packed."""
        bound_to = _bound_to(tx, row.name, row.type, row.version)
        for key in self._keys.known():
            if key.fingerprint != row.key:
                continue
            if (data := open_sealed(key, row.sealed, bound_to)) is not None:
                return data
            text = f"secret {row.name} was sealed with key {key.fingerprint}, and its row was changed since"
            raise Refused(ErrorKind.SECRETS_KEY, f"{text}; delete the secret and create it again")
        raise self._another_key(row)

    def _another_key(self, row: SecretRow) -> Refused:
        has = ", ".join(self._fingerprints())
        text = f"secret {row.name} was sealed with key {row.key}, and this server has "
        text += f"key {has} from {self._keys.place}" if has else f"none in {self._keys.place}"
        way_out = "start it with the right key (--secrets-key-file), or delete the secret and create it again"
        return Refused(ErrorKind.SECRETS_KEY, f"{text}; {way_out}")

    def _first(self, tx: Transaction) -> Key:
        """The key to seal with in a lake that has secrets: one that has opened some of them, or was put before it."""
        keys = self._keys.known()
        rows = secret_rows.every(tx)
        known = {key.fingerprint for key in keys}
        strangers = [row for row in rows if row.key not in known]
        if not keys or (rows and len(strangers) == len(rows)):
            raise self._another_key(strangers[0])
        return keys[0]

    def _fingerprints(self) -> tuple[str, ...]:
        return tuple(key.fingerprint for key in self._keys.known())


def _info(row: SecretRow) -> SecretInfo:
    return SecretInfo(row.name, row.type, row.created_at)


def _bound_to(tx: Transaction, name: str, kind: str, version: str) -> bytes:
    lake = identity(tx)
    return json.dumps(["howdah secret", lake.lake_id if lake else "", name, kind, version]).encode()


def _packed(values: Mapping[str, bytes]) -> bytes:
    return json.dumps({key: base64.b64encode(value).decode() for key, value in values.items()}).encode()


def _unpacked(data: bytes) -> dict[str, bytes]:
    return {key: base64.b64decode(value) for key, value in json.loads(data).items()}
