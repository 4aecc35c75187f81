# SPDX-License-Identifier: Apache-2.0
"""Random JSON for messages: it is read, or refused as the caller's error; what was read is written and read again."""

import json
from contextlib import suppress

import pytest
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from howdah.apis.http.protojson import from_json, to_json
from howdah.errors import BadRequest, ErrorKind, Unsupported
from tests.apis.not_yet import METHODS
from tests.fuzz.messages import any_message

KINDS = {method.input_type.full_name: method.input_type for method in METHODS}
# Those with the most shapes of fields: maps, choices, recursion, times, wrappers, open messages.
ROWS = ["pps_v2.CreatePipelineRequest", "pfs_v2.ModifyFileRequest", "pfs_v2.PutCacheRequest", "pps_v2.ListDatumRequest"]

ANY_SPEED = {"deadline": None, "suppress_health_check": list(HealthCheck)}
SHORT_RUN = settings(max_examples=25, derandomize=True, database=None, **ANY_SPEED)
FULL_RUN = settings(max_examples=40, **ANY_SPEED)


def names(kind, depth=3):
    """The names of the fields of a message and of those in it, in both spellings."""
    for field in kind.fields:
        yield from (field.json_name, field.name)
        if field.message_type is not None and depth:
            yield from names(field.message_type, depth - 1)


def any_json(kind):
    """JSON whose keys mostly mean something."""
    keys = st.sampled_from(sorted({*names(kind), "@type", "value"})) | st.text(max_size=3)
    texts = st.sampled_from(["", "USER", "1", "1.5s", "-1s", "2024-01-01T00:00:00Z", "x", "NaN", "eA==", "type.x/y"])
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.text(max_size=5)
    return st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


def run(name, how):
    kind = GetMessageClass(KINDS[name])

    @how
    @given(any_json(KINDS[name]).map(json.dumps) | st.text(max_size=20))
    def is_read_or_refused(text):
        try:
            message = from_json(text.encode(errors="surrogatepass"), kind)
        except BadRequest as error:
            refused = error
        else:
            with suppress(Unsupported):
                written = to_json(message)
                assert json.loads(written) == json.loads(to_json(from_json(written.encode(), kind)))
            return
        assert ErrorKind.BAD_ARGUMENT == refused.kind
        assert refused.message.isprintable()

    @how
    @given(any_message(KINDS[name]))
    def is_the_same_after_json(message):
        with suppress(Unsupported):
            read = from_json(to_json(message).encode(), kind)
            assert json.loads(to_json(message)) == json.loads(to_json(read))  # maps have no order

    is_read_or_refused()
    is_the_same_after_json()


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_random_json_is_read_or_refused(name):
    """Nothing but `BadRequest` comes out, in one line."""
    run(name, SHORT_RUN)


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(KINDS))
def test_much_random_json_is_read_or_refused(name):
    """The same for every request, for a long time."""
    run(name, FULL_RUN)
