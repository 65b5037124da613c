"""The tables that say how the tests are run name what exists."""

from pathlib import Path

import pytest

from tests.support.kinds import KINDS
from tests.support.schedule import SECONDS, UNDIVIDED

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", [*SECONDS, *UNDIVIDED])
def test_a_file_that_is_said_to_be_long_exists(file: str) -> None:
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_tests_is_found_where_it_is_said_to_be(kind: str) -> None:
    _, places = KINDS[kind]
    assert all((ROOT / place).exists() for place in places)
