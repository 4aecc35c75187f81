# SPDX-License-Identifier: Apache-2.0
"""Specs over the wire: strict JSON, defaults, templates, and every field that goes in and comes out."""

import json
import urllib.request

import grpc
import jsonschema
import pytest
from google.protobuf import json_format
from google.protobuf.empty_pb2 import Empty

from howdah.wire.stubs import pfs_v2_pb2 as pfs
from howdah.wire.stubs import pps_v2_pb2 as pps
from tests.apis.wired import failure
from tests.model.fields import FIELDS, spec_with

TEMPLATE = """
function(name, src="words", count="1") [
  {
    pipeline: { name: name + "-" + n },
    transform: { cmd: ["true"] },
    input: { pfs: { repo: src, glob: "/*" } },
    datumTimeout: "1h30m",
  }
  for n in std.range(1, std.parseInt(count))
]
"""


@pytest.fixture
def lake(wire):
    """A server with a repo `words` and a secret `s`, no pipeline and no defaults."""
    wire.pps.SetClusterDefaults(pps.SetClusterDefaultsRequest(cluster_defaults_json="{}"))
    wire.pps.SetProjectDefaults(pps.SetProjectDefaultsRequest(project_defaults_json="{}"))
    wire.pps.DeletePipelines(pps.DeletePipelinesRequest(all=True))
    words = pfs.Repo(name="words", type="user")
    wire.pfs.CreateRepo(pfs.CreateRepoRequest(repo=words, update=True))
    if not wire.pps.ListSecret(Empty()).secret_info:
        wire.pps.CreateSecret(pps.CreateSecretRequest(file=b'{"metadata": {"name": "s"}}'))
    return wire


def spec(**fields):
    tree = {"pipeline": {"name": "p"}, "transform": {"cmd": ["true"]}, "input": {"pfs": {"repo": "words", "glob": "/"}}}
    return {**tree, **fields}


def create(lake, tree, metadata=(), **options):
    text = tree if isinstance(tree, str) else json.dumps(tree)
    request = pps.CreatePipelineV2Request(create_pipeline_request_json=text, **options)
    return json.loads(lake.pps.CreatePipelineV2(request, metadata=metadata).effective_create_pipeline_request_json)


def inspect(lake, name="p"):
    request = pps.InspectPipelineRequest(pipeline=pps.Pipeline(name=name), details=True)
    return lake.pps.InspectPipeline(request)


def test_json_is_read_as_the_protocol_has_it(lake):
    """Both spellings, enums by name or number, long numbers as texts, durations, and the schema's address."""
    tree = spec(
        datum_tries="4",
        datumTimeout="90s",
        tolerations=[{"operator": 1, "effect": "NO_EXECUTE", "toleration_seconds": "9"}],
        resourceLimits={"cpu": "1.5", "gpu": {"number": "2"}},
        metadata=None,
    )

    effective = create(lake, {"$schema": "http://x", **tree})
    info = inspect(lake)

    assert (4, "90s") == (effective["datumTries"], effective["datumTimeout"])
    assert (1, 3, 9) == (
        info.details.tolerations[0].operator,
        info.details.tolerations[0].effect,
        info.details.tolerations[0].toleration_seconds.value,
    )
    assert (1.5, 2) == (info.details.resource_limits.cpu, info.details.resource_limits.gpu.number)
    assert {"$schema": "http://x", **tree} == json.loads(info.user_spec_json)
    assert effective == json.loads(info.effective_spec_json)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"pipelin": {}}', "pipelin: unknown field; did you mean pipeline"),
        ('{"pipeline": {"name": "p", "nme": 1}}', "pipeline.nme: unknown field"),
        ("pipeline: {name: p}", "at line 1 column 1"),
        ("{} {}", "2 JSON values found where one is expected"),
        ("[]", "expected an object"),
        ("null", "expected an object"),
        ("", "0 JSON values"),
        ('{"salt": "a", "salt": "b"}', "the field salt is given twice"),
        ('{"datumTries": NaN}', "NaN is not a number"),
        ('{"a":' * 2000, "nested"),
    ],
)
def test_what_is_no_spec_is_an_invalid_argument(lake, text, expected):
    """With words that clients know, then the place."""
    code, details = failure(lambda: create(lake, text))

    assert grpc.StatusCode.INVALID_ARGUMENT == code
    assert details.startswith("could not make effective spec: ")
    assert expected in details


def test_the_call_counts_more_than_the_json(lake):
    """`update` and `reprocess` may be in either place; `dry_run` changes nothing."""
    create(lake, spec())
    salt = inspect(lake).details.salt

    create(lake, spec(datumTries=4), update=True)
    create(lake, spec(datumTries=5, update=True))
    create(lake, spec(datumTries=5, update=True, reprocess=True))
    answer = create(lake, spec(datumTries=9), update=True, dry_run=True)
    create(lake, spec(datumTries=9, dryRun=True))

    info = inspect(lake)
    assert (4, 9) == (info.version, answer["datumTries"])
    assert salt != info.details.salt
    assert grpc.StatusCode.ALREADY_EXISTS == failure(lambda: create(lake, spec(datumTries=9)))[0]


def test_an_older_client_goes_the_same_way(lake):
    """CreatePipeline of a message: over the defaults, kept as JSON."""
    defaults = '{"createPipelineRequest": {"datumTries": 7}}'
    lake.pps.SetClusterDefaults(pps.SetClusterDefaultsRequest(cluster_defaults_json=defaults))
    lake.pps.CreatePipeline(json_format.ParseDict(spec(), pps.CreatePipelineRequest()))

    info = inspect(lake)

    assert 7 == info.details.datum_tries
    assert "datumTries" not in json.loads(info.user_spec_json)


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_every_field_goes_in_and_comes_out(lake, field):
    """As a message and as JSON alike, unless this version cannot do it, which is said by name."""
    tree = spec_with(field.path, field.good)
    name = "sample"

    try:
        effective = create(lake, tree)
    except grpc.RpcError as error:
        assert grpc.StatusCode.UNIMPLEMENTED == error.code()  # noqa: PT017 - most fields are accepted
        return
    first = inspect(lake, name)
    lake.pps.DeletePipeline(pps.DeletePipelineRequest(pipeline=first.pipeline))
    request = json_format.ParseDict(effective, pps.CreatePipelineRequest(), ignore_unknown_fields=True)
    lake.pps.CreatePipeline(request)
    second = inspect(lake, name)

    assert json_format.ParseDict(json.loads(first.effective_spec_json), pps.CreatePipelineRequest(), True) == request
    for details in (first.details, second.details):
        for shared in {*details.DESCRIPTOR.fields_by_name} & {*request.DESCRIPTOR.fields_by_name}:
            if shared not in ("salt", "input", "transform"):
                assert getattr(details, shared) == getattr(request, shared)
        assert details.transform == request.transform
    assert json.loads(first.user_spec_json) == tree


@pytest.mark.parametrize("field", FIELDS, ids=str)
def test_every_bad_value_is_refused_by_its_field(lake, field):
    """Over the wire as in the core."""
    code, details = failure(lambda: create(lake, spec_with(field.path, field.bad)))

    assert grpc.StatusCode.INVALID_ARGUMENT == code
    assert field.text in details


def test_defaults_are_set_asked_for_and_regenerate(lake):
    """Of the cluster and of a project; affected pipelines are named."""
    create(lake, spec())
    text = '{"createPipelineRequest": {"datum_tries": 6}}'
    project = pfs.Project(name="default")

    cluster = lake.pps.SetClusterDefaults(
        pps.SetClusterDefaultsRequest(cluster_defaults_json=text, regenerate=True, dry_run=True)
    )
    tried = inspect(lake).version
    lake.pps.SetClusterDefaults(pps.SetClusterDefaultsRequest(cluster_defaults_json=text, regenerate=True))
    narrow = lake.pps.SetProjectDefaults(
        pps.SetProjectDefaultsRequest(
            project=project, project_defaults_json=text.replace("6", "8"), regenerate=True, reprocess=True
        )
    )

    assert (["p"], 1) == ([each.name for each in cluster.affected_pipelines], tried)
    assert ["default"] == [each.project.name for each in narrow.affected_pipelines]
    assert (3, 8) == (inspect(lake).version, inspect(lake).details.datum_tries)
    assert text == lake.pps.GetClusterDefaults(pps.GetClusterDefaultsRequest()).cluster_defaults_json
    found = lake.pps.GetProjectDefaults(pps.GetProjectDefaultsRequest(project=project))
    assert (text.replace("6", "8"), True) == (found.project_defaults_json, found.HasField("created_at"))


def test_bad_defaults_name_their_field(lake):
    """And the project must be there."""
    bad = '{"createPipelineRequest": {"datumTries": "x"}}'
    request = pps.SetClusterDefaultsRequest(cluster_defaults_json=bad)
    nowhere = pfs.Project(name="nowhere")

    code, text = failure(lambda: lake.pps.SetClusterDefaults(request))
    absent = failure(lambda: lake.pps.GetProjectDefaults(pps.GetProjectDefaultsRequest(project=nowhere)))

    assert grpc.StatusCode.INVALID_ARGUMENT == code
    assert text.startswith("createPipelineRequest.datumTries: expected a whole number")
    assert grpc.StatusCode.NOT_FOUND == absent[0]
    yaml = pps.SetClusterDefaultsRequest(cluster_defaults_json="createPipelineRequest: {datumTries: 4}")
    assert "mend the JSON" in failure(lambda: lake.pps.SetClusterDefaults(yaml))[1]


def test_a_transaction_makes_pipelines_over_the_defaults(lake):
    """As they were when the request was added, which is what it was answered."""
    text = '{"createPipelineRequest": {"datumTries": 6}}'
    lake.pps.SetClusterDefaults(pps.SetClusterDefaultsRequest(cluster_defaults_json=text))
    made, metadata = lake.transaction()

    answer = create(lake, spec(), metadata)
    lake.pps.SetClusterDefaults(pps.SetClusterDefaultsRequest(cluster_defaults_json="{}"))
    lake.finish_transaction(made)

    assert 6 == answer["datumTries"] == inspect(lake).details.datum_tries


def test_a_template_gives_specs(lake):
    """As JSON, and as messages; nothing is made."""
    request = pps.RenderTemplateRequest(template=TEMPLATE, args={"name": "p", "count": "2"})

    answer = lake.pps.RenderTemplate(request)

    assert ["p-1", "p-2"] == [each["pipeline"]["name"] for each in json.loads(answer.json)]
    assert [("p-1", 5400), ("p-2", 5400)] == [(each.pipeline.name, each.datum_timeout.seconds) for each in answer.specs]
    assert [] == list(lake.pps.ListPipeline(pps.ListPipelineRequest()))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('import "/etc/passwd"', "a template stands alone, it cannot import /etc/passwd"),
        ('importstr "/etc/passwd"', "a template stands alone"),
        ('std.extVar("HOME")', "HOME"),
        ("function(a) {", "template cannot be rendered"),
        ("function(a) {}", "cannot be rendered"),
        ("1", "neither a spec nor a list of specs"),
        ("local f(n) = f(n + 1) + 1; f(0)", "stack"),
        ('{ pipelin: { name: "a" } }', "pipelin: unknown field"),
    ],
)
def test_a_bad_template_is_told_of(lake, template, expected):
    """It reads no file and no variable of the server, and its stack has an end."""
    code, details = failure(lambda: lake.pps.RenderTemplate(pps.RenderTemplateRequest(template=template)))

    assert grpc.StatusCode.INVALID_ARGUMENT == code
    assert expected in details


@pytest.mark.slow
def test_a_template_that_never_ends_is_ended(lake):
    """By the bounds of its process; the server goes on."""
    endless = "std.foldl(function(a, b) a + b, std.range(1, 100000000), 0)"

    code, details = failure(lambda: lake.pps.RenderTemplate(pps.RenderTemplateRequest(template=endless)))

    assert grpc.StatusCode.INVALID_ARGUMENT == code
    assert "make it simpler" in details or "memory" in details


def test_schemas_are_served_at_addresses_that_stay(lake):
    """Those that other clients know; each is a schema, and says where it is."""
    folder = f"{lake.server.http_address}/jsonschema"
    names = ["pps_v2/CreatePipelineRequest", "pps_v2/ClusterDefaults", "pps_v2/ProjectDefaults"]

    found = {}
    for name in names:
        with urllib.request.urlopen(f"{folder}/{name}.schema.json") as answer:
            found[name] = json.load(answer)
            assert "application/schema+json" == answer.headers["content-type"]
            assert "*" == answer.headers["access-control-allow-origin"]

    for name in names:
        jsonschema.Draft7Validator.check_schema(found[name])
        assert f"{folder}/{name}.schema.json" == found[name]["$id"]
    jsonschema.validate(spec(), found[names[0]])
    jsonschema.validate({"createPipelineRequest": {"datumTries": 4}}, found[names[1]])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spec(datumTrys=1), found[names[0]])
