# SPDX-License-Identifier: Apache-2.0
"""Settings of the gRPC server and of channels to it, each with its reason.

The clients that exist set the terms: they receive at most 20 MiB a message, send up to 19 MiB of payload,
and ping every 10 to 20 s even when no call is open.
"""

from typing import Final

__all__ = ["CHANNEL_OPTIONS", "PAYLOAD_BYTES_MAX", "SERVER_OPTIONS", "STREAM_PAYLOAD_BYTES"]

MiB: Final = 1 << 20

# No client accepts more than 20 MiB; one MiB is left for the fields around the payload.
PAYLOAD_BYTES_MAX: Final = 19 * MiB

# What a read of file contents sends at once. Measured: no slower than 19 MiB, and a client that reads
# slowly holds a few MiB of the server instead of 40.
STREAM_PAYLOAD_BYTES: Final = 2 * MiB

# Clients send 19 MiB payloads in 20 MiB messages; gRPC's own limit is 4 MiB, too small for any of them.
RECEIVE_BYTES_MAX: Final = 24 * MiB

# pachctl puts its whole command line in a header; 8 KiB, gRPC's own limit, is less than a long `put file`.
METADATA_BYTES: Final = 64 << 10

# Clients ping every 10 s (SDK) or 20 s (pachctl); upstream allows 5 s, so we do.
PING_INTERVAL_MS: Final = 5_000

SERVER_OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    ("grpc.max_receive_message_length", RECEIVE_BYTES_MAX),
    ("grpc.max_send_message_length", RECEIVE_BYTES_MAX),
    # Above the first limit gRPC refuses some calls at random, above the second all of them.
    ("grpc.max_metadata_size", METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", 2 * METADATA_BYTES),
    # A default server answers pings on an idle connection with GOAWAY "too_many_pings" after some 40 s.
    ("grpc.http2.min_ping_interval_without_data_ms", PING_INTERVAL_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_ping_strikes", 0),
    # Our own pings find clients that vanished without a word, so their subscriptions end.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # A second server on the same port must fail, not share the calls.
    ("grpc.so_reuseport", 0),
)

CHANNEL_OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    ("grpc.max_receive_message_length", RECEIVE_BYTES_MAX),
    ("grpc.max_send_message_length", RECEIVE_BYTES_MAX),
    ("grpc.max_metadata_size", METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", 2 * METADATA_BYTES),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)
