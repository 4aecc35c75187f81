# SPDX-License-Identifier: Apache-2.0
"""What a command works with: the connection it asks for, and where its answers go."""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from howdah.errors import HowdahError

if TYPE_CHECKING:
    from howdah.cli.output import Columns
    from howdah.cli.places import Place
    from howdah.client import Client, Progress

__all__ = ["Session"]

_PATIENCE = 1.0  # seconds of silence; then people want to know
_LOOK_SECONDS = 2.0  # between two looks at why what is waited for does not come


@dataclass
class Session:
    """The options that all commands share, and what they lead to."""

    address: str | None = None
    project: str | None = None
    output: str = "table"
    quiet: bool = False
    _client: "Client | None" = field(default=None, init=False)

    @property
    def client(self) -> "Client":
        """The connection; made when it is first asked for, since some commands need none."""
        if self._client is None:
            from howdah.client import Client

            place = self.place()
            self._client = Client(place.address, project=place.project, transaction=place.transaction)
        return self._client

    def place(self) -> "Place":
        """Where this command works: as it was told, else as the environment says, else as the current context has it.

        Raises:
            BadRequest: the address is not one; or as `client.contexts.load`.
        """
        from howdah.cli.places import place

        return place(self.address, self.project)

    @property
    def json(self) -> bool:
        """Whether answers are for programs."""
        return self.output == "json"

    def close(self) -> None:
        """End the connection if there is one."""
        if self._client is not None:
            self._client.close()

    def line(self, text: str) -> None:
        """Print a line of the answer."""
        sys.stdout.write(text + "\n")

    def note(self, text: str) -> None:
        """Tell a person something, beside the answer; `-q` is silent."""
        if not self.quiet:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def show_all(self, items: Iterable[Any], columns: "Columns") -> None:
        """Print a list: a table, or a JSON array."""
        from howdah.cli.output import print_array, print_table

        if self.json:
            print_array(items, sys.stdout)
        else:
            print_table(items, columns, sys.stdout)

    def show(self, item: Any, columns: "Columns") -> None:
        """Print one thing: a line for each of its properties, or a JSON object."""
        from howdah.cli.output import print_object, print_properties

        if self.json:
            print_object(item, sys.stdout)
        else:
            print_properties(item, columns, sys.stdout)

    def stream(self, items: Iterable[Any], text: Callable[[Any], str]) -> None:
        """Print things as they come, each at once: a line of text or a JSON object on a line."""
        from howdah.cli.output import one_line_json

        for item in items:
            self.line(one_line_json(item) if self.json else text(item))
            sys.stdout.flush()

    @contextmanager
    def progress(self, what: str) -> "Iterator[Progress | None]":
        """Show how work goes on, once it takes more than a second; None with `-q`, and nothing is counted."""
        if self.quiet:
            yield None
            return
        from howdah.cli.progress import Meter

        with Meter(what, sys.stderr) as meter:
            yield meter.add

    @contextmanager
    def waiting(self, what: str, why: Callable[[], str] | None = None) -> Iterator[None]:
        """Say what is waited for if it does not come within a second; then also `why` it has not, when that changes."""
        over = threading.Event()
        teller = threading.Thread(target=self._tell_of, args=(what, why, over), name="waiting", daemon=True)
        if not self.quiet:
            teller.start()
        try:
            yield
        finally:
            over.set()

    def _tell_of(self, what: str, why: Callable[[], str] | None, over: threading.Event) -> None:
        if over.wait(_PATIENCE):
            return
        self.note(f"waiting for {what} (Ctrl-C ends the wait, not the work)")
        told = ""
        while why is not None:
            # Whoever waits is told what is wrong by the wait itself; that this may end meanwhile is no error.
            with suppress(HowdahError, ValueError):
                reason = why()
                if reason and reason != told and not over.is_set():
                    self.note(reason)
                    told = reason
            if over.wait(_LOOK_SECONDS):
                return
