"""Workers run the tests that the worker server has collected."""

import sys
from pathlib import Path

import pytest

from tests.support.inner_pytest import run_pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has what it needs")

CONFTEST = """
import os
import pytest
from tests.support.forked import start_worker_server


def pytest_xdist_setupnodes(config, specs):
    python = start_worker_server(config.invocation_params.args)
    for spec in specs:
        spec.python = python


@pytest.fixture(scope="session", autouse=True)
def runner():
    return os.getpid()
"""

TESTS = """
import os
import pytest


@pytest.fixture(params=[1, 2])
def number(request):
    return request.param


@pytest.mark.parametrize("collector", [os.getpid()], ids=["collector"])
def test_by_another(collector, runner, number, request, tmp_path):
    assert collector != runner == os.getpid()
    assert request.config.workerinput["workerid"] in str(tmp_path)
    assert request.session.testscollected == 2


def test_left_out():
    raise AssertionError
"""


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_some.py").write_text(TESTS)
    return run_pytest(folder, *arguments)


def test_what_is_chosen_of_it_runs_with_the_workers_own_fixtures_and_what_warns_is_reported(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_old.py").write_text("import warnings\nwarnings.warn('old ways')\n")
    status, printed = run(tmp_path, "-k", "not left_out")
    assert "UserWarning: old ways" in printed, printed
    assert "2 passed" in printed, printed
    assert status == 0


def test_what_cannot_be_imported_is_reported(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("import no_such_module\n")
    status, printed = run(tmp_path)
    assert "No module named 'no_such_module'" in printed
    assert "1 error" in printed, printed
    assert status != 0
