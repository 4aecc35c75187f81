# SPDX-License-Identifier: Apache-2.0
"""A user who gives one pipeline no peace: it is updated, stopped, started, deleted and made anew while its jobs run."""

import random
import threading

from howdah.client import Client
from howdah.client.values import PipelineInfo
from howdah.errors import NotFound, Unavailable
from tests.crash.pipelines import CHURN, churn_spec

LONGEST_PAUSE_SECONDS = 0.15


class Changer(threading.Thread):
    """Works on one server until that is gone or `end` is called, which raises what it found."""

    def __init__(self, address: str, seed: int, user_mark: str) -> None:
        super().__init__(name="changer", daemon=True)
        self._address = address
        self._random = random.Random(seed)
        self._user_mark = user_mark
        self._over = threading.Event()
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """One change after another."""
        try:
            with Client(self._address) as client:
                while not self._over.wait(self._random.uniform(0.0, LONGEST_PAUSE_SECONDS)):
                    self._change(client)
        except Unavailable:
            pass
        except BaseException as error:
            self._error = error

    def end(self) -> None:
        """Return when no change is made any more."""
        self._over.set()
        self.join()
        assert self._error is None, f"a change of pipeline {CHURN} went wrong: {self._error!r}"

    def _change(self, client: Client) -> None:
        spec = churn_spec(self._user_mark, self._random.randrange(1 << 30))
        found = found_churn(client)
        if found is None:
            client.create_pipeline(spec)
        elif found.stopped:
            client.start_pipeline(CHURN)
        else:
            kind = self._random.choice(("update", "reprocess", "stop", "delete"))
            if kind == "stop":
                client.stop_pipeline(CHURN)
            elif kind == "delete":
                client.delete_pipeline(CHURN)
            else:
                client.create_pipeline(spec, update=True, reprocess=kind == "reprocess")


def found_churn(client: Client) -> PipelineInfo | None:
    """The pipeline, if it is there now."""
    try:
        return client.inspect_pipeline(CHURN)
    except NotFound:
        return None


def settle_churn(client: Client, user_mark: str) -> None:
    """Have the pipeline run a spec of its own, whatever it was left as."""
    found = found_churn(client)
    client.create_pipeline(churn_spec(user_mark, 0), update=found is not None, reprocess=found is not None)
    client.start_pipeline(CHURN)
