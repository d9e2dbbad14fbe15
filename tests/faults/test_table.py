"""The table of faults in docs/reliability.md, held against the tests."""

import ast
import re
from pathlib import Path

import pytest

FAULTS = range(1, 26)
HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reliability.md"
ROW = re.compile(r"^\| (\d+) \|.*\| (.*) \|$", re.MULTILINE)
NAME = re.compile(r"`([\w/]+\.py)::(\w+)`")


def faults_tested() -> set[tuple[int, str, str]]:
    """Return every number, file and test whose docstring begins with "Fault N:"."""
    return {
        (int(found[1]), file.name, node.name)
        for file in HERE.glob("test_*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (found := re.match(r"Fault (\d+):", ast.get_docstring(node) or ""))
    }


def faults_listed() -> set[tuple[int, str, str]]:
    """Return what the page names."""
    return {(int(row[1]), file, test) for row in ROW.finditer(PAGE.read_text()) for file, test in NAME.findall(row[2])}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_a_test(fault: int) -> None:
    """Each of the faults has a test, and the page names each of its tests and no other."""
    tested = {row for row in faults_tested() if row[0] == fault}
    assert tested
    assert {row for row in faults_listed() if row[0] == fault} == tested
