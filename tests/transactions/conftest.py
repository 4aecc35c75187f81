# SPDX-License-Identifier: Apache-2.0
"""A lake with pipelines, and transactions over it whose requests are pickled operations."""

import pickle
from dataclasses import dataclass

import pytest

from howdah.model.operations import Operation
from howdah.model.refs import Commit
from howdah.transactions.running import Runner
from howdah.transactions.transactions import Transactions
from tests.pps.lakes import Lake


@dataclass
class Desk:
    """The words of the tests."""

    lake: Lake
    transactions: Transactions

    def open(self, *operations: Operation) -> str:
        """An open transaction with these requests."""
        id = self.transactions.start().id
        for operation in operations:
            self.append(id, operation)
        return id

    def append(self, id: str, operation: Operation) -> Commit | None:
        return self.transactions.append(id, pickle.dumps(operation))

    def batch(self, *operations: Operation):
        return self.transactions.batch(map(pickle.dumps, operations))

    def repos(self) -> list[str]:
        return [info.repo.name for info in self.lake.pfs.catalog.repos.list("user")]


@pytest.fixture
def desk():
    lake = Lake()
    yield Desk(lake, Transactions(lake.db, Runner(lake.pfs, lake.pps), pickle.loads))
    lake.close()
