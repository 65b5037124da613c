"""What tests share stands in modules that hold no tests."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
IMPORT = re.compile(r"^\s*(?:from|import) tests\.(?:\w+\.)*test_\w+", re.MULTILINE)


def test_no_module_of_tests_is_imported_by_another() -> None:
    importing = [
        f"{path.relative_to(TESTS)}: {found[0].strip()}"
        for path in sorted(TESTS.glob("**/*.py"))
        if (found := IMPORT.search(path.read_text()))
    ]
    assert importing == []
