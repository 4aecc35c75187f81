# SPDX-License-Identifier: Apache-2.0
"""Pipelines, put together: what the APIs and the server are given."""

from dataclasses import dataclass
from functools import partial
from typing import Self

from howdah.db.engine import Database
from howdah.kit import ids
from howdah.kit.clock import Clock, SystemClock
from howdah.kit.ids import NewId
from howdah.pfs.catalog import Catalog
from howdah.pps.claims import Claims
from howdah.pps.datums import Datums
from howdah.pps.defaults import Defaults
from howdah.pps.executions import ExecutionRules
from howdah.pps.following import add_jobs
from howdah.pps.image_keeper import ImageKeeper
from howdah.pps.images import Images, ImageSource
from howdah.pps.jobs import Jobs
from howdah.pps.log_files import reads_of
from howdah.pps.log_mover import LogMover
from howdah.pps.logs import Logs
from howdah.pps.pipelines import Pipelines
from howdah.pps.removing import attached, end_jobs, name_readers
from howdah.pps.restarting import Restarts
from howdah.pps.scheduler import Scheduler
from howdah.pps.sealing import KeySource, MemoryKeys
from howdah.pps.secrets import Secrets
from howdah.pps.status import Statuses
from howdah.pps.ticking import Ticker
from howdah.storage.storage import Storage

__all__ = ["Pps"]


@dataclass(frozen=True, slots=True)
class Pps:
    """Everything about pipelines in one lake. Safe for many threads.

    pipelines   create(spec, user_spec, update=, reprocess=), inspect, list, stop, start, delete
    defaults    get, set, effective: what specs leave out
    jobs        inspect, finished, list, of_set, stop, delete
    datums      list, inspect, preview, provenance
    logs        append, append_own, find; mover
    claims      claim, renew, hand_in, release: the protocol of workers
    scheduler   start, stop; step and settle for who wants to know when it is done
    ticker      start, stop, run; step for who moves the time: the schedules of cron inputs
    restarts    restart: datums that workers have
    statuses    alerts, summaries
    secrets     create, inspect, list, delete, reseal
    images      start, stop; step: sees to it that images are there before workers need them
    """

    pipelines: Pipelines
    defaults: Defaults
    jobs: Jobs
    datums: Datums
    logs: Logs
    claims: Claims
    scheduler: Scheduler
    ticker: Ticker
    restarts: Restarts
    statuses: Statuses
    secrets: Secrets
    images: ImageKeeper

    @classmethod
    def open(
        cls,
        catalog: Catalog,
        db: Database,
        storage: Storage,
        *,
        clock: Clock | None = None,
        new_id: NewId = ids.new_id,
        workers: int = 1,
        keys: KeySource | None = None,
        rules: ExecutionRules | None = None,
        engine: ImageSource | None = None,
    ) -> Self:
        """Put it together over the versioned files of a lake, once for each catalog: its hooks are set here.

        `workers` is the size of the pool that will claim work. `keys` seal secrets; without any they are lost with this
        process. `rules` say which pipelines run in containers of `engine`; without one of the two none does. Nothing
        runs before `scheduler.start()` and `images.start()`.
        """
        clock = clock or SystemClock()
        secrets = Secrets(db, keys or MemoryKeys(), new_id)
        images = Images(db, secrets, rules or ExecutionRules(), engine)
        keeper = ImageKeeper(db, images, secrets, clock)
        claims = Claims(db, storage, clock, secrets, keeper)
        pipelines = Pipelines(db, storage, catalog, secrets, images, keeper, new_id)
        datums = Datums(db, storage)
        catalog.on_propagated.append(add_jobs)
        catalog.repos.guards.append(pipelines.guard_repo)
        catalog.works.hooks.dependants_guards.append(name_readers)
        catalog.works.hooks.removal_guards.append(attached)
        catalog.works.hooks.on_removing.append(end_jobs)
        return cls(
            pipelines,
            Defaults(db, catalog, pipelines),
            Jobs(db),
            datums,
            Logs(db, storage.chunks, LogMover(db, storage.chunks, catalog.leases), partial(reads_of, datums)),
            claims,
            Scheduler(db, storage, claims, secrets, keeper, clock, workers),
            Ticker(db, storage, catalog.works),
            Restarts(db, storage),
            Statuses(db, pipelines, clock),
            secrets,
            keeper,
        )
