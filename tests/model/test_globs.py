# SPDX-License-Identifier: Apache-2.0
"""Patterns against a slow, obvious matcher, against `re` and against RE2."""

import re
import time
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.errors import BadRequest, ErrorKind
from howdah.model.globs import Glob, escape
from howdah.storage.glob_columns import captures, filled

_GROUPS = ["braces", "group", "@", "?", "*", "+", "!"]

# A pattern as nested tuples, to be written as text and to be matched by the slow matcher below.
_characters = st.sampled_from("ab*?[]{}()\\!+@,|-^.é")
_leaf = st.one_of(
    st.tuples(st.just("text"), st.text("ab/.é", min_size=1, max_size=3)),
    st.tuples(st.just("special"), _characters),
    st.just(("one",)),
    st.just(("star",)),
    st.just(("stars",)),
    st.tuples(st.just("class"), st.booleans(), st.text("abcé]-^!", min_size=1, max_size=3)),
    st.tuples(st.just("range"), st.booleans(), st.just("a"), st.just("c")),
)
_tree = st.recursive(
    st.lists(_leaf, max_size=4),
    lambda inner: st.lists(
        st.one_of(_leaf, st.tuples(st.sampled_from(_GROUPS), st.lists(inner, min_size=2, max_size=3))),
        max_size=4,
    ),
    max_leaves=8,
)
_names = st.text("abcé*]-^!.", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
_paths = st.lists(_names, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))


def _written(tree) -> str:
    out = ""
    for node in tree:
        match node:
            case ("text", text):
                out += text
            case ("special", c):
                out += "\\" + c
            case ("one",):
                out += "?"
            case ("star",):
                out += "*"
            case ("stars",):
                out += "**"
            case ("class", negated, members):
                out += "[" + "!" * negated + "".join("\\" + c for c in members) + "]"
            case ("range", negated, low, high):
                out += f"[{'^' * negated}{low}-{high}]"
            case ("braces", options):
                out += "{" + ",".join(map(_written, options)) + "}"
            case ("group", options):
                out += "(" + "|".join(map(_written, options)) + ")"
            case (operator, options):
                out += operator + "(" + "|".join(map(_written, options)) + ")"
    return out


def _ends(tree, text: str, start: int) -> set[int]:
    """Every place at which a match of `tree` that begins at `start` can end."""
    ends = {start}
    for node in tree:
        ends = {end for at in ends for end in _node_ends(node, text, at)}
    return ends


def _node_ends(node, text: str, at: int) -> set[int]:
    c = text[at : at + 1]
    match node:
        case ("text" | "special", literal):
            return {at + len(literal)} if text.startswith(literal, at) else set()
        case ("one",):
            return {at + 1} if c and c != "/" else set()
        case ("star",):
            return {end for end in range(at, len(text) + 1) if "/" not in text[at:end]}
        case ("stars",):
            return set(range(at, len(text) + 1))
        case ("class", negated, members):
            return {at + 1} if c and c != "/" and (c in members) != negated else set()
        case ("range", negated, low, high):
            return {at + 1} if c and c != "/" and (low <= c <= high) != negated else set()
        case ("!", options):
            tops = {end for option in options for end in _ends(option, text, at)}
            return {end for end in range(at, len(text) + 1) if "/" not in text[at:end]} - tops
        case ("?", options):
            return {at} | {end for option in options for end in _ends(option, text, at)}
        case ("*" | "+" as operator, options):
            found, fresh = set(), {at}
            while fresh:
                fresh = {end for begin in fresh for option in options for end in _ends(option, text, begin)} - found
                found |= fresh
            return found | {at} if operator == "*" else found
        case (_, options):
            return {end for option in options for end in _ends(option, text, at)}
    raise AssertionError(node)


def _has_stars_together(tree) -> bool:
    stars = [node[0] in ("star", "stars") for node in tree]
    inner = [option for node in tree if node[0] in _GROUPS for option in node[1]]
    return any(a and b for a, b in pairwise(stars)) or any(map(_has_stars_together, inner))


def _has_operator_by_chance(tree) -> bool:
    """Whether a star or a question mark stands before a parenthesis that is not its own."""
    inner = [option for node in tree if node[0] in _GROUPS for option in node[1]]
    chance = any(a[0] in ("star", "stars", "one") and b[0] == "group" for a, b in pairwise(tree))
    return chance or any(map(_has_operator_by_chance, inner))


def _is_usable(tree, text: str) -> bool:
    # The slow matcher does not clean, and the tree may put another pattern together by chance.
    if _has_stars_together(tree) or _has_operator_by_chance(tree):
        return False
    unescaped = re.sub(r"\\.", "x", text)
    return (
        not unescaped.endswith("/")
        and "//" not in unescaped
        and not re.search(r"/\.{1,2}(?:/|$)|^\.{1,2}(?:/|$)|\*{3}", "/" + unescaped)
    )


def _example(draw, tree) -> str:
    """A text that the tree matches."""
    out = ""
    for node in tree:
        match node:
            case ("text" | "special", literal):
                out += literal
            case ("one",):
                out += draw(st.sampled_from("ab*]é"))
            case ("star",):
                out += draw(st.text("ab.é", max_size=3))
            case ("stars",):
                out += draw(st.text("ab/é", max_size=4))
            case ("class", False, members):
                out += draw(st.sampled_from(members))
            case ("class", True, members):
                out += draw(st.sampled_from("xyz"))
            case ("range", negated, _, _):
                out += draw(st.sampled_from("xyz" if negated else "abc"))
            case ("?" | "*" | "+" as operator, options):
                least, most = {"?": (0, 1), "*": (0, 3), "+": (1, 3)}[operator]
                times = draw(st.integers(least, most))
                out += "".join(_example(draw, draw(st.sampled_from(options))) for _ in range(times))
            case (_, options):
                out += _example(draw, draw(st.sampled_from(options)))
    return out


def _has_not(tree) -> bool:
    inner = [option for node in tree if node[0] in _GROUPS for option in node[1]]
    return any(node[0] == "!" for node in tree) or any(map(_has_not, inner))


def _re2(regex: str, path: str) -> bool:
    return pc.match_substring_regex(pa.array([path]), regex)[0].as_py()


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(_tree, _paths)
def test_a_glob_matches_what_the_slow_matcher_matches(tree, path):
    """`matches`, and its regular expression in `re` and in RE2, all agree with a matcher that tries everything."""
    text = "/" + _written(tree)
    if not _is_usable(tree, text[1:]) or text.startswith("//") or text == "/":
        return
    expected = len(path) in _ends([("text", "/"), *tree], path, 0)

    glob = Glob.parse(text)

    assert expected == glob.matches(path)
    assert _has_not(tree) != glob.regex_is_exact
    if glob.regex_is_exact or expected:
        assert expected == (re.search(glob.regex, path) is not None)
        assert expected == _re2(glob.regex, path)
    assert expected == (glob.captures(path) is not None)
    assert not expected or path.startswith(glob.prefix)
    assert not expected or glob.depth in (None, path.count("/"))
    assert glob.literal is None or expected == (path == glob.literal)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(_tree, st.data())
def test_a_path_made_after_a_pattern_matches_it(tree, data):
    """What each part of the pattern allows, put together, is a match."""
    text = "/" + _written(tree)
    path = "/" + _example(data.draw, tree)
    if not _is_usable(tree, text[1:]) or text.startswith("//") or "//" in path or path.endswith("/"):
        return
    if _has_not(tree):
        return  # what must not be cannot be made from what it is written with

    glob = Glob.parse(text)

    assert glob.matches(path)
    assert re.search(glob.regex, path) is not None
    assert _re2(glob.regex, path)
    assert path.startswith(glob.prefix)
    assert glob.depth in (None, path.count("/"))
    assert glob.literal in (None, path)


@given(_paths)
def test_an_escaped_path_matches_itself_alone(path):
    """escape() takes the meaning from every special character."""
    glob = Glob.parse(escape(path))

    assert path == glob.literal
    assert glob.matches(path)
    assert not glob.matches(path + "x")


@given(_tree)
def test_a_pattern_that_was_cleaned_is_left_alone(tree):
    """A spec keeps the clean pattern, which must read back as the same one."""
    try:
        once = Glob.parse(_written(tree))
    except BadRequest:
        return

    assert once == Glob.parse(once.pattern)
    assert once.regex == Glob.parse(once.pattern).regex


@pytest.mark.parametrize(
    ("pattern", "clean", "literal", "prefix", "depth"),
    [
        ("", "/", "/", "/", 0),
        ("/", "/", "/", "/", 0),
        ("a//b/", "/a/b", "/a/b", "/a/b", 2),
        ("/*", "/*", None, "/", 1),
        ("/**", "/**", None, "/", None),
        ("/a/b*", "/a/b*", None, "/a/b", 2),
        ("/a\\*b", "/a\\*b", "/a*b", "/a*b", 1),
        ("/a\\//", "/a", "/a", "/a", 1),
        ("/{a,b}/c", "/{a,b}/c", None, "/", 2),
        ("/{a,b/c}", "/{a,b/c}", None, "/", None),
        ("{a}b", "/{a}b", "/ab", "/ab", 1),
        ("/a+b@c!d,e|f^g", "/a+b@c!d,e|f^g", "/a+b@c!d,e|f^g", "/a+b@c!d,e|f^g", 1),
    ],
)
def test_a_glob_knows_its_parts(pattern, clean, literal, prefix, depth):
    """The parts by which a scan is bounded."""
    glob = Glob.parse(pattern)

    assert (clean, literal, prefix, depth) == (glob.pattern, glob.literal, glob.prefix, glob.depth)


@pytest.mark.parametrize("pattern", ["/*", "/**", "/(*)", "/{,a}", "/?", "/{*,**}"])
def test_only_the_root_pattern_matches_the_root(pattern):
    """A pattern with a star below the root never means the root itself."""
    glob = Glob.parse(pattern)

    assert not glob.matches("/")
    assert re.search(glob.regex, "/") is None
    assert Glob.parse("/").matches("/")


def test_parentheses_capture():
    """A plain group is a capturing group of the regular expression, counted from the left."""
    glob = Glob.parse("/(*)-(a|b).txt")

    found = re.search(glob.regex, "/x-y-b.txt")

    assert found is not None
    assert ("x-y", "b") == found.groups()


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("/?(a|b)c", ["/ac", "/bc", "/c"], ["/abc", "/aac"]),
        ("/*(ab|c)", ["/ab", "/abc", "/ccab"], ["/a", "/ba"]),
        ("/+(ab|c)d", ["/abd", "/cabcd"], ["/d"]),
        ("/@(a|b)", ["/a", "/b"], ["/ab", "/c"]),
        ("/!(a|b*)", ["/c", "/ab", "/aa"], ["/a", "/b", "/bc"]),
        ("/!(*.txt).gz", ["/a.gz", "/.gz"], ["/a.txt.gz", "/a/b.gz"]),
        ("/x!(y)", ["/x", "/xx", "/xyy"], ["/xy"]),
        ("/**/!(b)", ["/a/c", "/a/b/c"], ["/a/b", "/b"]),
        ("/!(!(a))", ["/a"], ["/b", "/aa"]),
        ("/*(@(a)+(b))", ["/ab", "/abbab"], ["/a", "/ba"]),
        ("/**(a)", ["/a", "/aa", "/xaa", "/b"], ["/b/a"]),
        ("/a(b/c)/d", ["/ab/c/d"], ["/ab", "/ab/d"]),
        ("/[[:digit:]_]", ["/7", "/_"], ["/a", "/77", "/:"]),
        ("/[![:alpha:]]", ["/1", "/é"], ["/a", "/Z"]),
        ("/[[:space:][:upper:]]", ["/ ", "/Q"], ["/q"]),
        ("/{a,b{c,{d,e}f}}", ["/a", "/bc", "/bdf", "/bef"], ["/b", "/bf"]),
        ("/\\!(a)", ["/!a"], ["/b"]),
        ("/a+b@c", ["/a+b@c"], ["/aab@c"]),
    ],
)
def test_extended_patterns_match(pattern, good, bad):
    """Operators before parentheses, named classes, and what only looks like one."""
    glob = Glob.parse(pattern)

    assert good == [path for path in good + bad if glob.matches(path)]
    assert good == [path for path in good + bad if glob.captures(path) is not None]


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/(*)-(a|b).txt", "/x-y-b.txt", ("x-y", "b")),
        ("/(*)/(**)", "/a/b/c", ("a", "b/c")),
        ("/*(a|b)*", "/abax", ("aba",)),
        ("/?(a)b", "/b", ("",)),
        ("/+(a(?)|b)", "/axb", ("axb", "x")),
        ("/((a)|(b))", "/b", ("b", "", "b")),
        ("/!(a).(*)", "/b.c.d", ("b.c", "d")),
        ("/{(a),(b)}c", "/bc", ("", "b")),
        ("/*", "/a", ()),
        ("/a", "/a", ()),
        ("/(a)", "/b", None),
        ("/(a)", "/", None),
    ],
)
def test_groups_capture_what_they_matched(pattern, path, expected):
    """Counted from the left; a star takes as much as it can, and what took no part is empty."""
    assert expected == Glob.parse(pattern).captures(path)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(_tree, st.data())
def test_captures_are_those_of_re2(tree, data):
    """One path in Python, or a column in RE2: the same groups, where a repeated pattern cannot be empty."""
    text = "/" + _written(tree)
    if not _is_usable(tree, text[1:]) or text.startswith("//") or _has_not(tree) or _repeats_the_empty(tree):
        return
    path = "/" + _example(data.draw, tree)
    glob = Glob.parse(text)

    columns = captures(pa.array([path, "/no/such/thing/\u1234"]), glob)

    if path != "/" and not path.endswith("/") and "//" not in path:
        assert glob.captures(path) == tuple(column[0].as_py() for column in columns)


def _repeats_the_empty(tree) -> bool:
    inner = [option for node in tree if node[0] in _GROUPS for option in node[1]]
    empty = any(0 in _ends(option, "", 0) for node in tree if node[0] in ("*", "+", "?") for option in node[1])
    return empty or any(map(_repeats_the_empty, inner))


@pytest.mark.parametrize("pattern", ["/(*)-(?).txt", "/!(b)-(?).txt"])
def test_a_column_of_paths_is_captured_at_once(pattern):
    """Also where RE2 cannot say the pattern; what does not match is null."""
    paths = pa.array(["/a-1.txt", "/b", "/a-2.txt"])
    glob = Glob.parse(pattern)

    assert [["a", None, "a"], ["1", None, "2"]] == [column.to_pylist() for column in captures(paths, glob)]
    assert ["1/a$", None, "2/a$"] == filled(paths, glob, glob.template("$2/${1}$$")).to_pylist()
    assert ["", None, ""] == filled(paths, glob, glob.template("")).to_pylist()
    assert [None, "x", None] == filled(paths, Glob.parse("/b"), Glob.parse("/b").template("x")).to_pylist()


@pytest.mark.parametrize(("text", "there"), [("$3", "$1 to $2"), ("a${0}", "$1 to $2"), ("$12", "$1 to $2")])
def test_a_template_refers_to_groups_that_are_there(text, there):
    """Another number is refused, and the error says which there are."""
    with pytest.raises(BadRequest) as error:
        Glob.parse("/(a)(b)").template(text)

    assert ErrorKind.BAD_PATTERN == error.value.kind
    assert there in error.value.message


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("/a{b", "{ is not closed (character 3)"),
        ("/a(b", "( is not closed (character 3)"),
        ("/a[b", "[ is not closed (character 3)"),
        ("/a[]", "[ is not closed (character 3)"),
        ("/a}", "} closes nothing (character 3)"),
        ("/a)", ") closes nothing (character 3)"),
        ("/a]", "] closes nothing (character 3)"),
        ("/ab\\", "\\ stands at the end (character 4)"),
        ("/[c-a]", "the range runs backwards (character 3)"),
        ("/[a/b]", "no class matches a slash (character 4)"),
        ("/[[:letter:]]", "the class [:letter:] is unknown (character 3)"),
        ("/[[.a.]]", "collating elements are not supported (character 3)"),
        ("/a/../b", "no path has the component .. (character 4)"),
        ("/.x/.", "no path has the component . (character 5)"),
        ("/{}", "nothing is between { and } (character 2)"),
        ("/a\x07", "U+0007 is in no path (character 3)"),
        ("/\ud800", "U+D800 is in no path (character 2)"),
        ("/" + "{a," * 60 + "}" * 60, "it nests deeper than 50"),
        ("/" + "a" * 20_000, "it has 20001 characters"),
    ],
)
def test_a_bad_pattern_is_refused_with_its_place(pattern, text):
    """The error names what is wrong and which character, on one line, with a way out."""
    with pytest.raises(BadRequest) as error:
        Glob.parse(pattern)

    assert ErrorKind.BAD_PATTERN == error.value.kind
    assert text in error.value.message
    assert ";" in error.value.message
    assert error.value.message.isprintable()


@pytest.mark.parametrize(
    "pattern",
    [
        "/" + "*a" * 40 + "b",
        "/" + "{a,a*}" * 40 + "b",
        "/" + "**a" * 40 + "/b",
        "/" + "*(a|aa)" * 20 + "b",
        "/" + "!(*a*)" * 9 + "b",
    ],
)
def test_a_hostile_pattern_takes_no_time(pattern):
    """Matching is linear in the path; a matcher that goes back would not end."""
    glob = Glob.parse(pattern)
    path = "/" + "a" * 255
    before = time.process_time()

    assert not glob.matches(path)
    assert glob.captures(path) is None

    assert time.process_time() - before < 2
