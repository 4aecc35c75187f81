# SPDX-License-Identifier: Apache-2.0
"""A server removes the containers that an earlier run of its lake left, and no other."""

from howdah.server.leftovers import Leftovers


class Engine:
    """Remembers containers by their label."""

    def __init__(self, *labels):
        self.labels = {f"id of {label}": label for label in labels}

    def silence(self):
        return ""

    def owners(self):
        return dict(self.labels)

    def remove(self, container):
        del self.labels[container]


def test_a_server_removes_what_earlier_runs_of_its_lake_left():
    """Not what its own workers have, nor what is of another lake, even if the names of both begin alike."""
    kept = ["lake/2/worker-1", "lake/2", "lake2/1/worker-1", "lake2/1", ""]
    engine = Engine("lake/1/worker-1", "lake/1", "lake/22/worker-1", *kept)

    removed = Leftovers(engine, "lake", "2").sweep()

    assert 3 == removed
    assert kept == list(engine.labels.values())
