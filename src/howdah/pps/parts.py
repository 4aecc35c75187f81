# SPDX-License-Identifier: Apache-2.0
"""Which input a part of a planned datum is of: by its name, and where names repeat by its branch, too.

The members of a union may share a name. So the record of a part (`pps.plan`) says its branch, unless that is master
of the repo `default/<name>`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from howdah.model.names import DEFAULT_BRANCH, DEFAULT_PROJECT
from howdah.pps.infos import JobInput

__all__ = ["InputsOfParts"]


class InputsOfParts:
    """The inputs of a job, to be asked for by the parts of its datums."""

    def __init__(self, inputs: Iterable[JobInput]) -> None:
        self._by_branch: dict[tuple[str, str], JobInput] = {}
        self._by_name: dict[str, JobInput] = {}
        for each in inputs:
            self._by_branch[each.name, str(each.branch)] = each
            self._by_name.setdefault(each.name, each)

    def of(self, part: Mapping[str, Any]) -> JobInput | None:
        """The input of a part of a record; None if the job has none of that name."""
        name = part["name"]
        branch = part.get("branch") or f"{DEFAULT_PROJECT}/{name}@{DEFAULT_BRANCH}"
        # A record without branch may be of a howdah that knew no unions: then the name says it.
        return self._by_branch.get((name, branch)) or self._by_name.get(name)
