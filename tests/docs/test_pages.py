# SPDX-License-Identifier: Apache-2.0
"""What `docs/` shows is what happens: each page that has examples is typed in, and every link leads somewhere."""

import re

import pytest

from tests.docs.pages import Page, Shell, like, run_page
from tests.house.house import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
EXAMPLES = [page for page in PAGES if re.search(r"^```(console|sh|python)$", page.read_text(), re.MULTILINE)]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture
def shell(tmp_path):
    opened = Shell(tmp_path, {}, {})
    yield opened
    opened.close()


@pytest.mark.slow
@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_do_what_it_says(page, tmp_path):
    """`python -m tests.docs.pages docs/x.md` writes into the page what was really printed."""
    wrong, _ = run_page(page, tmp_path)

    assert [] == wrong


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: str(page.name))
def test_every_link_leads_somewhere(page):
    """Files and folders that a page points to are there."""
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]

    assert [] == [link for link in links if not (page.parent / link).exists()]


def test_the_index_names_every_page():
    """A page that docs/README.md does not name is not found."""
    named = set(LINK.findall((DOCS / "README.md").read_text()))

    assert [] == [page.name for page in PAGES if page.name not in named | {"README.md"}]


@pytest.mark.parametrize(
    ("expected", "printed", "alike"),
    [
        ("a  b\n", "a b\n", True),
        ("made 3 seconds ago\n", "made now\n", True),
        ("took 0.2s at 2026-01-01 10:00:00 UTC\n", "took 12.5s at 2027-01-01 10:00:01 UTC\n", True),
        ("a … c\n", "a b b c\n", True),
        ("a\n…\nc\n", "a\nb\nb\nc\n", True),
        ("", "", True),
        ("a\n", "b\n", False),
        ("a\n", "a\nb\n", False),
        ("", "a\n", False),
        ("2 files\n", "3 files\n", False),
    ],
)
def test_only_what_differs_in_each_run_may_differ(expected, printed, alike):
    """Ages, times and spans are any of their kind; `…` is anything."""
    assert alike == like(expected, printed)


def test_an_id_of_a_page_stands_for_one_id(shell):
    """It is replaced where it is typed again, and another one in its place is wrong."""
    one, other = "a" * 32, "b" * 32
    printed = f"```console\n$ echo {'c' * 31}$((4+4))\n{one}\n$ echo {one}\n{one}\n$ echo {other}\n{one}\n```\n"

    wrong, _ = Page(printed).run(shell)

    assert [f"echo {other}\n"] == [each.typed for each in wrong]


def test_a_page_is_written_with_what_was_printed(shell):
    """Only where it was wrong; a command that fails is wrong too unless the page shows it."""
    console = "```console\n$ x=1\n$ cat <<END\n> $x\n> END\n2\n$ echo …\n…\n$ false\n```\n"
    page = f"{console}\n```sh\n(exit 3)\ntrue\n```\n"

    wrong, text = Page(page).run(shell)

    assert page.replace("END\n2\n", "END\n1\n") == text
    assert [("cat <<END\n$x\nEND\n", 0), ("false\n", 1), ("(exit 3)\ntrue\n", 3)] == [
        (each.typed, each.code) for each in wrong
    ]
