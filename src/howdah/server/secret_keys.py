# SPDX-License-Identifier: Apache-2.0
"""Where the server's keys for secrets are (`pps.sealing`): in a file of this user alone, or in the environment.

Never in the lake, its store or its database: a copy of those without the key shows no secret. A file has a key on each
line; the first seals, the others open what was sealed before. The default file lies in a folder of its own below the
user's configuration, is made when the first secret is, and is for all lakes of this user.
"""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from howdah.errors import ErrorKind, Refused
from howdah.pps.sealing import Key, new_key, parse_key

__all__ = ["VARIABLE", "GivenKeys", "KeyFile", "ServerKeys", "default_key_file", "server_keys"]

VARIABLE: Final = "HOWDAH_SECRETS_KEY"
_OPTION: Final = "--secrets-key-file"
_FILE_BYTES_MAX: Final = 65_536
_HEAD: Final = """\
# Keys that seal the secrets of howdah's lakes: the first line seals, the others open what was sealed before.
# Keep a copy apart from the lakes and their backups: without it nobody can open a secret, and with it everybody can.
"""


class GivenKeys:
    """Keys from the environment. A `KeySource`."""

    place: Final = VARIABLE
    hidden: Final[tuple[Path, ...]] = ()

    def __init__(self, text: str) -> None:
        """`text` has keys with white space or commas between them.

        Raises:
            Refused: SECRETS_KEY: one is no key.
        """
        self._keys = _parsed(text.replace(",", " ").split(), VARIABLE, "word")
        if not self._keys:
            raise _unfit(VARIABLE, "has no key", "give one: openssl rand -base64 32, or unset it")

    def known(self) -> Sequence[Key]:
        """See `KeySource`."""
        return self._keys

    def made(self) -> Sequence[Key]:
        """See `KeySource`."""
        return self._keys


class KeyFile:
    """Keys in a file of this user alone. A `KeySource`; read once, and when it changes it."""

    def __init__(self, path: Path, *, is_default: bool = False) -> None:
        """Read the file. The default one need not be there; its folder is made, so that it can be hidden.

        Raises:
            Refused: SECRETS_KEY: it is not there, cannot be read, others can read it, or a line is no key.
        """
        self._path = path
        self._is_default = is_default
        self._no_folder = ""
        if is_default:
            self._no_folder = _make_folder(path.parent)
        self._keys = self._read()

    @property
    def place(self) -> str:
        """See `KeySource`."""
        return f"file {self._path}"

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def hidden(self) -> tuple[Path, ...]:
        """What user code must not see: the default's whole folder, for that file may yet be made."""
        if not self._is_default:
            return (self._path,)
        return () if self._no_folder else (self._path.parent,)

    def known(self) -> Sequence[Key]:
        """See `KeySource`."""
        return self._keys

    def made(self) -> Sequence[Key]:
        """See `KeySource`. Of two processes that make it at the same time both have the same one."""
        if self._keys:
            return self._keys
        if self._no_folder:
            raise _unfit(str(self._path), f"cannot be made ({self._no_folder})", f"name another with {_OPTION}")
        with self._written([new_key()]) as written, suppress(FileExistsError):
            os.link(written, self._path)
        _sync_folder(self._path.parent)
        self._keys = self._read()
        return self._keys

    def add(self) -> Key:
        """Put a new key before the others; durable when this returns."""
        key = new_key()
        self._replace([key, *self._keys])
        return key

    def keep_first(self) -> None:
        """Forget all keys but the first; durable when this returns."""
        self._replace(self._keys[:1])

    def _replace(self, keys: Sequence[Key]) -> None:
        with self._written(keys) as written:
            os.replace(written, self._path)
        _sync_folder(self._path.parent)
        self._keys = self._read()

    @contextmanager
    def _written(self, keys: Sequence[Key]) -> Iterator[str]:
        """A file of another name with these keys, as it shall be; gone after the block."""
        try:
            descriptor, name = tempfile.mkstemp(prefix=".key-", dir=self._path.parent)  # with mode 0600
            try:
                with open(descriptor, "w", encoding="ascii") as file:
                    file.write(_HEAD + "".join(f"{key}\n" for key in keys))
                    file.flush()
                    os.fsync(file.fileno())
                yield name
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(name)
        except OSError as error:
            raise _unfit(str(self._path), f"cannot be written ({_reason(error)})", _way_out()) from error

    def _read(self) -> tuple[Key, ...]:
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                _check(self._path, os.fstat(file.fileno()))
                text = file.read(_FILE_BYTES_MAX)
        except FileNotFoundError:
            if self._is_default:
                return ()
            make = f"make it: (umask 077; openssl rand -base64 32 > {self._path})"
            raise _unfit(str(self._path), "is not there", make) from None
        except OSError as error:
            raise _unfit(str(self._path), f"cannot be read ({_reason(error)})", _way_out()) from error
        lines = ["" if line.lstrip().startswith("#") else line.strip() for line in text.splitlines()]
        keys = _parsed(lines, f"secrets key file {self._path}", "line")
        if not keys:
            raise _unfit(str(self._path), "has no key", "put one into it: openssl rand -base64 32")
        return keys


ServerKeys = GivenKeys | KeyFile
"""What a server may have keys from. `hidden` is what user code must not see."""


def default_key_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where this user's keys are."""
    if folder := environment.get("XDG_CONFIG_HOME"):
        base = Path(folder) / "howdah"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support" / "howdah-keys"
    else:
        base = Path.home() / ".config" / "howdah"
    return base / "secrets" / "key"


def server_keys(root: Path, store: str | None, file: Path | None, given: str | None) -> ServerKeys:
    """The keys of a server: of the file that was named, else from the variable, else of the default file.

    Raises:
        Refused: SECRETS_KEY: they cannot be used, or the file lies in the lake's `root` or `store`.
    """
    if file is None and given is not None:
        return GivenKeys(given)
    path = (file or default_key_file()).expanduser().absolute()
    for kept in (str(root), store or ""):
        if kept and "://" not in kept and _is_below(path, Path(kept)):
            way_out = f"whoever copies the lake would have it: choose a file elsewhere with {_OPTION}"
            raise _unfit(str(path), f"lies in the lake's own folder {kept}", way_out)
    return KeyFile(path, is_default=file is None)


def _is_below(path: Path, folder: Path) -> bool:
    real = Path(os.path.realpath(folder.expanduser()))
    return path.is_relative_to(folder) or Path(os.path.realpath(path)).is_relative_to(real)


def _check(path: Path, status: os.stat_result) -> None:
    """Refuse a file that others can read or write."""
    if not stat.S_ISREG(status.st_mode):
        raise _unfit(str(path), "is no file", _way_out())
    if status.st_mode & 0o077:
        mode = f"can be used by others (mode {stat.S_IMODE(status.st_mode):04o})"
        way_out = f"chmod 600 {path}; if others may have read it, replace it: howdah rotate secrets-key"
        raise _unfit(str(path), mode, way_out)
    if status.st_uid not in (os.geteuid(), 0):
        raise _unfit(str(path), f"belongs to user number {status.st_uid}", "give it to the user of the server")


def _parsed(texts: Sequence[str], where: str, unit: str) -> tuple[Key, ...]:
    """The keys, each once. A text that is none is never shown: it may be a key with a slip in it."""
    found: dict[str, Key] = {}
    for number, text in enumerate(texts, 1):
        if not text:
            continue
        if (key := parse_key(text)) is None:
            way_out = "a key is 32 random bytes in base64: openssl rand -base64 32"
            raise Refused(ErrorKind.SECRETS_KEY, f"{where}: {unit} {number} is no key; {way_out}")
        found.setdefault(key.fingerprint, key)
    return tuple(found.values())


def _make_folder(folder: Path) -> str:
    """Make a folder of this user alone; why it cannot be made, if so."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return _reason(error)
    return ""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _way_out() -> str:
    return f"give this user the right to it, or name another with {_OPTION}"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _unfit(what: str, why: str, way_out: str) -> Refused:
    name = what if what == VARIABLE else f"secrets key file {what}"
    return Refused(ErrorKind.SECRETS_KEY, f"{name} {why}; {way_out}")
