"""What npm installed beside this file, and how it is run and bundled."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from tests.node import node_with

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"


def node() -> str:
    """Node, new enough, with the packages beside it; skips in words otherwise."""
    return node_with(MODULES / "esbuild")


async def run(*command: str | Path, within_s: float = 90) -> str:
    """What a program prints; an error has what it complained of.

    Raises:
        AssertionError: It ended with another status than 0.
        TimeoutError: It did not end in time, and was killed.
    """
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=HERE,
        env=os.environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within_s):
            printed, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaints.decode()
    return printed.decode()


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
    )
