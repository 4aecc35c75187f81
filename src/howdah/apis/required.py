# SPDX-License-Identifier: Apache-2.0
"""What a request of the protocol must bring, checked before its servicer sees it, whichever edge carries it.

The rules stand in one table, by message and field, and hold wherever such a message is part of a request. What a
value must look like beside that, such as a name, is said where it is read (`apis.grpc.requests`). The protocol also
requires what a oneof was set to, and something of answers: the first cannot be otherwise on the wire, and the second
is not the caller's to keep.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from howdah.errors import BadRequest, ErrorKind

__all__ = ["RULES", "Rule", "check_required"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement of a message: what it is about, when it is met, and what is said otherwise."""

    field: str
    is_met: Callable[[Any], bool]
    text: str


def _present(field: str) -> Rule:
    """A field that holds a message is set."""
    return Rule(field, lambda message: bool(message.HasField(field)), "value is required; set it")


def _chosen(oneof: str) -> Rule:
    """One of the alternatives is set."""
    return Rule(oneof, lambda message: message.WhichOneof(oneof) is not None, "value is required; set one of its kinds")


def _filled(field: str) -> Rule:
    """A text is not empty."""
    text = "value length must be at least 1 bytes; give a text that is not empty"
    return Rule(field, lambda message: bool(getattr(message, field)), text)


def _at_least(field: str, least: int) -> Rule:
    """A number is not too small."""
    text = f"value must be greater than or equal to {least}; give such a number"
    return Rule(field, lambda message: bool(getattr(message, field) >= least), text)


def _keys_filled(field: str) -> Rule:
    """No key of a map is empty."""
    text = "a key is empty; give each key at least 1 byte"
    return Rule(field, lambda message: "" not in getattr(message, field), text)


def _positive(field: str) -> Rule:
    """A duration is given and above zero."""

    def is_met(message: Any) -> bool:
        duration = getattr(message, field)
        return bool(duration.seconds > 0 or (duration.seconds == 0 and duration.nanos > 0))

    return Rule(field, is_met, "value must be greater than 0s; give a duration")


_SERVICE_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    # Versioned files
    "pfs_v2.CopyFile": (_present("src"),),
    "pfs_v2.DeleteBranchRequest": (_present("branch"),),
    "pfs_v2.DropCommitSetRequest": (_present("commit_set"),),
    "pfs_v2.FindCommitsRequest": (_present("start"),),
    "pfs_v2.InspectProjectRequest": (_present("project"),),
    "pfs_v2.InspectProjectV2Request": (_present("project"),),
    "taskapi.ListTaskRequest": (_present("group"),),
    "transaction_v2.DeleteTransactionRequest": (_present("transaction"),),
    "transaction_v2.FinishTransactionRequest": (_present("transaction"),),
    "transaction_v2.InspectTransactionRequest": (_present("transaction"),),
    # Labels
    "metadata.Edit": (_chosen("target"), _chosen("op")),
    "metadata.Edit.AddKey": (_filled("key"),),
    "metadata.Edit.DeleteKey": (_filled("key"),),
    "metadata.Edit.EditKey": (_filled("key"),),
    "metadata.Edit.Replace": (_keys_filled("replacement"),),
    # Pipelines
    "pps_v2.ContinueCreateDatumRequest": (_at_least("number", 0),),
    "pps_v2.DeletePipelineRequest": (_present("pipeline"),),
    "pps_v2.DeleteSecretRequest": (_present("secret"),),
    "pps_v2.InspectJobSetRequest": (_present("job_set"),),
    "pps_v2.InspectPipelineRequest": (_present("pipeline"),),
    "pps_v2.InspectSecretRequest": (_present("secret"),),
    "pps_v2.Pipeline": (_filled("name"),),
    "pps_v2.RerunPipelineRequest": (_present("pipeline"),),
    "pps_v2.RunCronRequest": (_present("pipeline"),),
    "pps_v2.StartCreateDatumRequest": (_present("input"), _at_least("number", 0)),
    "pps_v2.UpdateJobStateRequest": (_present("job"),),
}

_ACCESS_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    # Who may do what
    "auth_v2.AuthorizeRequest": (_present("resource"),),
    "auth_v2.GetPermissionsForPrincipalRequest": (_present("resource"),),
    "auth_v2.GetPermissionsRequest": (_present("resource"),),
    "auth_v2.GetRoleBindingRequest": (_present("resource"),),
    "auth_v2.ModifyRoleBindingRequest": (_present("resource"),),
    "auth_v2.RestoreAuthTokenRequest": (_present("token"),),
    "identity_v2.CreateIDPConnectorRequest": (_present("connector"),),
    "identity_v2.CreateOIDCClientRequest": (_present("client"),),
    "identity_v2.SetIdentityServerConfigRequest": (_present("config"),),
    "identity_v2.UpdateIDPConnectorRequest": (_present("connector"),),
    "identity_v2.UpdateOIDCClientRequest": (_present("client"),),
    # Looking after a cluster
    "debug_v2.TraceRequest": (_positive("duration"),),
    "proxy.ListenRequest": (_filled("channel"),),
    "snapshot.CreateSnapshotRequest": (_keys_filled("metadata"),),
    "snapshot.DeleteSnapshotRequest": (_at_least("id", 1),),
    "snapshot.InspectSnapshotRequest": (_at_least("id", 1),),
}

RULES: Final[Mapping[str, tuple[Rule, ...]]] = MappingProxyType({**_SERVICE_RULES, **_ACCESS_RULES})
"""All rules, by the full name of the message that they are about."""


def check_required(message: Message) -> None:
    """Return if a request, and each message in it, brings what it must. Costs nothing where no rule can apply.

    Raises:
        BadRequest: BAD_ARGUMENT, naming message and field of the first rule that is broken.
    """
    rules, fields = _plan(message.DESCRIPTOR)
    for rule in rules:
        if not rule.is_met(message):
            name = f"{message.DESCRIPTOR.full_name}.{rule.field}"
            raise BadRequest(ErrorKind.BAD_ARGUMENT, f"validate request: invalid {name}: {rule.text}")
    for field in fields:
        for part in _parts(message, field):
            check_required(part)


def _parts(message: Any, field: FieldDescriptor) -> Iterator[Message]:
    """The messages that a field holds: none, one or many."""
    held = getattr(message, field.name)
    if isinstance(held, Message):
        return iter([held] if message.HasField(field.name) else ())
    return iter(held.values() if _is_map(field) else held)


@cache
def _plan(descriptor: Descriptor) -> tuple[tuple[Rule, ...], tuple[FieldDescriptor, ...]]:
    """The rules of a message, and those of its fields in which rules may apply."""
    fields = tuple(field for field in descriptor.fields if (of := _held(field)) is not None and _is_ruled(of))
    return RULES.get(descriptor.full_name, ()), fields


@cache
def _is_ruled(descriptor: Descriptor) -> bool:
    """Whether rules may apply in a message of this type, however deep."""
    seen: dict[str, None] = {}
    waiting = [descriptor]
    while waiting:
        here = waiting.pop()
        if here.full_name in RULES:
            return True
        if here.full_name not in seen:
            seen[here.full_name] = None
            waiting += [of for field in here.fields if (of := _held(field)) is not None]
    return False


def _held(field: FieldDescriptor) -> Descriptor | None:
    """The type of the messages that a field holds; None if it holds none."""
    kind: Descriptor | None = field.message_type
    return kind.fields_by_name["value"].message_type if kind is not None and _is_map(field) else kind


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)
