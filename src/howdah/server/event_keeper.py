# SPDX-License-Identifier: Apache-2.0
"""The feed of events in the background: what is old goes, so that the table does not grow for ever.

Nobody who lives needs what goes. Who waits, subscribes or schedules is told of events when they are committed
(`db.delivery`) and reads the things themselves from then on; whoever follows the feed by number, from outside of this
process, has a day. A thread of its own; logs have `log_keeper`.
"""

import logging
from datetime import timedelta
from typing import Final

from howdah.db.engine import Database
from howdah.db.events import outdated_events, trim_events
from howdah.errors import HowdahError
from howdah.kit.background import Background

__all__ = ["EVENTS_KEEP", "EVENTS_MAX", "EventKeeper"]

EVENTS_KEEP: Final = timedelta(days=1)
EVENTS_MAX: Final = 200_000  # some 40 MB
_PERIOD_SECONDS: Final = 600.0

_log: Final = logging.getLogger(__name__)


class EventKeeper:
    """Forgets events of a lake from `start` to `stop`: those older than `keep`, and all but the newest `most`."""

    def __init__(
        self,
        db: Database,
        *,
        keep: timedelta = EVENTS_KEEP,
        most: int = EVENTS_MAX,
        period_seconds: float = _PERIOD_SECONDS,
    ) -> None:
        self._db = db
        self._keep = keep
        self._most = most
        self._period = period_seconds
        self._background = Background("forgetting old events", self._again, retry_seconds=period_seconds)

    def start(self) -> None:
        """Forget for the first time after one period: a server that starts has better things to do."""
        self._background.start(self._period)

    def stop(self) -> None:
        """End after the step that goes on; stopping again does nothing."""
        self._background.stop()

    def once(self) -> None:
        """Forget now, in short steps. That it cannot be done is logged; it is tried again after the next period."""
        gone = 0
        try:
            while not self._background.stopping and (step := self._step()):
                gone += step
        except HowdahError as error:
            _log.warning("old events were not forgotten: %s", error.message)
        if gone:
            _log.info("%d old events were forgotten", gone)

    def _step(self) -> int:
        """Forget a few; how many went. Whether there are any is asked without the writer."""
        with self._db.read() as tx:
            before_n = outdated_events(tx, tx.now - self._keep, self._most)
        if not before_n:
            return 0
        with self._db.write() as tx:
            return trim_events(tx, before_n)

    def _again(self) -> float:
        self.once()
        return self._period
