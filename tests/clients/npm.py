"""Runs and bundles the packages that npm installed beside this file."""

from __future__ import annotations

from pathlib import Path

from tests.node import node_with
from tests.support.programs import run

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"


def node() -> str:
    """A recent Node with the packages beside it; otherwise skips the test with the reason."""
    return node_with(MODULES / "esbuild")


async def bundle(entry: str, out: Path, **aliases: str) -> None:
    """One ES module for a browser out of `entry` and all it imports.

    Args:
        entry: A file below this folder.
        out: The file to write.
        aliases: The installed package that replaces one of `@pipecat-ai`, as `client_js=…`.
    """
    await run(
        node(),
        MODULES / "esbuild" / "bin" / "esbuild",
        entry,
        "--bundle",
        "--format=esm",
        "--jsx=automatic",
        "--loader:.js=jsx",
        "--log-level=error",
        '--define:process.env.NODE_ENV="production"',
        f"--outfile={out}",
        *(f"--alias:@pipecat-ai/{name.replace('_', '-')}={by}" for name, by in aliases.items()),
        cwd=HERE,
    )
