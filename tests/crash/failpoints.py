# SPDX-License-Identifier: Apache-2.0
"""All failpoints of the server and of workers, and how often each is passed before the kill."""

import re

from tests.crash.campaign import REPOSITORY, Kill
from tests.crash.servers import ALL, SERVER, WORKERS

_CALL = re.compile(r'fail\.here\("([^"]+)"\)')

# Passed in every transaction or by every object: killed later than at the first time, in the middle of things. And what
# one user does to one pipeline, which comes seldom.
_NTH = {
    "db.before_commit": 20,
    "db.after_commit": 25,
    "object_written_not_synced": 4,
    "object_synced_not_renamed": 9,
    **dict.fromkeys(("pps.pipeline.deleted", "pps.pipeline.started", "pps.pipeline.stopped"), 1),
}


# Only a store in a folder passes these: in a bucket an object is there whole, or not at all.
_OF_FOLDERS = ("directory_store.py", "settling.py")


def all_failpoints(*, of_folders: bool = True) -> list[str]:
    """Their names, as the code has them; those of stores in folders too unless the store is none."""
    sources = sorted((REPOSITORY / "src" / "howdah").rglob("*.py"))
    passed = [path for path in sources if of_folders or path.name not in _OF_FOLDERS]
    names = {name for path in passed for name in _CALL.findall(path.read_text())}
    # These have tests of their own: garbage is not collected while somebody writes (test_collections), no rule removes
    # anything then (test_retention), nobody prints enough for an object of logs (test_logs), no clock ticks
    # (test_ticks), a lake has an older format only once (tests/lakes), nobody makes secrets or replaces their key then
    # (test_secrets), nobody sets defaults (tests/pps/test_defaults), and no image is used (tests/pps/test_images).
    own = ("gc.", "retention.", "logs.", "cron.", "format.", "secrets.", "pps.defaults.", "images.")
    return sorted(name for name in names if not name.startswith(own))


def kills(names: list[str]) -> list[Kill]:
    """One kill at each: of everything, of the server alone, or of the workers alone, in turn."""
    found = []
    for number, name in enumerate(names):
        whom = (ALL, WORKERS)[number % 2] if name.startswith("worker.") else (ALL, SERVER)[number % 2]
        found.append(Kill(whom, failpoint=name, nth=_NTH.get(name, 1 + number % 3)))
    return found
