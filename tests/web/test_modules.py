"""The page's modules: those that need no browser are tested in Node, and imports are restricted."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.node import node_with

HERE = Path(__file__).parent
WEB = HERE.parent.parent / "web"
MAY_IMPORT = {
    "call": {"call"},
    "media": {"media", "call"},
    "view": {"view", "media", "call"},
}
FILES = sorted(str(file.relative_to(HERE)) for file in HERE.rglob("*.test.mjs"))


ALL = """
import { suite } from "node:test";
for (const file of process.argv.slice(1))
  suite(file, { concurrency: false }, () => import(`${process.cwd()}/${file}`));
"""
"""Each file's tests as a suite, one file after the other."""


@pytest.fixture(scope="module")
def printed() -> str:
    """Node's TAP report of all files; skips with a reason if no Node is new enough."""
    return subprocess.run(
        [node_with(), "--test-reporter=tap", "--input-type=module", "-e", ALL, *FILES],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout


@pytest.mark.parametrize("file", FILES)
def test_the_pages_module(printed: str, file: str) -> None:
    rest = printed.partition(f"# Subtest: {file}\n")[2]
    said, result, _ = re.split(
        rf"^((?:not )?ok) \d+ - {re.escape(file)}", rest, maxsplit=1, flags=re.M
    )
    assert result == "ok", said
    assert re.search(r"^    ok 1 - ", said, re.M), said


@pytest.mark.parametrize("folder", sorted(path.name for path in WEB.iterdir() if path.is_dir()))
def test_a_folder_of_the_page_imports_only_what_it_may(folder):
    for module in (WEB / folder).glob("*.js"):
        # Import statements, and types that JSDoc imports.
        imported = re.findall(r"""(?:from |import\()"(\.[^"]+)""", module.read_text())
        paths = [(module.parent / path).resolve() for path in imported]
        assert all(path.is_file() for path in paths), module
        assert {path.parent.name for path in paths} <= MAY_IMPORT[folder], module
