# SPDX-License-Identifier: Apache-2.0
"""`howdah store probe`: what a store is worth, told before a lake is made there. No server is asked."""

import pytest

from howdah.cli.main import run
from howdah.storage.memory_store import MemoryStore


@pytest.fixture
def howdah(capfd, monkeypatch):
    """Runs a command line where no server is."""
    monkeypatch.setenv("HOWDAH_ADDRESS", "127.0.0.1:9")

    def call(*words):
        code = run(words)
        return code, *capfd.readouterr()

    return call


def test_a_folder_is_probed(howdah, tmp_path):
    """A line for each check, and nothing is left in the folder."""
    code, out, err = howdah("store", "probe", str(tmp_path / "store"))

    assert (0, "") == (code, err)
    assert ["CHECK", "RESULT"] == out.split()[:2]
    assert 8 == out.count(" ok ")
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_programs_read_json(howdah):
    """An array, with a finding for each check."""
    code, out, _ = howdah("store", "probe", "memory://probed", "-o", "json")

    assert 0 == code
    assert '"name": "atomic create", "passed": true' in out


def test_a_store_that_fails_ends_with_a_code(howdah, monkeypatch):
    """And says which promise is not kept."""
    monkeypatch.setattr(MemoryStore, "delete", lambda self, key: None)

    code, out, err = howdah("store", "probe", "memory://unfit-for-a-lake")

    assert 1 == code
    assert "an object that was deleted is there" in out
    assert "cannot hold a lake safely" in err


def test_an_address_of_no_store_is_a_usage_error(howdah):
    """With the ways that work."""
    code, _, err = howdah("store", "probe", "s3://")

    assert 2 == code
    assert "s3://bucket/prefix" in err
