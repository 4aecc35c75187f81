# SPDX-License-Identifier: Apache-2.0
"""The same machine of versioned files with its objects in a bucket; HOWDAH_S3_EXAMPLES says how often."""

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.pfs.test_state_machine import VersionedFiles

EXAMPLES = int(os.environ.get("HOWDAH_S3_EXAMPLES", "3"))


@pytest.mark.slow
def test_versioned_files_in_a_bucket_are_those_of_the_dictionaries(moto_s3, moto_keys):
    """Whatever is done to them, in any order; each run has a bucket of its own."""

    class InBucket(VersionedFiles):
        def store_url(self) -> str:
            return moto_s3.bucket()

    run_state_machine_as_test(
        InBucket,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
