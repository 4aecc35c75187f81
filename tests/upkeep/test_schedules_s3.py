# SPDX-License-Identifier: Apache-2.0
"""The same random schedules with the objects in a bucket; HOWDAH_S3_EXAMPLES says how often.

What a bucket does by itself is real: pages of listings, copies instead of renames. Only the ages of its objects are
those of the lake's clock, since days pass in a schedule.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from howdah.kit.clock import Clock
from howdah.storage.objects import Buffer, ObjectInfo, ObjectStore
from tests.upkeep.lakes import KeptLake
from tests.upkeep.test_schedules import Schedules

EXAMPLES = int(os.environ.get("HOWDAH_S3_EXAMPLES", "3"))


class Aged:
    """A store whose objects are as old as another clock says."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._at: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put(self, key: str, *parts: Buffer) -> bool:
        self._at[key] = self._clock.now()
        return self._store.put(key, *parts)

    def create(self, key: str, *parts: Buffer) -> bool:
        made = self._store.create(key, *parts)
        if made:
            self._at[key] = self._clock.now()
        return made

    def touch(self, key: str) -> bool:
        self._at[key] = self._clock.now()
        return self._store.touch(key)

    def move(self, key: str, to: str) -> bool:
        self._at[to] = self._clock.now()
        return self._store.move(key, to)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        for info in self._store.list(prefix):
            yield ObjectInfo(info.key, info.size, self._at[info.key])


@pytest.mark.slow
def test_what_is_needed_stays_in_a_bucket_and_the_rest_goes(moto_s3, moto_keys):
    """Whatever writers, readers and deletions do between and during collections; each run has a bucket of its own."""

    class LakeInBucket(KeptLake):
        def make_store(self) -> ObjectStore:
            return Aged(moto_s3.store(), self.clock)

    class InBucket(Schedules):
        def make_lake(self) -> KeptLake:
            return LakeInBucket()

    run_state_machine_as_test(
        InBucket,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
