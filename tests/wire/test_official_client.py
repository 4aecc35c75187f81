# SPDX-License-Identifier: Apache-2.0
"""Our protos against the official client's own tables: every message, every field number."""

import importlib

import betterproto
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor

# Module of the SDK: our proto of the same package.
PACKAGES = {
    "admin": "admin_v2",
    "auth": "auth_v2",
    "cdr": "cdr",
    "debug": "debug_v2",
    "enterprise": "enterprise_v2",
    "identity": "identity_v2",
    "license": "license_v2",
    "logs": "logs",
    "metadata": "metadata",
    "pfs": "pfs_v2",
    "pjs": "pjs",
    "pps": "pps_v2",
    "snapshot": "snapshot",
    "storage": "storage",
    "taskapi": "taskapi",
    "transaction": "transaction_v2",
    "version": "versionpb_v2",
    "worker": "pachyderm_worker",
}


def sdk_messages(module: str) -> dict[str, type[betterproto.Message]]:
    """The SDK's messages of a package under one spelling: it writes `CommitInfoDetails` for `CommitInfo.Details`."""
    names = vars(importlib.import_module(f"pachyderm_sdk.api.{module}")).values()
    classes = [each for each in names if isinstance(each, type) and issubclass(each, betterproto.Message)]
    return {plain(each.__name__): each for each in classes if each.__module__ == f"pachyderm_sdk.api.{module}"}


def our_messages(proto: str) -> dict[str, Descriptor]:
    """Our messages of a package, nested ones too, under the same spelling."""
    importlib.import_module(f"howdah.wire.stubs.{proto}_pb2")
    file = descriptor_pool.Default().FindFileByName(f"howdah/wire/proto/{proto}.proto")
    waiting, found = list(file.message_types_by_name.values()), {}
    while waiting:
        message = waiting.pop()
        if not message.GetOptions().map_entry:
            found[plain(message.full_name.removeprefix(file.package))] = message
            waiting.extend(message.nested_types)
    return found


def plain(name: str) -> str:
    return name.replace(".", "").replace("_", "").lower()


@pytest.mark.parametrize("module", PACKAGES)
def test_the_same_messages_exist(module):
    """Each message of the SDK is one of ours and the other way round."""
    assert set(sdk_messages(module)) == set(our_messages(PACKAGES[module]))


@pytest.mark.parametrize("module", PACKAGES)
def test_the_same_fields_have_the_same_numbers(module):
    """Names are compared without case and underscores, as the SDK respells them."""
    ours = {
        name: {plain(field.name): field.number for field in message.fields}
        for name, message in our_messages(PACKAGES[module]).items()
    }

    theirs = {
        name: {plain(field): meta.number for field, meta in message()._betterproto.meta_by_field_name.items()}
        for name, message in sdk_messages(module).items()
    }

    assert theirs == ours
