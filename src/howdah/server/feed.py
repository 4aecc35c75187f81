# SPDX-License-Identifier: Apache-2.0
"""Wake waiting calls by what was committed: the database's events on one side, the hub of the APIs on the other."""

from collections.abc import Callable, Iterator

from howdah.apis.hub import Hub
from howdah.db.events import Event

__all__ = ["notifier"]


def notifier(hub: Hub) -> Callable[[list[Event]], None]:
    """A listener for `Database.on_commit`: wakes who waits for an event's subject or for any prefix of it.

    A prefix ends before a slash: an event of `repo/p/r/branch/b` wakes those that wait for `repo/p/r`.
    """

    def tell(events: list[Event]) -> None:
        hub.notify(*{prefix for event in events for prefix in _prefixes(event.subject)})

    return tell


def _prefixes(subject: str) -> Iterator[str]:
    yield subject
    while (slash := subject.rfind("/")) > 0:
        subject = subject[:slash]
        yield subject
