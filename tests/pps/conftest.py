# SPDX-License-Identifier: Apache-2.0
"""What the tests of pipelines share."""

import pytest

from tests.pps.lakes import Lake


@pytest.fixture
def lake():
    made = Lake()
    yield made
    made.close()
