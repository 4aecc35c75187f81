# SPDX-License-Identifier: Apache-2.0
"""What an older howdah had taken from workers, when the database comes to know the states in each hand-in."""

import importlib

from sqlalchemy import text

from howdah.pps.handed_in import decode_hand_in
from howdah.pps.records import encode
from tests.pps.lakes import Failure

STATS = ("download_ms", "process_ms", "upload_ms", "download_bytes", "upload_bytes")
ROWS = text("SELECT result_id, state, job_id, first, datum_count FROM datum_result_state ORDER BY 1, 2")


def code(parts):
    if "/3" in parts["in"]:
        raise Failure("three")
    return {}


def older(body):
    """The same hand-in as an older howdah kept it."""
    found = decode_hand_in(body)
    results = [found.outcomes.at(number) for number in range(len(found.outcomes))]
    listed = [
        {
            "id": each.id,
            "state": each.state.name,
            "reason": each.reason,
            "tries": each.tries,
            "stats": {name: getattr(each.stats, name) for name in STATS},
        }
        for each in results
    ]
    data = encode({"results": listed, "worker": found.worker, "containment": found.containment})
    return len(data).to_bytes(4, "little") + data + found.change


def test_hand_ins_of_an_older_howdah_are_found_by_their_states(lake):
    """The migration fills the table as hand-ins would have; listings and the end of the job are the same."""
    lake.repo("in")
    lake.pipeline("up", "in", datum_set_spec={"number": 4})
    lake.commit("in", {f"/{n}": b"%d" % n for n in range(10)})
    lake.pps.scheduler.settle()
    for _ in range(2):
        claim = lake.pps.claims.claim("w1")
        for number in range(3):
            lake.hand_in(claim, number, code)
    before = list(lake.pps.datums.list(lake.job("up").job))
    with lake.db.write() as tx:
        rows = tx.execute(ROWS).all()
        for key, body in tx.execute(text("SELECT id, body FROM datum_result")).all():
            tx.execute(text("UPDATE datum_result SET body = :body WHERE id = :key"), {"key": key, "body": older(body)})
        tx.execute(text("DELETE FROM datum_result_state"))

        importlib.import_module("howdah.db.migrations.versions.0010_result_states")._fill(tx)

        filled = tx.execute(ROWS).all()
    assert (6, rows) == (len(filled), filled)
    assert before == list(lake.pps.datums.list(lake.job("up").job))
