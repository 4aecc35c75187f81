# SPDX-License-Identifier: Apache-2.0
"""A container engine as far as its images are concerned, scripted: what is on it, and what its registry has."""

from howdah.engine import Image, Progress
from howdah.errors import ErrorKind, Unavailable


def image(number, *names):
    """An image that a registry knows by these repositories."""
    digest = f"sha256:{number:064x}"
    return Image(f"sha256:{number + 1000:064x}", tuple(f"{name}@{digest}" for name in names))


class Shelf:
    """Images by what they are asked for: on the engine, and in the registry; there also errors, which are raised."""

    address = "unix:///run/shelf.sock"

    def __init__(self):
        self.here = {}
        self.registry = {}
        self.silent = ""
        self.can_ask = True
        self.pulled = []
        self.given = []
        self.progress = Progress(7, 3, 41_000_000, 120_000_000)
        self.seen = lambda: None  # called when a pull has told how far it is

    def silence(self):
        return self.silent

    def find(self, name):
        self._answer()
        exact = [each for each in self.here.values() if each.is_called(name)]
        return self.here.get(name) or next(iter(exact), None)

    def pull(self, name, credentials, told, stopping):
        self._answer()
        self.pulled.append(name)
        self.given.append(credentials)
        told(self.progress)
        self.seen()
        self.here[name] = self._in_registry(name)

    def registry_digest(self, name, credentials):
        self._answer()
        self.given.append(credentials)
        return self._in_registry(name).exact(name) if self.can_ask else ""

    def lose(self):
        """Somebody removes all images."""
        self.here = {}

    def _in_registry(self, name):
        found = self.registry.get(name) or next(
            each for each in self.registry.values() if isinstance(each, Image) and each.is_called(name)
        )
        if isinstance(found, Exception):
            raise found
        return found

    def _answer(self):
        if self.silent:
            raise Unavailable(ErrorKind.UNREACHABLE, f"no container engine answers: {self.silent}; start it")
