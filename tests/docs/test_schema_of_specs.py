# SPDX-License-Identifier: Apache-2.0
"""Every spec that pages and examples show is one by the schema that editors are given."""

import re
from pathlib import Path

import jsonschema
import pytest

from howdah.model.spec.schema import spec_schema
from howdah.model.spec.text import documents

ROOT = Path(__file__).resolve().parents[2]
HERE = re.compile(r"cat > \S+\.(?:yaml|json) <<'?END'?\n(.*?)^(?:> )?END$", re.DOTALL | re.MULTILINE)
VALIDATOR = jsonschema.Draft7Validator(spec_schema())


def is_spec(tree):
    return isinstance(tree, dict) and "pipeline" in tree and "createPipelineRequest" not in tree


def specs_of(path):
    """The specs in a file: all of it, or those that a page has typed in."""
    text = path.read_text()
    parts = [text]
    if path.suffix == ".md":
        parts = [re.sub("^> ?", "", part, flags=re.MULTILINE) for part in HERE.findall(text)]
    return [tree for part in parts for tree in documents(part) if is_spec(tree)]


FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FILES += sorted(path for kind in ("yaml", "json") for path in (ROOT / "examples").rglob(f"*.{kind}"))
SPECS = [(path, tree) for path in FILES for tree in specs_of(path)]


@pytest.mark.parametrize(("path", "tree"), SPECS, ids=lambda each: each.name if isinstance(each, Path) else "")
def test_a_shown_spec_is_one_by_the_schema(path, tree):
    """The wrong ones that pages show are wrong in what they mean, which no schema tells."""
    VALIDATOR.validate(tree)


def test_pages_and_examples_show_specs():
    """Or nothing would be tried."""
    assert {"README.md", "specs.md", "pipelines.md", "edges.yaml"} <= {path.name for path, _ in SPECS}
