# SPDX-License-Identifier: Apache-2.0
"""Pipeline specs: reading, defaults, checks, writing."""

import copy
import json
from datetime import timedelta

import pytest

from howdah.errors import BadRequest, ErrorKind, HowdahError, Unsupported
from howdah.model.spec import (
    CronInput,
    CrossInput,
    JoinInput,
    PfsInput,
    UnionInput,
    parse_input,
    parse_spec,
    parse_specs,
    pfs_inputs,
    require_supported,
    walk_inputs,
)


def spec_tree(**fields):
    """A small good spec, with fields of its top level replaced."""
    tree = {
        "pipeline": {"name": "edges"},
        "transform": {"cmd": ["python3", "/edges.py"]},
        "input": {"pfs": {"repo": "images", "glob": "/*"}},
    }
    return copy.deepcopy(tree | fields)


FULL = spec_tree(
    description="finds edges",
    transform={
        "image": "img:1",
        "cmd": ["sh"],
        "stdin": ["a", "b"],
        "env": {"B": "1", "A": "2"},
        "imagePullSecrets": ["s"],
        "acceptReturnCode": [1, "2"],
        "debug": True,
        "user": "u",
        "workingDir": "/w",
        "dockerfile": "D",
        "memoryVolume": True,
    },
    parallelismSpec={"constant": "4"},
    autoscaling=True,
    maximumExpectedUptime="1d",
    datumSetSpec={"number": 3, "perWorker": 2},
    datumTimeout="1h30m",
    jobTimeout="500ms",
    datumTries=5,
    reprocessSpec="every_job",
    outputBranch="out",
    resourceRequests={},
    resourceLimits={"cpu": 1.5, "memory": "256Mi", "disk": "1G", "gpu": {"type": "x", "number": 1}},
    sidecarResourceLimits={"cpu": 1},
    sidecarResourceRequests={"memory": "1G"},
    schedulingSpec={"nodeSelector": {"a": "b"}, "priorityClassName": "c"},
    tolerations=[{"key": "k", "operator": "EXISTS", "effect": 3, "tolerationSeconds": "0"}],
    podSpec="{}",
    podPatch="[]",
    metadata={"annotations": {"a": "b"}, "labels": {"c": "d"}},
    salt="s",
    specCommit={"id": "x", "branch": {"name": "master", "repo": {"name": "edges", "type": "spec"}}},
)
REFUSED_LATER = spec_tree(
    input={
        "join": [
            {"pfs": {"repo": "b", "glob": "/(*)", "joinOn": "$1", "outerJoin": True, "trigger": {"size": "1K"}}},
            {"pfs": {"repo": "a", "glob": "/(*)", "joinOn": "$1", "trigger": {"commits": "2"}}},
        ]
    },
    egress={"sqlDatabase": {"url": "u", "fileFormat": {"type": "CSV", "columns": ["c"]}, "secret": {"name": "n"}}},
    service={"internalPort": 80, "externalPort": "30080", "type": "NodePort"},
    determined={"workspaces": ["w"]},
)
CRON = spec_tree(input={"cron": {"name": "tick", "spec": "@daily", "start": "2025-01-31T08:00:00+02:00"}})


def test_defaults_are_filled_in():
    """The effective spec of the smallest user spec."""
    spec = parse_spec(spec_tree(), project="p")

    assert ("p", "edges", "master", 3, "until_success", 1) == (
        spec.project,
        spec.name,
        spec.output_branch,
        spec.datum_tries,
        spec.reprocess_spec,
        spec.parallelism,
    )
    assert "ubuntu:20.04" == spec.transform.image
    assert spec.input == PfsInput(
        project="p", name="images", repo="images", repo_type="user", branch="master", glob="/*"
    )


def test_the_pipelines_own_project_wins_and_is_its_inputs():
    """The parameter is for specs that name none."""
    spec = parse_spec(spec_tree(pipeline={"name": "edges", "project": {"name": "q"}}), project="p")

    assert ("q", "q") == (spec.project, pfs_inputs(spec.input)[0].project)


@pytest.mark.parametrize("tree", [spec_tree(), FULL, REFUSED_LATER, CRON, spec_tree(input=None, spout={})])
def test_a_spec_is_read_back_from_its_json(tree):
    """to_json() is canonical: the same for equal specs, and parses to an equal one."""
    spec = parse_spec(tree)

    again = parse_spec(spec.to_json())

    assert spec == again
    assert hash(spec) == hash(again)
    assert spec.to_json() == again.to_json()


def test_both_spellings_and_both_languages_mean_the_same():
    """camelCase, snake_case, JSON and YAML."""
    yaml = """
    # a comment
    pipeline: {name: edges}
    transform:
      cmd: [python3, /edges.py]
    datum_timeout: 90m
    input:
      pfs:
        repo: images
        repo_type: user
        glob: "*"
    """
    expected = parse_spec(spec_tree(datumTimeout="1h30m"))

    assert expected == parse_spec(yaml)
    assert expected == parse_spec(yaml.encode())
    assert expected == parse_spec(json.dumps(spec_tree(datum_timeout="5400s")))
    assert timedelta(minutes=90) == expected.datum_timeout


def test_what_belongs_to_the_request_is_not_part_of_the_spec():
    """update and reprocess are read, but two specs that differ in them alone are equal."""
    spec = parse_spec(spec_tree(update=True, reprocess=True, dry_run=True))

    assert (True, True, True) == (spec.update, spec.reprocess, spec.dry_run)
    assert parse_spec(spec_tree()) == spec
    assert "update" not in spec.to_tree()


def test_specs_that_differ_are_not_equal():
    """Presence counts where the protocol tells it: no request at all is not an empty one."""
    plain = parse_spec(spec_tree())

    assert plain != parse_spec(spec_tree(resourceRequests={}))
    assert plain != parse_spec(spec_tree(datumTries=4))
    assert plain == parse_spec(spec_tree(datumTries=3, salt="", parallelismSpec={"constant": 0}, datumTimeout="0s"))
    assert plain == parse_spec(spec_tree(salt=None, egress=None))


def test_egress_is_read_in_every_spelling_of_its_url():
    """The protocol says URL, some clients say url."""
    upper, lower = (parse_spec(spec_tree(egress={name: "s3://b"})) for name in ("URL", "url"))

    assert upper == lower
    assert "s3://b" == upper.to_tree()["egress"]["URL"]


def test_cross_inputs_are_sorted_by_name():
    """So the order in a spec changes nothing."""
    inputs = [{"pfs": {"repo": name, "glob": "/"}} for name in ("c", "a", "b")]
    inputs[0] = {"cross": [inputs[0], {"pfs": {"repo": "d", "glob": "/"}}]}

    spec = parse_spec(spec_tree(input={"cross": inputs}))

    assert ["a", "b", "c", "d"] == [node.name for node in pfs_inputs(spec.input)]
    assert [CrossInput, PfsInput, PfsInput, CrossInput, PfsInput, PfsInput] == [
        type(node) for node in walk_inputs(spec.input)
    ]
    assert spec == parse_spec(spec_tree(input={"cross": inputs[::-1]}))


def test_only_the_alternatives_of_a_union_may_share_a_name():
    """Each datum then has one of them."""
    a, b = ({"pfs": {"repo": repo, "name": "same", "glob": "/"}} for repo in ("a", "b"))

    assert isinstance(parse_spec(spec_tree(input={"union": [a, b]})).input, UnionInput)
    with pytest.raises(BadRequest) as error:
        parse_spec(spec_tree(input={"cross": [a, {"union": [b, a]}]}))

    assert "the name same is given to two inputs" in error.value.message


def test_a_trigger_gets_a_branch_of_its_own():
    """Numbered within the pipeline."""
    spec = parse_spec(REFUSED_LATER)

    assert isinstance(spec.input, JoinInput)
    assert {"b": "edges-trigger-1", "a": "edges-trigger-2"} == {n.name: n.branch for n in pfs_inputs(spec.input)}


def test_a_cron_input_gets_a_repo():
    """Named after the pipeline and the input."""
    node = parse_spec(CRON).input

    assert isinstance(node, CronInput)
    assert "edges_tick" == node.repo
    assert "2025-01-31T06:00:00Z" == parse_spec(CRON).to_tree()["input"]["cron"]["start"]


def test_an_input_is_read_by_itself():
    """As previews of datums do."""
    node = parse_input({"pfs": {"repo": "images", "glob": "a/"}}, project="p")

    assert [("p", "/a")] == [(leaf.project, leaf.glob) for leaf in pfs_inputs(node)]


def _pfs(**fields):
    return spec_tree(input={"pfs": {"repo": "images", "glob": "/*"} | fields})


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (spec_tree(transform={"cmdd": []}), "transform.cmdd: unknown field; did you mean cmd"),
        (spec_tree(standby=True), "standby: this field is gone; use autoscaling"),
        (_pfs(globb="/"), "input.pfs.globb: unknown field; did you mean glob"),
        (spec_tree(datumTries=1, datum_tries=1), "datum_tries: given twice"),
        (spec_tree(transform={"cmd": "sh"}), 'transform.cmd: expected a list, got the text "sh"'),
        (spec_tree(transform={"cmd": ["a", 5]}), "transform.cmd[1]: expected a text, got the number 5; put it in"),
        (spec_tree(transform={"cmd": ["a"], "env": {"A": 1}}), "transform.env.A: expected a text, got the number 1"),
        (spec_tree(transform=[]), "transform: expected an object, got a list"),
        (spec_tree(autoscaling="yes"), 'autoscaling: expected true or false, got the text "yes"'),
        (spec_tree(datumTries=True), "datumTries: expected a whole number, got true"),
        (spec_tree(datumTries="x"), "datumTries: expected a whole number"),
        (spec_tree(datumTries=2**63), "datumTries: 9223372036854775808 is out of range"),
        (spec_tree(datumTries=-1), "datumTries: it is negative"),
        (spec_tree(parallelismSpec={"constant": -1}), "parallelismSpec.constant: -1 is out of range"),
        (spec_tree(parallelismSpec={"coefficient": 1}), "parallelismSpec.coefficient: this field is gone"),
        (spec_tree(datumTimeout=30), "datumTimeout: expected a duration such as 30s"),
        (spec_tree(datumTimeout="30"), "datumTimeout: duration (30) invalid"),
        (spec_tree(jobTimeout="-1s"), "jobTimeout: it is negative"),
        (spec_tree(tolerations=[{"operator": "Exists"}]), "tolerations[0].operator: expected one of EMPTY, EXISTS"),
        (spec_tree(resourceLimits={"memory": "much"}), "resourceLimits.memory: size (much) invalid"),
        (spec_tree(podPatch="{"), "podPatch: "),
        (spec_tree(reprocessSpec="never"), "reprocessSpec: never is unknown; use until_success or every_job"),
        (spec_tree(outputBranch="a b"), "outputBranch: name (a b) invalid"),
        (spec_tree(transform={}), "nothing to run: no transform.cmd"),
        (spec_tree(transform={"cmd": ["a\0"]}), "transform.cmd[0]: it has the character NUL"),
        (spec_tree(transform={"cmd": ["a"], "env": {"A=B": "c"}}), "transform.env.A=B: no variable"),
        (spec_tree(transform={"cmd": ["a"], "workingDir": "w"}), "transform.workingDir: w is relative"),
        (spec_tree(input=None), "input: missing"),
        (spec_tree(input={}), "input: no kind of input given"),
        (spec_tree(input={"pfs": {}, "cron": {}}), "input: several kinds of input given"),
        (spec_tree(input={"cross": {}}), "input.cross: expected a list of inputs"),
        (_pfs(repo=""), "input.pfs.repo: missing"),
        (_pfs(glob=""), "input.pfs.glob: input must specify a glob"),
        (_pfs(glob="/{"), "input.pfs.glob: pattern (/{) invalid: { is not closed"),
        (_pfs(name="out"), "input.pfs.name: an input cannot be named out"),
        (_pfs(name=".env"), "input.pfs.name: an input cannot be named .env"),
        (_pfs(name="a/b"), "input.pfs.name: a/b is no name of a folder"),
        (_pfs(name=".."), "input.pfs.name: "),
        (_pfs(branch="a b"), "input.pfs.branch: name (a b) invalid"),
        (_pfs(repoType="x"), "input.pfs.repoType: repo type (x) is unknown"),
        (
            _pfs(commit="c"),
            "input.pfs.commit: input cannot come from a commit; use a branch with head pointing to the commit",
        ),
        (
            spec_tree(input={"cross": [{"pfs": {"repo": "a", "glob": "/", "lazi": 1}}]}),
            "input.cross[0].pfs.lazi: unknown field; did you mean lazy",
        ),
        (spec_tree(input={"join": [{"pfs": {"repo": "a", "glob": "/"}}]}), "input.join[0].pfs.joinOn: missing"),
        (spec_tree(input={"group": [{"pfs": {"repo": "a", "glob": "/"}}]}), "input.group[0].pfs.groupBy: missing"),
        (spec_tree(input={"cron": {"name": "a"}}), "input.cron.spec: missing"),
        (
            spec_tree(input={"cron": {"name": "a", "spec": "@daily", "start": "now"}}),
            "input.cron.start: expected a time",
        ),
        (spec_tree(salt="\ud800"), "salt: character 0 is a lone surrogate"),
    ],
)
def test_a_bad_spec_is_refused_by_the_path_of_its_field(tree, text):
    """The message begins with the field's path and is one line."""
    with pytest.raises(BadRequest) as error:
        parse_spec(tree)

    assert ErrorKind.BAD_SPEC == error.value.kind
    assert text in error.value.message
    assert error.value.message.isprintable()


def test_a_bad_pipeline_name_keeps_the_words_that_clients_know():
    """Its text comes first."""
    with pytest.raises(BadRequest) as error:
        parse_spec(spec_tree(pipeline={"name": "a b"}))

    assert ErrorKind.BAD_NAME == error.value.kind
    assert error.value.message.startswith("name (a b) invalid: only alphanumeric")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "0 specs found"),
        ("{}{}", "2 specs found"),
        ('{"pipeline": {"name": "a" "b"}}', "at line 1 column 27; mend the JSON"),
        ("a: [", "mend the YAML"),
        ("a: 1\na: 2", "the field a is given twice at line 2 column 1"),
        ('{"a": 1, "a": 2}', "the field a is given twice"),
        ("a: &a [*a]", "without so many aliases"),
        ("\x00", "mend the YAML"),
        ('{"datumTries": NaN}', "NaN is not a number"),
        ("[" * 100_000, "nested deeper than 200 levels"),
        ("x" * 1_100_000, "use at most 1048576"),
        (b"\xff", "byte 0 is not UTF-8"),
        ("!!python/object:os.system {}", "mend the YAML"),
        ("? [a]\n: b", "unhashable key at line 1 column 3"),
        ("1: b", "1: unknown field"),
        ("a: &a {<<: *a}", "a: unknown field"),
        ("a: {<<: [{b: 1, b: 2}]}", "the field b is given twice"),
        ("hello", 'expected an object, got the text "hello"'),
    ],
)
def test_a_text_that_is_no_spec_is_refused(text, expected):
    """With the place, where there is one."""
    with pytest.raises(BadRequest) as error:
        parse_spec(text)

    assert ErrorKind.BAD_SPEC == error.value.kind
    assert expected in error.value.message
    assert error.value.message.isprintable()


def test_aliases_cannot_stand_for_billions():
    """A few lines of YAML that would fill the memory are refused at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 10)]

    with pytest.raises(BadRequest) as error:
        parse_spec("\n".join(lines))

    assert "aliases" in error.value.message


def test_merges_cannot_stand_for_billions():
    """Merging multiplies as aliases do."""
    lines = ["a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{n}: &a{n} {{<<: [" + ", ".join([f"*a{n - 1}"] * 10) + "]}" for n in range(1, 10)]

    with pytest.raises(BadRequest) as error:
        parse_spec("\n".join(lines))

    assert "aliases" in error.value.message


def test_yaml_merge_keys_work():
    """An anchor that is merged may be overridden."""
    text = """
    pipeline: {name: b}
    transform: {cmd: [x], env: &env {A: "1", B: "2"}}
    metadata: {labels: {<<: *env, B: "3"}}
    input: {pfs: {repo: r, glob: /}}
    """

    metadata = parse_spec(text).metadata

    assert metadata is not None
    assert (("A", "1"), ("B", "3")) == metadata.labels


def test_a_stream_holds_several_specs():
    """JSON one after another, a JSON list, and YAML documents."""
    a, b = (json.dumps(spec_tree(pipeline={"name": name})) for name in "ab")

    for text in (a + "\n" + b, f"[{a},{b}]", f"---\n{a}\n---\n{b}\n...\n"):
        assert ["a", "b"] == [spec.name for spec in parse_specs(text)]
    assert () == parse_specs("")


def test_an_error_in_a_stream_says_in_which_spec():
    """Counted from 1."""
    text = json.dumps(spec_tree()) + json.dumps(spec_tree(transform={}))

    with pytest.raises(BadRequest) as error:
        parse_specs(text)

    assert "(spec 2 of 2)" in error.value.message


def test_the_key_of_editors_is_dropped():
    """$schema says where the JSON schema is."""
    assert parse_spec(spec_tree()) == parse_spec({"$schema": "https://example.com"} | spec_tree())


@pytest.mark.parametrize(
    ("tree", "field"),
    [
        (spec_tree(s3Out=True), "s3Out"),
        (spec_tree(service={}), "service"),
        (spec_tree(input=None, spout={}), "spout"),
        (spec_tree(egress={}), "egress"),
        (spec_tree(tfJob={"tfJob": "x"}), "tfJob"),
        (spec_tree(determined={}), "determined"),
        (_pfs(s3=True), "input.pfs (name images).s3"),
        (REFUSED_LATER, "service"),
    ],
)
def test_what_would_silently_run_otherwise_is_refused_by_name(tree, field):
    """The spec is good, but not for this version; the message names the field and another way."""
    spec = parse_spec(tree)

    with pytest.raises(Unsupported) as error:
        require_supported(spec)

    assert ErrorKind.UNSUPPORTED == error.value.kind
    assert error.value.message.startswith(f"{field}: ")
    assert ";" in error.value.message


@pytest.mark.parametrize("tree", [spec_tree(), FULL, spec_tree(input={"cross": [spec_tree()["input"]]})])
def test_fields_that_only_place_the_work_are_kept(tree):
    """Resources, scheduling and the like change no result: they are kept and shown."""
    require_supported(parse_spec(tree))


@pytest.mark.parametrize(
    "text", ['{"a":' * 150, "{a: " * 150, "- " * 500_000, "? " * 500_000, "a: " * 300, "&a " * 1000]
)
def test_a_strange_text_is_refused_and_nothing_worse(text):
    """Neither the parsers nor the reader run out of their stack."""
    with pytest.raises(HowdahError):
        parse_spec(text)
