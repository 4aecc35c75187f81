# SPDX-License-Identifier: Apache-2.0
"""Files that are put as many: where records end, what stands in each piece, and that pieces stay the same."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.client import Split
from howdah.client.records import RECORD_BYTES_MAX, csv_rows, json_values, lines
from howdah.client.sql_dump import sections
from howdah.errors import BadRequest, ErrorKind, Refused

DUMP = b"""-- a dump
CREATE TABLE people (id int, name text);
COPY people (id, name) FROM stdin;
1\tana
2\tbob
\\.
COPY pets (name) FROM stdin;
rex
\\.
ALTER TABLE people ADD PRIMARY KEY (id);
"""


def in_pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


def below(client, repo, path="/t"):
    return {
        info.name: client.get_file(f"{repo}@master", info.path) for info in client.list_files(f"{repo}@master", path)
    }


@given(st.binary(max_size=200), st.integers(1, 9))
def test_lines_together_are_the_file(data, size):
    """Whatever the bytes and however they come; each line but the last ends in a newline."""
    found = list(lines(in_pieces(data, size)))

    assert data == b"".join(found)
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in found[:-1])


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_row_of_csv_may_have_newlines_between_quotes(size):
    """Only a newline outside of quotes ends a row."""
    rows = [b"name,text\r\n", b'ana,"one\ntwo ""quoted""\n"\n', b"bob,\n", b"cy,last"]

    assert rows == list(csv_rows(in_pieces(b"".join(rows), size)))


def test_a_quote_that_is_not_closed_is_told_with_its_row():
    """It would swallow the rest of the file."""
    with pytest.raises(BadRequest, match="row 2 of the CSV"):
        list(csv_rows([b'a,b\nc,"d\ne,f\n']))


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_json_values_need_no_lines(size):
    """They may stand on lines, over lines, or one right after the other; a number ends where no digit follows."""
    data = ' {"a": [1,\n 2]}{"b":"}\\""}\n12 34 "ü"null'.encode()

    found = list(json_values(in_pieces(data, size)))

    assert [b'{"a": [1,\n 2]}\n', b'{"b":"}\\""}\n', b"12\n", b"34\n", '"ü"\n'.encode(), b"null\n"] == found


@pytest.mark.parametrize("data", [b'{"a": }', b'{"a": 1', b'{"a": 1} x', b'"\xff"', b"[" * 100_000])
def test_what_is_no_json_is_refused(data):
    """With the number of the value that is not one."""
    with pytest.raises(BadRequest, match="value"):
        list(json_values([data]))


def test_a_record_has_a_limit():
    """A file that is no text does not fill the memory."""
    endless = (b"x" * (1 << 20) for _ in range((RECORD_BYTES_MAX >> 20) + 2))

    with pytest.raises(BadRequest, match="64 MiB"):
        list(lines(endless))


@pytest.mark.parametrize("source", [DUMP, io.BytesIO(DUMP), in_pieces(DUMP, 5)], ids=["bytes", "file", "pieces"])
def test_each_piece_of_a_dump_is_a_dump(source):
    """All text but the rows of other pieces is in it, in its order."""
    found = [(header, footer, list(rows)) for header, footer, rows in sections(source)]

    create, alter = b"-- a dump\nCREATE TABLE people (id int, name text);\n", DUMP.splitlines(keepends=True)[-1]
    assert [
        (create + b"COPY people (id, name) FROM stdin;\n", b"\\.\n" + alter, [b"1\tana\n", b"2\tbob\n"]),
        (create + b"COPY pets (name) FROM stdin;\n", b"\\.\n" + alter, [b"rex\n"]),
    ] == found


@pytest.mark.parametrize("dump", [b"INSERT INTO people VALUES (1);\n", DUMP[:90]], ids=["no-copy", "cut-off"])
def test_a_dump_without_whole_blocks_is_refused(dump):
    """Its rows could not be told from its text."""
    with pytest.raises(BadRequest, match="COPY block"):
        list(sections(dump))


def test_each_record_is_a_file_with_the_header(client, repo):
    """Names are numbers in order."""
    done = client.put_split(f"{repo}@master", "/t", b"id\n1\n2\n", Split("csv", header_records=1))

    assert (2, 10) == done[:2]
    assert {"0000000000000000": b"id\n1\n", "0000000000000001": b"id\n2\n"} == below(client, repo)


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (Split("line", target_records=2), [b"a\nb\n", b"c\nd\n", b"e"]),
        (Split("line", target_bytes=3), [b"a\nb\n", b"c\nd\n", b"e"]),
        (Split("line", target_records=4, target_bytes=5), [b"a\nb\nc\n", b"d\ne"]),
    ],
)
def test_records_go_together_up_to_a_target(client, repo, split, expected):
    """By number, by bytes, or whichever comes first."""
    client.put_split(f"{repo}@master", "/t", b"a\nb\nc\nd\ne", split)

    assert expected == list(below(client, repo).values())


def test_a_line_more_is_one_new_file(client, repo):
    """All other files are as they were, so that only one datum is new."""
    client.put_split(f"{repo}@master", "/t", b"a\nb\n", Split("line"))
    client.put_split(f"{repo}@master", "/t", b"a\nb\nc\n", Split("line"))

    changed = [pair.new.path for pair in client.diff_files(f"{repo}@master:/t") if not pair.new.is_dir]

    assert ["/t/0000000000000002"] == changed


def test_a_shorter_file_takes_pieces_away(client, repo):
    """What is at the path is replaced as a whole, be it a directory or a file."""
    client.put_file(f"{repo}@master", "/t", b"whole")
    client.put_split(f"{repo}@master", "/t", b"a\nb\nc\n", Split("line"))
    client.put_split(f"{repo}@master", "/t", b"a\n", Split("line"))

    assert {"0000000000000000": b"a\n"} == below(client, repo)


def test_appended_pieces_go_on_with_the_numbers(client, repo):
    """Those that are there stay; without any, or without the branch, they begin at 0."""
    for text in (b"a\nb\n", b"c\n"):
        client.put_split(f"{repo}@master", "/t", text, Split("line"), append=True)

    assert [f"{n:016x}" for n in range(3)] == list(below(client, repo))
    client.put_file(f"{repo}@master", "/f", b"")
    with pytest.raises(Refused) as error:
        client.put_split(f"{repo}@master", "/f", b"c\n", Split("line"), append=True)
    assert ErrorKind.NOT_A_FILE == error.value.kind


def test_a_piece_of_any_size_is_one_file(client, repo):
    """What is over a MiB goes as a stream, with its header and all its records."""
    data = b"head\n" + b"".join(b"%06d\n" % n for n in range(300_000))

    client.put_split(f"{repo}@master", "/t", data, Split("line", header_records=1, target_bytes=3 << 19))

    found = list(below(client, repo).values())
    assert data == found[0] + found[1].removeprefix(b"head\n")


def test_a_source_that_cannot_be_split_changes_nothing(client, repo):
    """What was there stays."""
    client.put_split(f"{repo}@master", "/t", b"1\n", Split("json"))

    with pytest.raises(BadRequest):
        client.put_split(f"{repo}@master", "/t", b"1\n{", Split("json"))

    assert {"0000000000000000": b"1\n"} == below(client, repo)


@pytest.mark.parametrize(
    "wrong", [{"format": "xml"}, {"format": "csv", "header_records": -1}, {"format": "sql", "header_records": 1}]
)
def test_a_split_that_makes_no_sense_is_refused(wrong):
    """Before anything is read."""
    with pytest.raises(BadRequest):
        Split(**wrong)
