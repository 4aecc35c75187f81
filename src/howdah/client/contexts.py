# SPDX-License-Identifier: Apache-2.0
"""Contexts: where a user's servers are, kept in a file: `$HOWDAH_CONFIG`, else `config.json` below `~/.config/howdah`.

A context has an address, a project, a registry for images and an open transaction; each may be missing. One context is
the current one. What is given on a command line, or in the environment, goes before it (`cli.session`).
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from howdah.errors import BadRequest, ErrorKind, NotFound, Refused, Unsupported
from howdah.model.texts import one_line

__all__ = ["DEFAULT_CONTEXT", "NO_CONTEXT", "Config", "Context", "config_path", "load", "save"]

DEFAULT_CONTEXT: Final = "default"
"""The name of the context that is made when something is to be kept and there is none."""

_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Context:
    """A server as a user knows it. A transaction is one of the server at `transaction_address`, and of no other."""

    address: str = ""
    project: str = ""
    transaction: str = ""
    transaction_address: str = ""
    registry: str = ""  # where images of pipelines are pushed: HOST[:PORT]/PREFIX

    def shown(self) -> dict[str, str]:
        """What people want to know of it."""
        return {
            "address": self.address,
            "project": self.project,
            "transaction": self.transaction,
            "registry": self.registry,
        }


NO_CONTEXT: Final = Context()


@dataclass(frozen=True, slots=True)
class Config:
    """All contexts by their names, and which is the current one; "" is none."""

    current: str = ""
    contexts: Mapping[str, Context] = field(default_factory=dict)

    @property
    def context(self) -> Context:
        """The current context; an empty one if there is none."""
        return self.contexts.get(self.current, NO_CONTEXT)

    def get(self, name: str) -> Context:
        """The context of that name.

        Raises:
            NotFound: CONTEXT_NOT_FOUND.
        """
        if name not in self.contexts:
            there = ", ".join(sorted(self.contexts))
            way = f"there is {there}" if there else f"make it: howdah config set context {one_line(name)} --address …"
            raise NotFound(ErrorKind.CONTEXT_NOT_FOUND, f"context {one_line(name)} not found; {way}")
        return self.contexts[name]

    def with_context(self, name: str, context: Context) -> "Config":
        """The same with a context of that name; it is the current one if there was none."""
        return Config(self.current or name, {**self.contexts, name: context})

    def without(self, name: str) -> "Config":
        """The same without that context. Raises as `get`."""
        self.get(name)
        left = {each: context for each, context in self.contexts.items() if each != name}
        return Config("" if self.current == name else self.current, left)

    def with_transaction(self, id: str, address: str) -> "Config":
        """The same with a transaction in the current context; "" for none."""
        context = replace(self.context, transaction=id, transaction_address=address if id else "")
        return self.with_context(self.current or DEFAULT_CONTEXT, context)


def config_path() -> Path:
    """Where contexts are kept."""
    if named := os.environ.get("HOWDAH_CONFIG"):
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME")
    return Path(base if base and os.path.isabs(base) else Path.home() / ".config") / "howdah" / "config.json"


def load() -> Config:
    """The contexts that are kept; none if there is no file.

    Raises:
        BadRequest: BAD_ARGUMENT: the file is not one of ours, or damaged.
        Refused: READ_ONLY: it cannot be read.
        Unsupported: FORMAT_UNKNOWN: a newer howdah wrote it.
    """
    path = config_path()
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise _unusable(path, "read", error) from error
    except ValueError as error:
        raise _strange(path) from error
    return _config(path, tree)


def save(config: Config) -> None:
    """Keep the contexts, in the place of those that were kept: all of it or, on a failure, nothing of it.

    Raises:
        Refused: READ_ONLY: the file or its folder cannot be written.
    """
    path = config_path()
    contexts = {name: _tree_of(context) for name, context in sorted(config.contexts.items())}
    tree = {"version": _VERSION, "current": config.current, "contexts": contexts}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(json.dumps(tree, ensure_ascii=False, indent=2) + "\n")
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise _unusable(path, "written", error) from error


def _config(path: Path, tree: Any) -> Config:
    if not isinstance(tree, dict) or not isinstance(tree.get("version"), int):
        raise _strange(path)
    if tree["version"] > _VERSION:
        text = f"configuration {path} is of a newer howdah; use that one, or name another file in HOWDAH_CONFIG"
        raise Unsupported(ErrorKind.FORMAT_UNKNOWN, text)
    contexts, current = tree.get("contexts", {}), tree.get("current", "")
    if not isinstance(contexts, dict) or not isinstance(current, str):
        raise _strange(path)
    return Config(current, {name: _context(path, each) for name, each in contexts.items()})


def _context(path: Path, tree: Any) -> Context:
    transaction = tree.get("transaction", {}) if isinstance(tree, dict) else None
    if not isinstance(transaction, dict):
        raise _strange(path)
    values = [tree.get(key, "") for key in ("address", "project")]
    values += [transaction.get(key, "") for key in ("id", "address")]
    values += [tree.get("registry", "")]
    if not all(isinstance(value, str) for value in values):
        raise _strange(path)
    return Context(*values)


def _tree_of(context: Context) -> dict[str, Any]:
    tree: dict[str, Any] = {"address": context.address, "project": context.project, "registry": context.registry}
    if context.transaction:
        tree["transaction"] = {"id": context.transaction, "address": context.transaction_address}
    return {key: value for key, value in tree.items() if value}


def _strange(path: Path) -> BadRequest:
    text = f"configuration {path} is damaged or not one of howdah; mend it, or move it away"
    return BadRequest(ErrorKind.BAD_ARGUMENT, text)


def _unusable(path: Path, what: str, error: OSError) -> Refused:
    reason = (error.strerror or str(error)).lower()
    text = f"configuration {path} cannot be {what} ({reason}); mend that, or name another file in HOWDAH_CONFIG"
    return Refused(ErrorKind.READ_ONLY, text)
