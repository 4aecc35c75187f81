# SPDX-License-Identifier: Apache-2.0
"""Buckets of real S3 servers for the tests of stores."""

import os
import uuid
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from howdah.storage.patience import PATIENT, Patience
from howdah.storage.remote_client import Bucket
from howdah.storage.remote_store import RemoteStore


@dataclass(frozen=True)
class S3Server:
    """Where a server listens, and with which keys it lets callers in."""

    endpoint: str
    keys: dict[str, str]

    def client(self) -> Any:
        """Amazon's own client of it."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.keys["AWS_SECRET_ACCESS_KEY"],
            region_name=self.keys["AWS_REGION"],
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 5}),
        )

    def new_bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"b-{uuid.uuid4().hex}"
        self.client().create_bucket(Bucket=name)
        return name

    def bucket(self, prefix: str = "lake") -> str:
        """The URL of a new, empty bucket, or of a prefix in it."""
        return f"s3://{self.new_bucket()}/{prefix}".rstrip("/") + f"?endpoint={self.endpoint}"

    def store(self, prefix: str = "lake", patience: Patience = PATIENT) -> RemoteStore:
        """A store in a new bucket."""
        return RemoteStore(Bucket.parse(self.bucket(prefix)), patience)


def absent(what: str) -> None:
    """A server that is not installed skips the tests at home and fails them in CI."""
    text = f"{what} is not installed here"
    pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)
