# SPDX-License-Identifier: Apache-2.0
"""Dependencies are few, each with its reason, and locked as they are declared."""

import re
import tomllib

import pytest

from tests.house.house import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {
    "base": PROJECT["dependencies"],
    **{extra: PROJECT["dependencies"] + wanted for extra, wanted in EXTRAS.items()},
}


def name_of(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement)[0]).lower()


def locked_names(lock: str) -> set[str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return {name_of(line) for line in text.splitlines() if re.match(r"[\w.-]+==", line)}


def test_every_dependency_has_its_reason():
    """One line each in pyproject.toml: the requirement, then why."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    wanted = [each for lock in (PROJECT["dependencies"], *EXTRAS.values()) for each in lock]

    unreasoned = [
        each for each in wanted if not any(re.match(rf'\s*"{re.escape(each)}",\s+# \w', line) for line in lines)
    ]

    assert [] == unreasoned


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_locked(lock):
    """What is declared is in the lock; `make lock` writes it anew."""
    declared = {name_of(each) for each in LOCKS[lock]}

    assert set() == declared - locked_names(lock)


def test_locks_agree_on_versions():
    """The locks are layers of one environment: no package has two versions."""
    pins: dict[str, set[str]] = {}
    for lock in LOCKS:
        for line in (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines():
            if match := re.match(r"([\w.-]+)==(\S+)", line):
                pins.setdefault(match[1], set()).add(match[2])

    assert {} == {name: versions for name, versions in pins.items() if len(versions) > 1}
