# SPDX-License-Identifier: Apache-2.0
"""What the tests of versioned files share."""

import pytest

from tests.pfs.catalogs import Desk


@pytest.fixture
def desk():
    made = Desk()
    yield made
    made.db.close()
