# SPDX-License-Identifier: Apache-2.0
"""Specs by the official client, unmodified: every field, its JSON as notebooks publish it, defaults, templates."""

import json

import grpc
import pytest
from pachyderm_sdk.api import pfs, pps

from tests.model.fields import FIELDS, sample, spec_with

NOT_OF_THE_PROTOCOL = {"onCodeChange"}


@pytest.fixture
def words(client):
    client.pps.delete_all()
    repo = pfs.Repo(name="words", type="user")
    client.pfs.create_repo(repo=repo, update=True)
    if not any(each.secret.name == "s" for each in client.pps.list_secret().secret_info):
        client.pps.create_secret(name="s", data={"key": "value"})
    return repo


def request_of(tree):
    return pps.CreatePipelineRequest().from_dict(tree)


def create(client, request):
    """By the message, as `create_pipeline` takes it: field by field."""
    given = {name: getattr(request, name) for name in request.__dataclass_fields__}
    client.pps.create_pipeline(**{name: value for name, value in given.items() if value})


@pytest.mark.parametrize("field", [each for each in FIELDS if each.path not in NOT_OF_THE_PROTOCOL], ids=str)
def test_every_field_of_the_spec(client, words, field):
    """What the client sent is what it is shown, or it is told that this version cannot do that."""
    request = request_of(spec_with(field.path, field.good))

    try:
        create(client, request)
    except grpc.RpcError as error:
        assert grpc.StatusCode.UNIMPLEMENTED == error.code()  # noqa: PT017 - most fields are accepted
        return
    info = client.pps.inspect_pipeline(pipeline=pps.Pipeline(name="sample"), details=True)

    top = type(request)().from_dict(json.loads(info.user_spec_json))
    assert request.transform == info.details.transform == top.transform
    assert request.input.pfs.glob == info.details.input.pfs.glob
    for name in ("resource_limits", "tolerations", "metadata", "datum_set_spec", "datum_timeout", "scheduling_spec"):
        assert getattr(request, name) == getattr(info.details, name)


def test_a_notebook_publishes_its_pipeline(client, words):
    """The client's own JSON: long numbers and ports as texts, `update` and `reprocess` inside."""
    request = request_of(sample())
    request.update = request.reprocess = True
    request.datum_tries = 2
    context = pfs.Repo(name="sample__context", type="user")
    client.pfs.create_repo(repo=context, update=True)
    request.input = pps.Input(
        cross=[
            pps.Input(pfs=pps.PfsInput(repo="words", glob="/*")),
            pps.Input(pfs=pps.PfsInput(repo=context.name, branch="commit_1", glob="/")),
        ]
    )
    text = request.to_json()

    client.pps.create_pipeline_v2(create_pipeline_request_json=text, update=True, reprocess=True)
    client.pps.create_pipeline_v2(create_pipeline_request_json=text)
    info = client.pps.inspect_pipeline(pipeline=pps.Pipeline(name="sample"), details=True)

    assert '"datumTries": "2"' in text
    assert (2, 2, text) == (info.version, info.details.datum_tries, info.user_spec_json)


def test_defaults_and_templates(client, words):
    """The calls that the client has for them."""
    text = json.dumps({"createPipelineRequest": {"datumTries": 9}})
    create(client, request_of(sample()))

    changed = client.pps.set_cluster_defaults(cluster_defaults_json=text, regenerate=True)
    found = client.pps.get_cluster_defaults()
    info = client.pps.inspect_pipeline(pipeline=pps.Pipeline(name="sample"), details=True)
    client.pps.set_cluster_defaults(cluster_defaults_json="{}")
    project = client.pps.get_project_defaults(project=pfs.Project(name="default"))
    rendered = client.pps.render_template(template="function(a) {pipeline: {name: a}}", args={"a": "x"})

    assert ["sample"] == [each.name for each in changed.affected_pipelines]
    assert (text, 9, "{}") == (found.cluster_defaults_json, info.details.datum_tries, project.project_defaults_json)
    assert ("x", "x") == (json.loads(rendered.json)["pipeline"]["name"], rendered.specs[0].pipeline.name)
