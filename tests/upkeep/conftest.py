# SPDX-License-Identifier: Apache-2.0
"""What the tests of looking after a lake share."""

import pytest

from tests.upkeep.lakes import KeptLake


@pytest.fixture
def lake():
    made = KeptLake()
    yield made
    made.close()
