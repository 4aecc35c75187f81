# SPDX-License-Identifier: Apache-2.0
"""`diff file` as text, `delete file` by patterns, `list file` in pages and through history."""

import pytest

from howdah.cli.text_diff import TEXT_BYTES_MAX


@pytest.fixture
def put(howdah, repo, tmp_path):
    """Puts a file, as a commit of its own."""

    def call(path, data):
        (tmp_path / "data").write_bytes(data)
        assert 0 == howdah("put", "file", f"{repo}@master:{path}", "-f", str(tmp_path / "data"), "-q").code

    return call


def lines(count, changed=()):
    return b"".join(b"line %d%s\n" % (n, b" new" if n in changed else b"") for n in range(1, count + 1))


def test_lines_that_differ_are_shown_with_those_around_them(howdah, repo, put):
    """With their numbers, however far down they are."""
    put("/a", lines(2000))
    put("/a", lines(2000, changed=(1500,)))

    shown = howdah("diff", "file", f"{repo}@master").out.splitlines()

    assert ["--- a/a", "+++ b/a", "@@ -1497,7 +1497,7 @@"] == shown[:3]
    assert [" line 1499", "-line 1500", "+line 1500 new", " line 1501"] == shown[5:9]
    assert 11 == len(shown)


def test_new_and_removed_files_are_shown_whole(howdah, repo, put):
    """Beside /dev/null; between two places too."""
    put("/x/a", b"1\n2")
    put("/y/b", b"2\n")

    assert ["--- /dev/null", "+++ b/y/b", "@@ -0,0 +1,1 @@", "+2"] == [
        line.replace("+1 @@", "+1,1 @@") for line in howdah("diff", "file", f"{repo}@master").out.splitlines()
    ]
    both = howdah("diff", "file", f"{repo}@master:/y", f"{repo}@master:/x").out.splitlines()
    assert {"--- a/x/a", "+++ b/y/b", "-2 (no newline at the end)"} <= set(both)


def test_what_is_no_text_or_too_large_is_only_named(howdah, repo, put):
    """With the sizes before and now."""
    put("/binary", b"\0\1")
    assert (
        "binary files /dev/null and b/binary differ: none before, 2B now\n"
        == howdah("diff", "file", f"{repo}@master").out
    )
    put("/large", b"x" * (TEXT_BYTES_MAX + 1))
    assert "too large to show as text" in howdah("diff", "file", f"{repo}@master").out
    put("/many", lines(6000))
    assert "differ in more than 5000 lines" in howdah("diff", "file", f"{repo}@master").out


def test_colours_are_for_terminals(howdah, repo, put):
    """Unless they are asked for."""
    put("/a", b"1\n")

    assert "\033" not in howdah("diff", "file", f"{repo}@master").out
    assert "\033[32m+1\033[0m" in howdah("diff", "file", f"{repo}@master", "--color", "always").out


def test_a_diff_for_programs_is_pairs(howdah, repo, put):
    """Of directories too, as in the table."""
    put("/a", b"1\n")

    pairs = howdah("diff", "file", f"{repo}@master", "-o", "json").json

    assert [("/", None), ("/a", None)] == [(pair["new"]["path"], pair["old"]) for pair in pairs]


def test_files_are_deleted_by_patterns(howdah, repo, put):
    """Directories only with -r; a dry run shows them and removes nothing."""
    for path in ("/a.tmp", "/b.tmp", "/c", "/d/e.tmp"):
        put(path, b"1")

    dry = howdah("delete", "file", f"{repo}@master:/**.tmp", "--dry-run", "-o", "json")
    assert ["/a.tmp", "/b.tmp", "/d/e.tmp"] == [each["path"] for each in dry.json]
    assert 2 == howdah("delete", "file", f"{repo}@master:/*").code
    assert 4 == len(howdah("glob", "file", f"{repo}@master:/**", "-o", "json").json) - 1
    assert 0 == howdah("delete", "file", f"{repo}@master:/*.tmp", f"{repo}@master:/d", "-r").code
    assert ["/c"] == [each["path"] for each in howdah("list", "file", f"{repo}@master", "-o", "json").json]
    assert 3 == howdah("delete", "file", f"{repo}@master:/*.tmp").code
    assert 2 == howdah("delete", "file", f"{repo}@master:/c", f"{repo}@master^:/c").code


def test_files_are_listed_in_pages(howdah, repo, put):
    """Forwards and backwards."""
    for path in ("/a", "/b", "/c"):
        put(path, b"1")

    def paths(*words):
        return [each["path"] for each in howdah("list", "file", f"{repo}@master", "-o", "json", *words).json]

    assert ["/b", "/c"] == paths("--after", "/a", "-n", "5")
    assert ["/c", "/b"] == paths("--reverse", "-n", "2")
    assert 2 == howdah("list", "file", f"{repo}@master", "--reverse").code
    assert 1 == len(howdah("glob", "file", f"{repo}@master:/*", "-n", "1", "-o", "json").json)


def test_a_file_has_a_history(howdah, repo, put):
    """The commits that changed it, the newest first, as many as are asked for."""
    put("/a", b"1")
    put("/b", b"1")
    put("/a", b"22")
    howdah("delete", "file", f"{repo}@master:/a")

    sizes = [line.split()[-2] for line in howdah("list", "file", f"{repo}@master:/a", "--history").out.splitlines()]

    assert ["SIZE", "removed", "2B", "1B"] == sizes
    assert 1 == len(howdah("list", "file", f"{repo}@master:/a", "--history", "-n", "1", "-o", "json").json)
