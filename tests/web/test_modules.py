"""The page's modules: those that need no browser run in Node, and who may import whom."""

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


@pytest.fixture(scope="module")
def node() -> str:
    """Node, new enough; skips in words otherwise."""
    return node_with()


@pytest.mark.parametrize("file", FILES)
def test_the_pages_module(node, file):
    done = subprocess.run(
        [node, "--test-reporter=tap", file],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"^# pass (\d+)", done.stdout, re.M)[1]) > 0


@pytest.mark.parametrize("folder", sorted(path.name for path in WEB.iterdir() if path.is_dir()))
def test_a_folder_of_the_page_imports_only_what_it_may(folder):
    for module in (WEB / folder).glob("*.js"):
        # Statements, and the types of JSDoc.
        imported = re.findall(r"""(?:from |import\()"(\.[^"]+)""", module.read_text())
        paths = [(module.parent / path).resolve() for path in imported]
        assert all(path.is_file() for path in paths), module
        assert {path.parent.name for path in paths} <= MAY_IMPORT[folder], module
