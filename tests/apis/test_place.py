# SPDX-License-Identifier: Apache-2.0
"""Which store a server opens, and which it refuses: a lake has one database and one store, and they know each other."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from howdah.client import Client
from howdah.errors import Damaged, ErrorKind, NotFound, Refused, Unsupported
from howdah.pfs.identity import identity
from howdah.server.app import opened
from howdah.server.place import StoreSettings
from howdah.storage.disk_cache import CacheSettings
from howdah.storage.lake import LAKE_KEY, open_store
from howdah.storage.memory_store import MemoryStore
from howdah.testing.server import running_server


def lake_id(root, **settings):
    """Open and close the lake of a root; its id."""
    with opened(root, store=StoreSettings(**settings)) as lake:
        return lake.lake.id


def test_a_lake_keeps_its_store(tmp_path):
    """Told once, the address is remembered."""
    elsewhere = tmp_path / "elsewhere"
    made = lake_id(tmp_path / "root", url=str(elsewhere))

    with opened(tmp_path / "root") as lake:
        assert made == lake.lake.id
        assert elsewhere.as_uri() == lake.pfs.storage.store.url

    assert not (tmp_path / "root" / "lake").exists()


def test_a_root_may_move_with_the_store_in_it(tmp_path):
    """The folder beside the database is found wherever both are."""
    made = lake_id(tmp_path / "before")

    (tmp_path / "before").rename(tmp_path / "after")

    assert made == lake_id(tmp_path / "after")


def test_a_store_may_move(tmp_path):
    """It is known by the lake in it, and its new address is remembered."""
    made = lake_id(tmp_path / "root", url=str(tmp_path / "one"))
    (tmp_path / "one").rename(tmp_path / "two")

    moved = [lake_id(tmp_path / "root", url=str(tmp_path / "two")), lake_id(tmp_path / "root")]

    assert [made, made] == moved


def test_a_swapped_store_is_refused(tmp_path):
    """Another lake's objects are none of these commits'."""
    for name in ("one", "two"):
        lake_id(tmp_path / name)
    shutil.rmtree(tmp_path / "one" / "lake")
    (tmp_path / "two" / "lake").rename(tmp_path / "one" / "lake")

    with pytest.raises(Refused) as error:
        lake_id(tmp_path / "one")

    assert ErrorKind.LAKE_MISMATCH == error.value.kind
    assert "put the right store back" in error.value.message


def test_a_store_without_a_lake_is_refused(tmp_path):
    """An empty one in its place would make every commit a damaged one."""
    lake_id(tmp_path / "root")

    with pytest.raises(Damaged) as error:
        lake_id(tmp_path / "root", url=str(tmp_path / "empty"))

    assert ErrorKind.OBJECT_MISSING == error.value.kind


def test_a_new_root_does_not_take_over_a_lake_with_data(tmp_path):
    """Its empty database would call everything there garbage."""
    store = tmp_path / "store"
    with running_server(tmp_path / "one", store=str(store)) as server, Client(server.grpc_address) as client:
        client.create_repo("r")
        client.put_file("r@master", "/a", b"a")

    with pytest.raises(Refused) as error:
        lake_id(tmp_path / "two", url=str(store))

    assert ErrorKind.LAKE_MISMATCH == error.value.kind


def test_a_start_that_was_broken_off_is_gone_on_with(tmp_path):
    """The lake was made, and the database was not: the next start finds it."""
    made = lake_id(tmp_path / "root", url=str(tmp_path / "store"))
    (tmp_path / "root" / "metadata.db").unlink()

    assert made == lake_id(tmp_path / "root", url=str(tmp_path / "store"))


def test_a_database_that_did_not_know_its_lake_learns_it(tmp_path):
    """One of the version before: the lake that it is opened with is its own from then on."""
    made = lake_id(tmp_path / "root")
    with closing(sqlite3.connect(tmp_path / "root" / "metadata.db")) as database, database:
        database.execute("DELETE FROM lake")

    again = lake_id(tmp_path / "root")

    with opened(tmp_path / "root") as lake, lake.db.read() as tx:
        assert made == again == identity(tx).lake_id


def test_a_store_that_cannot_hold_a_lake_is_refused(tmp_path, monkeypatch):
    """Unless somebody takes the risk; and once a lake is there, it is served."""
    monkeypatch.setattr(MemoryStore, "delete", lambda self, key: None)

    with pytest.raises(Refused) as error:
        lake_id(tmp_path / "root", url="memory://unfit")

    assert ErrorKind.STORE_UNFIT == error.value.kind
    assert "delete: " in error.value.message
    assert "--force-store" in error.value.message
    assert not open_store("memory://unfit").exists(LAKE_KEY)
    made = lake_id(tmp_path / "root", url="memory://unfit", force=True)
    assert made == lake_id(tmp_path / "root")


def test_an_address_of_no_store_is_refused(tmp_path):
    """Nothing is made then."""
    with pytest.raises(Unsupported):
        lake_id(tmp_path / "root", url="gopher://bucket")

    assert not (tmp_path / "root" / "metadata.db").exists()


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_named(tmp_path, moto_s3, moto_keys):
    """A server makes no buckets: they are paid for."""
    with pytest.raises((NotFound, Refused)) as error:
        lake_id(tmp_path / "root", url=f"s3://none-such/x?endpoint={moto_s3.endpoint}")

    assert "bucket none-such" in error.value.message


@pytest.mark.slow
def test_a_lake_in_a_bucket_is_used_by_both_ways(tmp_path, moto_s3, moto_keys, monkeypatch):
    """Whoever finds the lake there goes to it directly; whoever looks elsewhere, by the server."""
    url = moto_s3.bucket().partition("?")[0]
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_s3.endpoint)
    monkeypatch.setenv("HOWDAH_CACHE", str(tmp_path / "cache"))
    with running_server(tmp_path / "root", store=url) as server:
        with Client(server.grpc_address) as direct:
            direct.create_repo("r")
            direct.put_file("r@master", "/big", b"b" * 3_000_000)
            was_direct, told = direct.is_direct, direct.server_version().store_url
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with Client(server.grpc_address) as through:
            read = through.get_file("r@master", "/big")
            went_through = not through.is_direct

    assert was_direct
    assert went_through
    assert url == told
    assert b"b" * 3_000_000 == read


@pytest.mark.slow
def test_what_is_read_from_a_bucket_is_kept_nearby(tmp_path, moto_s3, moto_keys):
    """By a server that is told where."""
    cache = CacheSettings(tmp_path / "cache", 100_000_000)
    with opened(tmp_path / "root", store=StoreSettings(moto_s3.bucket(), cache=cache)) as lake:
        storage = lake.pfs.storage
        name = storage.chunks.put(b"content")
        storage.chunks.read(name, "test")
        lake.check()

    assert 1 == sum(path.is_file() for path in (tmp_path / "cache" / "objects").rglob("*"))
