# SPDX-License-Identifier: Apache-2.0
"""The pipelines that run while processes are killed: slow user code that leaves daemons, and what its output must be.

`pc1` and `pc2` each read a writer's branch; a datum is an entry of its root. `sum` reads both of them whole, and
`churn` the first one's branch: it is changed all the time (`changer`). Output is written in two parts with a pause
between them, so that a half of it would be seen.
"""

import hashlib
from typing import Any

from tests.crash.ledger import Files, content_bytes

WRITERS = ("c1", "c2")
CHURN = "churn"
USER_VARIABLE = "HOWDAH_CRASH_USER"

# One child in the group, one in a session of its own that has lost its parent, and one that hears no signal.
_DAEMONS = """
sleep 300 &
( setsid sleep 300 > /dev/null 2>&1 < /dev/null & )
( trap '' TERM HUP INT; sleep 300 ) > /dev/null 2>&1 &
"""

_DIGEST = """
cd /pfs/{repo} || exit 3
for top in *; do
  echo "begin $top" > "/pfs/out/$top.sum"
  sleep 0.03
  find "$top" -type f | LC_ALL=C sort | while read -r file; do md5sum "$file"; done >> "/pfs/out/$top.sum"
  find "$top" -type f | LC_ALL=C sort | while read -r file; do cat "$file"; done > "/pfs/out/$top.all"
done
"""

_SUM = """
cd /pfs || exit 3
echo begin > /pfs/out/sum
sleep 0.03
for file in pc1/*.sum pc2/*.sum; do cat "$file"; done >> /pfs/out/sum
"""


def specs(user_mark: str) -> list[dict[str, Any]]:
    """All pipelines, what others read first."""
    digests = [
        _spec(f"p{repo}", _DIGEST.format(repo=repo), {"pfs": {"repo": repo, "glob": "/*"}}, user_mark)
        for repo in WRITERS
    ]
    whole = [{"pfs": {"repo": f"p{repo}", "glob": "/"}} for repo in WRITERS]
    return [*digests, _spec("sum", _SUM, {"cross": whole}, user_mark)]


def churn_spec(user_mark: str, number: int) -> dict[str, Any]:
    """The pipeline that is changed all the time; another number makes another version, with the same output."""
    spec = _spec(CHURN, _DIGEST.format(repo=WRITERS[0]), {"pfs": {"repo": WRITERS[0], "glob": "/"}}, user_mark)
    spec["transform"]["env"]["NUMBER"] = str(number)
    return spec


def digest_output(files: Files) -> dict[str, bytes]:
    """What `pc1` or `pc2` makes of a commit's files."""
    output: dict[str, bytes] = {}
    for top in sorted({path.split("/")[1] for path in files}):
        below = sorted(path for path in files if path.split("/")[1] == top)
        lines = [f"{hashlib.md5(content_bytes(files[path])).hexdigest()}  {path[1:]}\n" for path in below]
        output[f"/{top}.sum"] = f"begin {top}\n{''.join(lines)}".encode()
        output[f"/{top}.all"] = b"".join(content_bytes(files[path]) for path in below)
    return output


def sum_output(first: dict[str, bytes], second: dict[str, bytes]) -> dict[str, bytes]:
    """What `sum` makes of the outputs of the two others."""
    parts = [each[path] for each in (first, second) for path in sorted(each) if path.endswith(".sum")]
    return {"/sum": b"begin\n" + b"".join(parts)}


def _spec(name: str, script: str, inputs: dict[str, Any], user_mark: str) -> dict[str, Any]:
    variable, _, value = user_mark.partition("=")
    transform = {"cmd": ["sh"], "stdin": (_DAEMONS + script).strip().splitlines(), "env": {variable: value}}
    return {"pipeline": {"name": name}, "transform": transform, "input": inputs}
