"""Code that tests share is in modules without tests."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
MODULE = r"[\w.]*\btest_\w+"
IMPORT = re.compile(
    rf"^\s*(?:(?:from|import) {MODULE}|from [\w.]+ import .*\btest_\w+)", re.MULTILINE
)


def test_no_module_of_tests_is_imported_by_another() -> None:
    importing = [
        f"{path.relative_to(TESTS)}: {found[0].strip()}"
        for path in sorted(TESTS.glob("**/*.py"))
        if (found := IMPORT.search(path.read_text()))
    ]
    assert importing == []
