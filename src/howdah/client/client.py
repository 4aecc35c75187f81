# SPDX-License-Identifier: Apache-2.0
"""The client: all groups of calls over one connection."""

from typing import Self

from howdah.client.branches import Branches
from howdah.client.files import Files
from howdah.client.history import History
from howdah.client.jobs import Jobs
from howdah.client.labels import Labels
from howdah.client.logs import Logs
from howdah.client.pipelines import Pipelines
from howdah.client.projects import Projects
from howdah.client.repos import Repos
from howdah.client.retention import RetentionCalls
from howdah.client.running import Running
from howdah.client.searches import Searches
from howdah.client.secrets import SecretCalls
from howdah.client.specs import SpecCalls
from howdah.client.transactions import Transactions
from howdah.client.upkeep import UpkeepCalls

__all__ = ["Client"]


class Client(
    Projects,
    Repos,
    Branches,
    Files,
    History,
    Searches,
    Labels,
    Pipelines,
    SpecCalls,
    Running,
    Jobs,
    Logs,
    Transactions,
    UpkeepCalls,
    RetentionCalls,
    SecretCalls,
):
    """A howdah server, as a caller sees it. May be shared by threads; close it, or use it in a `with` statement.

        with howdah.Client() as client:
            client.create_repo("images")
            with client.commit("images@master") as commit:
                commit.put("/a.png", "photos/a.png")

    Names are given as texts (`project/repo@branch`) or as the values of `howdah.model.refs`; answers are frozen
    values. Each call may raise `Unavailable` (no server, or a passing fault); what else it raises it says.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
