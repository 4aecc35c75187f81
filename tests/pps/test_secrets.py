# SPDX-License-Identifier: Apache-2.0
"""Secrets: sealed in the database, checked when a pipeline is made, given with a claim; and what happens without."""

import pytest
from sqlalchemy import select, update

from howdah.db import tables
from howdah.errors import AlreadyExists, BadRequest, ErrorKind, NotFound, Refused
from howdah.model.secrets import Secret
from howdah.model.states import JobState, PipelineState
from howdah.pps.sealing import MemoryKeys, new_key
from tests.pps.lakes import Lake, pipe

VALUE = b"hunter2-hunter2"
AS_VARIABLE = {"name": "db", "envVar": "PASSWORD", "key": "password"}
AS_FILES = {"name": "db", "mountPath": "/secrets/db"}


def keep(lake, name="db", **values):
    lake.pps.secrets.create(Secret(name, values=values or {"password": VALUE, "user": b"ana"}))


def using(lake, *mounts, **fields):
    """A pipeline that asks for secrets, with a job that is to run."""
    lake.repo("in")
    transform = {"cmd": ["run"], "image": "an-image", "secrets": list(mounts)}
    lake.pipeline("up", "in", transform=transform, **fields)
    lake.commit("in", {"/a": b"a"})
    lake.pps.scheduler.settle()


def state_of(lake, name="up"):
    return lake.pps.pipelines.inspect(pipe(name)).state


def rows(lake):
    with lake.db.read() as tx:
        return tx.execute(select(tables.secret).order_by(tables.secret.c.name)).all()


def test_a_secret_is_named_but_not_shown(lake):
    """Name, type and time are all that anybody is told."""
    keep(lake)
    keep(lake, "api", token=b"t")

    infos = lake.pps.secrets.list()

    assert ["api", "db"] == [info.name for info in infos]
    assert infos[1] == lake.pps.secrets.inspect("db")
    assert ("Opaque", lake.clock.now()) == (infos[1].type, infos[1].created_at)
    assert VALUE not in repr(infos).encode()


def test_a_secret_is_made_once_and_deleted_once(lake):
    """As with Kubernetes: no second of a name, and no deletion of what is not there."""
    keep(lake)

    with pytest.raises(AlreadyExists) as twice:
        keep(lake)
    lake.pps.secrets.delete("db")
    with pytest.raises(NotFound) as gone:
        lake.pps.secrets.delete("db")
    with pytest.raises(NotFound):
        lake.pps.secrets.inspect("db")
    keep(lake)

    assert ErrorKind.SECRET_EXISTS == twice.value.kind
    assert ErrorKind.SECRET_NOT_FOUND == gone.value.kind


def test_the_database_holds_nothing_but_what_is_sealed(lake):
    """Neither a value nor the name of a key; equal secrets do not look alike."""
    keep(lake)
    keep(lake, "again")

    found = rows(lake)

    assert [] == [part for row in found for part in (VALUE, b"password") if part in repr(tuple(row)).encode()]
    assert len(found[0].sealed) == len(found[1].sealed)
    assert found[0].sealed[1:] != found[1].sealed[1:]


def test_a_pipeline_is_given_the_secrets_that_it_asks_for(lake):
    """One key as a variable, all of them as files, and nothing else; nothing of it is in the spec of the claim."""
    keep(lake)
    keep(lake, "other", a=b"not for you")
    using(lake, AS_VARIABLE, AS_FILES)

    claim = lake.pps.claims.claim("w1")

    assert [("PASSWORD", VALUE), ("", b"")] == [(each.env_var, each.value) for each in claim.secrets]
    assert [("", {}), ("/secrets/db", {"password": VALUE, "user": b"ana"})] == [
        (each.mount_path, each.files) for each in claim.secrets
    ]
    assert VALUE.decode() not in claim.spec + repr(claim)


@pytest.mark.parametrize(
    ("mount", "error", "text"),
    [
        (AS_FILES | {"name": "none"}, NotFound, 'secret "none" not found'),
        (AS_VARIABLE | {"key": "none"}, BadRequest, "secret db is missing key none"),
        (AS_VARIABLE | {"key": "zero"}, BadRequest, "has the byte NUL"),
    ],
)
def test_what_is_not_there_is_said_when_a_pipeline_is_made(lake, mount, error, text):
    """And then there is no pipeline."""
    keep(lake, password=VALUE, zero=b"a\0b")

    with pytest.raises(error, match=text):
        using(lake, mount)

    assert [] == list(lake.pps.pipelines.list())


def test_a_pipeline_whose_secret_is_deleted_is_crashing_until_it_is_back(lake):
    """Its sets stay where they are, others go on, and nobody has to start it again."""
    keep(lake)
    using(lake, AS_VARIABLE)
    lake.pipeline("plain", "in")
    lake.pps.scheduler.settle()
    lake.pps.secrets.delete("db")

    claimed = [lake.pps.claims.claim(name) for name in ("w1", "w2")]
    crashing = lake.pps.pipelines.inspect(pipe("up"))
    keep(lake, password=b"another")
    lake.pps.scheduler.settle()
    claim = lake.pps.claims.claim("w2")

    assert [pipe("plain"), None] == [each and each.job.pipeline for each in claimed]
    assert PipelineState.CRASHING is crashing.state
    assert 'secret "db" not found' in crashing.reason
    assert [b"another"] == [each.value for each in claim.secrets]
    assert (PipelineState.RUNNING, "") == (state_of(lake), lake.pps.pipelines.inspect(pipe("up")).reason)
    lake.hand_in(claim, 0)
    lake.run()
    assert JobState.SUCCESS is lake.job("up").state


def test_a_lake_without_its_key_gives_nothing_and_says_which_key_it_wants(lake):
    """Another server with another key: a clear text at each call, and no second key for one lake by accident."""
    keep(lake)
    using(lake, AS_FILES)
    [right] = lake.secret_keys.known()
    for keys in (MemoryKeys(), MemoryKeys(new_key())):
        lake.secret_keys = keys
        lake.restart()
        lake.pps.secrets.begin()

        assert lake.pps.claims.claim("w1") is None
        reason = lake.pps.pipelines.inspect(pipe("up")).reason
        with pytest.raises(Refused, match=right.fingerprint) as refused:
            keep(lake, "new")

        assert ErrorKind.SECRETS_KEY == refused.value.kind
        assert reason == refused.value.message
        assert PipelineState.CRASHING is state_of(lake)
    lake.secret_keys = MemoryKeys(right)
    lake.restart()
    lake.pps.scheduler.settle()
    assert PipelineState.RUNNING is state_of(lake)
    assert lake.pps.claims.claim("w1") is not None


@pytest.mark.parametrize("column", ["sealed", "name", "type", "version"])
def test_rows_cannot_be_swapped_or_changed(lake, column):
    """What is sealed belongs to its name, type and version: it opens in no other place."""
    keep(lake)
    keep(lake, "other", password=b"weaker")
    using(lake, AS_VARIABLE)
    first, second = rows(lake)
    changed = {"sealed": second.sealed, "name": "third", "type": "x", "version": second.version}[column]
    with lake.db.write() as tx:
        table = tables.secret
        tx.execute(update(table).where(table.c.id == first.id).values({column: changed}))
        if column == "name":
            tx.execute(update(table).where(table.c.id == second.id).values(name="db"))

    assert lake.pps.claims.claim("w1") is None
    assert "its row was changed since" in lake.pps.pipelines.inspect(pipe("up")).reason


def test_a_new_key_seals_everything_anew_and_the_old_one_is_no_longer_needed():
    """The first key seals; older ones open what was sealed before."""
    old, new = new_key(), new_key()
    lake = Lake(secret_keys=MemoryKeys(old))
    keep(lake)
    keep(lake, "other")
    using(lake, AS_VARIABLE)
    lake.secret_keys = MemoryKeys(new, old)
    lake.restart()

    count = lake.pps.secrets.reseal()
    again = lake.pps.secrets.reseal()
    lake.secret_keys = MemoryKeys(new)
    lake.restart()

    assert (2, 0) == (count, again)
    assert {new.fingerprint} == {row.key for row in rows(lake)}
    assert VALUE == lake.pps.claims.claim("w1").secrets[0].value
    lake.close()


def test_all_are_sealed_anew_or_none(lake):
    """One that cannot be opened leaves the others as they were."""
    keep(lake)
    [old] = lake.secret_keys.known()
    lake.secret_keys = MemoryKeys(new_key(), old)
    lake.restart()
    keep(lake, "newer")
    lake.secret_keys = MemoryKeys(new_key(), old)
    lake.restart()
    before = rows(lake)

    with pytest.raises(Refused):
        lake.pps.secrets.reseal()

    assert before == rows(lake)


def test_events_of_secrets_say_their_name_alone(lake):
    """Whoever reads all events learns no more than a list shows."""
    heard = []
    lake.db.on_commit(heard.extend)

    keep(lake)
    lake.pps.secrets.delete("db")

    assert [("created", {}), ("deleted", {})] == [
        (event.kind, event.body) for event in heard if event.subject == "secret/db"
    ]
