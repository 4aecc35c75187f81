# SPDX-License-Identifier: Apache-2.0
"""The suite of all stores against two S3 servers that have no line of code in common, over HTTP."""

import pytest

from howdah.testing import ObjectStoreContract


class TestMoto(ObjectStoreContract):
    @pytest.fixture
    def store(self, moto_s3, moto_keys):
        return moto_s3.store()


class TestMotoWithoutPrefix(ObjectStoreContract):
    @pytest.fixture
    def store(self, moto_s3, moto_keys):
        return moto_s3.store(prefix="")


@pytest.mark.slow
class TestSwift(ObjectStoreContract):
    @pytest.fixture
    def store(self, swift_s3, swift_keys):
        return swift_s3.store()

    def test_of_many_creators_one_wins(self, store):
        """Not with Swift, which looks before it takes the bytes: only who comes later is refused. The probe tells."""
        answers = [store.create("one", b"1"), store.create("one", b"2")]

        assert [True, False] == answers
        assert b"1" == store.get("one")
