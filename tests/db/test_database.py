# SPDX-License-Identifier: Apache-2.0
"""The contract of a database: one suite, run on a file and in memory."""

import logging
import threading

import pytest
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from howdah.db.engine import Database
from howdah.db.events import last_event, read_events
from howdah.db.tables import branch, commit, project, repo

JOIN_SECONDS = 10  # never reached; a deadlock shall fail the test and not hang it


def add(tx, name):
    return tx.execute(insert(project), {"name": name, "created_at": tx.now}).inserted_primary_key[0]


def names(tx):
    return list(tx.execute(select(project.c.name).order_by(project.c.name)).scalars())


def broken_block(db, work):
    """A write block that works and then raises."""
    with db.write() as tx:
        work(tx)
        raise ZeroDivisionError


def in_thread(work):
    """Run `work` in another thread to its end and give back what it returned."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()), daemon=True)
    thread.start()
    thread.join(JOIN_SECONDS)
    return results[0]


class DatabaseContract:
    """What every database promises. A subclass gives the fixture `db`, open and empty."""

    def test_a_block_that_ends_is_committed(self, db):
        """What a write block did is seen by the next reader."""
        with db.write() as tx:
            add(tx, "a")
            add(tx, "b")

        with db.read() as tx:
            assert ["a", "b"] == names(tx)

    def test_a_block_that_raises_leaves_nothing(self, db):
        """All of a write block or nothing: rows and events go together."""

        def work(tx):
            add(tx, "a")
            tx.emit("project/a", "created")

        with pytest.raises(ZeroDivisionError):
            broken_block(db, work)

        with db.read() as tx:
            assert [] == names(tx)
            assert [] == read_events(tx, 0)

    def test_a_writer_works_on_after_a_failed_block(self, db):
        """A rolled back block does not spoil the next."""
        with db.write() as tx:
            add(tx, "a")
        with pytest.raises(IntegrityError), db.write() as tx:
            add(tx, "a")

        with db.write() as tx:
            add(tx, "b")

        with db.read() as tx:
            assert ["a", "b"] == names(tx)

    def test_a_writer_sees_its_own_work(self, db):
        """Inside the block, statements see what came before them."""
        with db.write() as tx:
            add(tx, "a")

            assert ["a"] == names(tx)

    def test_a_reader_sees_one_moment(self, db):
        """A snapshot is taken when the block begins, not at its first statement, and stays."""
        with db.read() as before:
            with db.write() as tx:
                add(tx, "a")
            seen_first = names(before)
            with db.write() as tx:
                add(tx, "b")
            seen_later = names(before)

        assert [] == seen_first
        assert [] == seen_later

    def test_a_reader_neither_waits_for_the_writer_nor_sees_its_work(self, db):
        """While a write block is open, readers of all threads see what was committed before it."""
        with db.write() as tx:
            add(tx, "a")

        def read():
            with db.read() as tx:
                return names(tx)

        with db.write() as tx:
            add(tx, "b")

            assert ["a"] == in_thread(read)

    def test_many_readers_read_at_once(self, db):
        """More readers than idle connections are kept can be inside their blocks together."""
        inside = threading.Barrier(20)
        counts = []

        def read():
            with db.read() as tx:
                inside.wait(JOIN_SECONDS)
                counts.append(tx.execute(select(func.count()).select_from(project)).scalar())

        threads = [threading.Thread(target=read, daemon=True) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(JOIN_SECONDS)

        assert [0] * 20 == counts

    def test_a_result_kept_open_does_not_hold_back_the_next_reader(self, db):
        """A half-read result ends with its block, so the connection's next block sees the present."""
        with db.write() as tx:
            add(tx, "a")
            add(tx, "b")
        with db.read() as tx:
            rows = tx.execute(select(project.c.name))
            assert rows.fetchone() is not None
        with db.write() as tx:
            add(tx, "c")

        with db.read() as tx:
            assert ["a", "b", "c"] == names(tx)
        assert rows.closed

    def test_writes_of_many_threads_do_not_mix(self, db):
        """Read, then write what was read plus one: with one writer at a time no step is lost."""

        def count():
            for _ in range(10):
                with db.write() as tx:
                    present = tx.execute(select(func.count()).select_from(project)).scalar()
                    add(tx, f"p{present}")

        threads = [threading.Thread(target=count, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(JOIN_SECONDS)

        with db.read() as tx:
            assert sorted(f"p{n}" for n in range(40)) == names(tx)

    def test_a_write_inside_a_write_is_told_off(self, db):
        """One thread cannot wait for itself; the outer block goes on unharmed."""
        with db.write() as tx:
            add(tx, "a")
            with pytest.raises(RuntimeError, match="pass its transaction down"), db.write():
                pass

        with db.read() as tx:
            assert ["a"] == names(tx)

    def test_a_reader_cannot_write(self, db):
        """A statement that writes in a read block is a programming error, and so is an event."""
        with pytest.raises(RuntimeError, match=r"use db.write\(\)"), db.read() as tx:
            add(tx, "a")
        with pytest.raises(RuntimeError, match=r"use db.write\(\)"), db.read() as tx:
            tx.emit("project/a", "created")

        with db.read() as tx:
            assert [] == names(tx)

    def test_a_transaction_is_dead_after_its_block(self, db):
        """A kept transaction cannot slip a statement into somebody else's."""
        with db.write() as tx:
            add(tx, "a")

        with pytest.raises(RuntimeError, match="has ended"):
            add(tx, "b")
        with pytest.raises(RuntimeError, match="has ended"):
            tx.emit("project/b", "created")

    def test_a_transaction_has_one_time(self, db, clock):
        """`now` is the clock at the start of the block; moments come back equal, in UTC."""
        with db.write() as tx:
            began = clock.now()
            clock.advance(5)
            add(tx, "a")

        with db.read() as tx:
            assert began == tx.execute(select(project.c.created_at)).scalar()

    def test_listeners_hear_after_the_commit(self, db):
        """When a listener is called, a reader sees the transaction and its events."""
        heard = []

        def listen(events):
            with db.read() as tx:
                heard.append((names(tx), events == read_events(tx, 0)))

        db.on_commit(listen)
        with db.write() as tx:
            add(tx, "a")
            tx.emit("project/a", "created", {"by": "ana"})
            tx.emit("project/a", "described")

            assert [] == heard

        assert [(["a"], True)] == heard

    def test_listeners_hear_nothing_of_a_rollback(self, db):
        """Neither listeners nor callbacks are called for what did not happen."""
        heard = []
        db.on_commit(heard.append)

        def work(tx):
            tx.emit("project/a", "created")
            tx.after_commit(lambda: heard.append("callback"))

        with pytest.raises(ZeroDivisionError):
            broken_block(db, work)
        with db.write() as tx:
            add(tx, "a")
        assert [] == heard

    def test_callbacks_come_before_listeners(self, db):
        """A transaction's own callbacks are called first, in the order they were given."""
        heard = []
        db.on_commit(lambda events: heard.append(events[0].kind))

        with db.write() as tx:
            tx.emit("project/a", "created")
            tx.after_commit(lambda: heard.append("first"))
            tx.after_commit(lambda: heard.append("second"))

        assert ["first", "second", "created"] == heard

    def test_every_listener_hears_the_order_of_commits(self, db):
        """Also when a listener writes in between, and when many threads write."""
        first, second = [], []

        def listen_and_write(events):
            first.extend(event.n for event in events)
            if events[0].kind == "cause":
                with db.write() as tx:
                    tx.emit("b", "effect")

        def write():
            for _ in range(5):
                with db.write() as tx:
                    tx.emit("a", "cause")

        db.on_commit(listen_and_write)
        db.on_commit(lambda events: second.extend(event.n for event in events))
        threads = [threading.Thread(target=write, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(JOIN_SECONDS)

        assert 40 == len(first)
        assert sorted(first) == first
        assert first == second

    def test_a_listener_that_fails_harms_nobody(self, db, caplog):
        """The commit stands, the others hear it, and the log has the reason."""
        heard = []

        def fail(events):
            raise ZeroDivisionError

        db.on_commit(fail)
        db.on_commit(heard.extend)
        with caplog.at_level(logging.ERROR), db.write() as tx:
            tx.emit("project/a", "created")

        assert ["created"] == [event.kind for event in heard]
        assert ZeroDivisionError in [record.exc_info[0] for record in caplog.records]

    def test_a_listener_can_stop(self, db):
        """After stop, no call; others stay."""
        heard = []
        stop = db.on_commit(heard.extend)
        stop()

        with db.write() as tx:
            tx.emit("project/a", "created")

        assert [] == heard

    def test_event_numbers_grow_over_rollbacks_and_removals(self, db):
        """A number is never given twice."""
        with db.write() as tx:
            tx.emit("a", "one")
        with pytest.raises(ZeroDivisionError):
            broken_block(db, lambda tx: tx.emit("a", "lost"))
        with db.read() as tx:
            before = last_event(tx)
        with db.write() as tx:
            tx.emit("a", "two")
            tx.emit("a", "three")

        with db.read() as tx:
            fresh = read_events(tx, before)
            assert ["two", "three"] == [event.kind for event in fresh]
            assert before < fresh[0].n < fresh[1].n

    def test_a_key_is_not_given_twice(self, db):
        """The number of a removed row stays unused, so an old reference never finds a stranger."""
        with db.write() as tx:
            old = add(tx, "a")
            tx.execute(delete(project).where(project.c.id == old))
        with db.write() as tx:
            new = add(tx, "b")

        assert new > old

    def test_a_dangling_reference_is_refused(self, db):
        """References are checked by the database."""
        with pytest.raises(IntegrityError), db.write() as tx:
            tx.execute(insert(repo), {"project_id": 99, "name": "r", "type": "user", "created_at": tx.now})

    def test_a_repo_takes_its_branches_and_commits_along(self, db):
        """Removing a repo removes what is inside it, heads and parents included."""
        with db.write() as tx:
            owner = {"project_id": add(tx, "a"), "name": "r", "type": "user", "created_at": tx.now}
            (repo_id,) = tx.execute(insert(repo), owner).inserted_primary_key
            row = {"repo_id": repo_id, "branch_name": "master", "origin": 1, "started_at": tx.now, "updated_at": tx.now}
            (parent,) = tx.execute(insert(commit), {**row, "set_id": "0" * 32}).inserted_primary_key
            (head,) = tx.execute(insert(commit), {**row, "set_id": "1" * 32, "parent_id": parent}).inserted_primary_key
            moments = {"created_at": tx.now, "updated_at": tx.now}
            tx.execute(insert(branch), {"repo_id": repo_id, "name": "master", "head_id": head, **moments})

        with db.write() as tx:
            tx.execute(delete(repo).where(repo.c.id == repo_id))

        with db.read() as tx:
            assert [] == tx.execute(select(commit.c.id)).all()
            assert [] == tx.execute(select(branch.c.id)).all()

    def test_a_closed_database_says_so(self, db):
        """Closing twice does nothing; using it afterwards is a programming error."""
        db.close()
        db.close()

        with pytest.raises(RuntimeError, match="closed"), db.write():
            pass
        with pytest.raises(RuntimeError, match="closed"), db.read():
            pass


class TestFile(DatabaseContract):
    @pytest.fixture
    def db(self, tmp_path, clock):
        with Database.open(tmp_path / "metadata.db", clock=clock) as db:
            yield db


class TestMemory(DatabaseContract):
    @pytest.fixture
    def db(self, clock):
        with Database.open(":memory:", clock=clock) as db:
            yield db
