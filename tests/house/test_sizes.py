# SPDX-License-Identifier: Apache-2.0
"""The size budget: rooms that can be seen from the door. Aim far below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.house.house import python_files, shown

MODULE_LINES = 600  # aim: 200
FUNCTION_LINES = 70  # aim: 20


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file, nested ones too, with its lines from `def` to the end, docstring not counted."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1 - docstring_lines(node)


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if ast.get_docstring(node) is None or first.end_lineno is None:
        return 0
    return first.end_lineno - first.lineno + 1


def test_no_module_is_longer_than_a_sitting():
    """Every file fits in 600 lines; split by meaning, not by scissors."""
    lengths = {shown(path): len(path.read_text().splitlines()) for path in python_files()}

    too_long = {name: lines for name, lines in lengths.items() if lines > MODULE_LINES}

    assert {} == too_long


def test_no_function_is_longer_than_a_screen():
    """Every function fits in 70 lines; its docstring is not counted."""
    functions = [(shown(path), name, lines) for path in python_files() for name, lines in functions_of(path)]

    too_long = [each for each in functions if each[2] > FUNCTION_LINES]

    assert [] == too_long


def test_a_functions_docstring_is_not_counted(tmp_path):
    """A long promise does not make a function long."""
    source = tmp_path / "sample.py"
    source.write_text('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n\n\ndef g():\n    return 2\n')

    assert [("f", 2), ("g", 2)] == list(functions_of(source))
