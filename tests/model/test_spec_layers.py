# SPDX-License-Identifier: Apache-2.0
"""Specs over defaults: how layers are merged, and what defaults may say."""

import pytest

from howdah.errors import BadRequest, ErrorKind, HowdahError
from howdah.model.spec import is_same, layered_spec, merged, parse_defaults, parse_spec, reruns_all
from howdah.model.spec.faults import faults_of
from tests.model.fields import sample, spec_with


def defaults(**fields):
    return parse_defaults({"createPipelineRequest": fields})


@pytest.mark.parametrize(
    ("below", "above", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ],
)
def test_layers_are_merged_as_the_standard_has_it(below, above, expected):
    """The cases of RFC 7396's appendix that can occur."""
    assert expected == merged(below, above)


def test_the_nearest_layer_holds():
    """Built-in, cluster, project, the spec itself; each field by itself."""
    cluster = defaults(datumTries=5, jobTimeout="1h", transform={"image": "a", "env": {"A": "1", "B": "1"}})
    project = defaults(jobTimeout="2h", transform={"env": {"B": "2", "C": "2"}})
    own = {**sample(), "transform": {"cmd": ["true"], "env": {"C": "3"}}}

    spec = layered_spec(own, [cluster, project])

    assert (5, 7200.0, "until_success") == (spec.datum_tries, spec.job_timeout.total_seconds(), spec.reprocess_spec)
    assert ("a", (("A", "1"), ("B", "2"), ("C", "3"))) == (spec.transform.image, spec.transform.env)


def test_either_spelling_meets_the_other():
    """Defaults and spec may be written in different ways."""
    cluster = parse_defaults('{"create_pipeline_request": {"datum_tries": 5, "resource_requests": {"cpu": 2}}}')

    assert 7 == layered_spec({**sample(), "datumTries": 7}, [cluster]).datum_tries
    assert 7 == layered_spec({**sample(), "datum_tries": 7}, [cluster]).datum_tries
    assert 2.0 == layered_spec(sample(), [cluster]).resource_requests.cpu


def test_null_takes_a_default_away():
    """At the top, within an object and in a map; what is built in holds then."""
    cluster = defaults(datumTries=5, resourceRequests={"cpu": 1, "memory": "1G"}, transform={"env": {"A": "1"}})
    own = {**sample(), "datumTries": None, "resourceRequests": {"memory": None}}
    own["transform"] = {"cmd": ["true"], "env": {"A": None}}

    spec = layered_spec(own, [cluster])

    assert (3, "", ()) == (spec.datum_tries, spec.resource_requests.memory, spec.transform.env)


def test_a_spec_over_no_defaults_is_the_spec():
    """Layers that say nothing change nothing."""
    assert parse_spec(sample()) == layered_spec(sample(), []) == layered_spec(sample(), [{}, {}])


def test_errors_of_a_spec_come_by_the_names_that_it_uses():
    """Not by those that its keys are brought to."""
    with pytest.raises(BadRequest) as error:
        layered_spec({**sample(), "datum_tries": "x"}, [defaults(datumTries=4)])

    assert error.value.message.startswith("datum_tries: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", ""),
        ("7", "defaults: expected one object"),
        ('{"transform": {}}', "transform: unknown field; defaults have one key, createPipelineRequest"),
        ('{"createPipelineRequest": []}', "createPipelineRequest: expected an object"),
        ('{"createPipelineRequest": {"datumTrys": 1}}', "createPipelineRequest.datumTrys: unknown field; did you mean"),
        ('{"createPipelineRequest": {"datumTries": "x"}}', "createPipelineRequest.datumTries: expected a whole number"),
        ('{"createPipelineRequest": {"datumTries": -1}}', "createPipelineRequest.datumTries: it is negative"),
        ('{"createPipelineRequest": {"pipeline": {"name": "a"}}}', "createPipelineRequest.pipeline: it belongs to one"),
        ('{"createPipelineRequest": {"update": true}}', "createPipelineRequest.update: it belongs to one pipeline"),
        ('{"createPipelineRequest": {"tfJob": {"tfJob": "a"}}}', "createPipelineRequest.tfJob: "),
    ],
)
def test_defaults_that_no_pipeline_could_have_are_refused(text, expected):
    """With the field; nothing at all is good."""
    if not expected:
        assert {} == parse_defaults(text) == parse_defaults("") == parse_defaults("{}")
        return

    with pytest.raises(HowdahError) as error:
        parse_defaults(text)

    assert expected in error.value.message


def test_defaults_read_back_to_themselves():
    """One spelling, no null, whatever they were written in."""
    tree = parse_defaults("create_pipeline_request: {datum_tries: 4, salt: null, transform: {env: {A: b}}}")

    assert {"datumTries": 4, "transform": {"env": {"A": "b"}}} == tree
    assert tree == parse_defaults({"createPipelineRequest": tree, "$schema": "x"})


def test_salt_and_origin_alone_are_no_change():
    """A spec keeps the salt that there is, and may name it; another one is a change."""
    old = parse_spec(spec_with("salt", "s"))

    assert is_same(old, parse_spec(sample()), "s")
    assert is_same(parse_spec(sample()), old, "s")
    assert is_same(old, parse_spec(spec_with("specCommit", {"id": "x"})), "s")
    assert not is_same(old, parse_spec(spec_with("salt", "t")), "s")
    assert not is_same(old, parse_spec(spec_with("datumTries", 4)), "s")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("transform.cmd", ["false"], True),
        ("transform.image", "img:2", True),
        ("transform.env", {"A": "b"}, True),
        ("transform.workingDir", "/w", True),
        ("transform.debug", True, False),
        ("datumTimeout", "1h", False),
    ],
)
def test_other_code_runs_again_where_that_is_asked_for(path, value, expected):
    """`rerun` looks at what decides about outputs; `keep` never."""
    old = parse_spec(sample())
    new = spec_with(path, value)

    assert expected == reruns_all(old, parse_spec({**new, "onCodeChange": "rerun"}))
    assert not reruns_all(old, parse_spec({**new, "onCodeChange": "keep"}))
    assert not reruns_all(old, parse_spec(new))


def test_all_that_is_wrong_is_told_at_once():
    """First the shapes of fields; when those are good, what they mean."""
    shapes = {**sample(), "datumTries": "x", "transfrom": {}, "transform": {"cmd": "sh", "env": {"A": 1}}}
    meanings = {**sample(), "datumTries": -1, "reprocessSpec": "never", "podPatch": "{"}
    meanings["transform"] = {"cmd": ["true"], "workingDir": "w", "user": "u"}

    assert ["transform.cmd", "transform.env.A", "datumTries", "transfrom"] == [
        fault.partition(":")[0] for fault in faults_of(shapes)
    ]
    assert {"datumTries", "reprocessSpec", "podPatch", "transform.workingDir"} == {
        fault.partition(":")[0] for fault in faults_of(meanings)
    }


def test_faults_are_looked_for_over_defaults():
    """A command that is a default is not missing."""
    own = {**sample(), "transform": {}}

    assert ["pipeline spec"] == [fault.partition(":")[0] for fault in faults_of(own)]
    assert () == faults_of(own, defaults=[defaults(transform={"cmd": ["true"]})])
    assert 1 == len(faults_of("{"))


def test_bad_defaults_are_of_the_kind_of_specs():
    """For clients that look at codes."""
    with pytest.raises(BadRequest) as error:
        parse_defaults('{"createPipelineRequest": {"outputBranch": "a b"}}')

    assert ErrorKind.BAD_SPEC == error.value.kind
