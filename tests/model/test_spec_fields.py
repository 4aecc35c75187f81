# SPDX-License-Identifier: Apache-2.0
"""Every field of a spec is read, kept, written, refused by its name when it is wrong, described to editors."""

import dataclasses
import json
from contextlib import suppress

import jsonschema
import pytest

from howdah.errors import BadRequest, ErrorKind, Unsupported
from howdah.model.spec import PfsInput, PipelineSpec, parse_spec, require_supported
from howdah.model.spec.codec import json_name, respell, spelled
from howdah.model.spec.faults import faults_of
from howdah.model.spec.schema import spec_schema
from tests.model.fields import FIELDS, sample, spec_with

VALIDATOR = jsonschema.Draft7Validator(spec_schema())


def top_level(kind=PipelineSpec):
    return {json_name(field) for field in dataclasses.fields(kind)}


def under(spec, path):
    """What the effective spec has at a path."""
    tree = spec.to_tree()
    for key in path.split("."):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def snake(tree):
    """The same with the names of the protocol's messages at its top."""
    names = {json_name(field): field.name for field in dataclasses.fields(PipelineSpec)}
    return {names[key]: value for key, value in tree.items()}


def test_the_table_has_every_field():
    """A new field of the spec, of the transform or of a pfs input comes with a row."""
    spec = PipelineSpec()
    paths = {field.path for field in FIELDS}
    tops = {path.partition(".")[0] for path in paths}
    transform = {f"transform.{spelled(field.name)}" for field in dataclasses.fields(spec.transform)}
    pfs = {f"input.pfs.{spelled(field.name)}" for field in dataclasses.fields(PfsInput)}

    assert set() == top_level() - tops
    assert set() == transform - paths
    assert set() == pfs - paths


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_a_field_is_read_kept_and_written(field):
    """What goes in comes out, in both spellings; what cannot be run yet is told so, and nothing else is."""
    tree = spec_with(field.path, field.good)

    spec = parse_spec(tree)

    assert spec == parse_spec(spec.to_json()) == parse_spec(snake(tree))
    if field.good not in ("", False) and field.path not in ("pipeline", "input.cron"):
        assert under(spec, field.path) is not None
    with suppress(Unsupported):
        require_supported(spec)


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_a_bad_value_is_refused_by_the_fields_name(field):
    """By the reader, and by the list of everything that is wrong."""
    tree = spec_with(field.path, field.bad)

    with pytest.raises(BadRequest) as error:
        parse_spec(tree)

    assert ErrorKind.BAD_SPEC == error.value.kind
    assert error.value.message.startswith(field.text)
    assert field.text in "\n".join(faults_of(tree))


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_the_schema_takes_what_the_reader_takes(field):
    """In either spelling, and as the effective spec writes it."""
    tree = spec_with(field.path, field.good)

    VALIDATOR.validate(tree)
    VALIDATOR.validate(snake(tree))
    VALIDATOR.validate(respell(PipelineSpec, tree))
    VALIDATOR.validate(json.loads(parse_spec(tree).to_json()))


def test_the_sample_is_good():
    """Or the rows would show nothing."""
    assert () == faults_of(sample())
