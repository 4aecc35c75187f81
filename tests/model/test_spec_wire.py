# SPDX-License-Identifier: Apache-2.0
"""The spec has every field of the protocol, under the protocol's names."""

import dataclasses
import typing

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor

from howdah.model.spec import PipelineSpec, inputs, parse_spec
from howdah.model.spec.codec import spelled
from howdah.wire.stubs import pps_v2_pb2

# Held as plain values: maps, and messages of well-known types.
_PLAIN = {"google.protobuf.Duration", "google.protobuf.Timestamp", "google.protobuf.Int64Value"}
# What howdah has besides: read from JSON and YAML, unknown to the messages.
OURS = [".onCodeChange"]


def _dataclass_of(hint):
    for inner in (hint, *typing.get_args(hint)):
        if dataclasses.is_dataclass(inner):
            return inner
    return None


def _missing(kind, message: Descriptor, path: str) -> list[str]:
    """Fields of the message that the dataclass does not have, by path; and those it has besides."""
    ours = {f.metadata.get("json") or spelled(f.name): f.name for f in dataclasses.fields(kind)}
    theirs = {field.json_name: field for field in message.fields}
    wrong = [f"{path}.{name}" for name in ours.keys() ^ theirs.keys()]
    hints = typing.get_type_hints(kind)
    for name, field in theirs.items():
        inner = field.message_type
        if name in ours and inner is not None and inner.full_name not in _PLAIN and not inner.GetOptions().map_entry:
            if inner.full_name == "pps_v2.Input":
                continue
            wrong += _missing(_dataclass_of(hints[ours[name]]), inner, f"{path}.{name}")
    return wrong


def test_the_spec_has_every_field_of_the_protocol_and_ours():
    """Compared with the descriptor of CreatePipelineRequest, message by message."""
    fields = pps_v2_pb2.DESCRIPTOR.message_types_by_name

    assert OURS == _missing(PipelineSpec, fields["CreatePipelineRequest"], "")
    assert [] == _missing(inputs.PfsInput, fields["PFSInput"], "pfs")
    assert [] == _missing(inputs.CronInput, fields["CronInput"], "cron")


def test_a_message_of_the_protocol_is_read_and_written():
    """The JSON of protobuf parses to a spec, and the spec's JSON to a message that says the same."""
    request = pps_v2_pb2.CreatePipelineRequest(
        pipeline=pps_v2_pb2.Pipeline(name="edges"),
        transform=pps_v2_pb2.Transform(cmd=["a"], env={"A": "b"}, accept_return_code=[3]),
        input=pps_v2_pb2.Input(cross=[pps_v2_pb2.Input(pfs=pps_v2_pb2.PFSInput(repo="r", glob="/"))]),
        parallelism_spec=pps_v2_pb2.ParallelismSpec(constant=2),
        egress=pps_v2_pb2.Egress(URL="s3://b"),
        spout=pps_v2_pb2.Spout(service=pps_v2_pb2.Service(internal_port=1)),
        datum_tries=4,
    )
    request.datum_timeout.FromMilliseconds(1500)
    request.tolerations.add(operator=pps_v2_pb2.EXISTS).toleration_seconds.value = 0

    spec = parse_spec(json_format.MessageToDict(request))
    again = json_format.Parse(spec.to_json(), pps_v2_pb2.CreatePipelineRequest())

    assert spec == parse_spec(json_format.MessageToDict(again))
    assert spec == parse_spec(json_format.MessageToDict(request, preserving_proto_field_name=True))
    assert request.datum_timeout == again.datum_timeout
    assert request.tolerations == again.tolerations
    assert request.egress == again.egress
