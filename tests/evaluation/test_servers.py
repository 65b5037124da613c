"""The servers of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.forked_product import ForkedServer
from tests.support.metrics import metric, until_metric
from tests.support.samples import SAMPLES
from vision_agent.evaluation import servers
from vision_agent.evaluation.servers import ServerPool
from vision_agent.evaluation.trials import ServerKey
from vision_agent.live.local_process import LocalLiveApiError

BASIC = ServerKey(str(SAMPLES / "basic"), "local", None)


async def test_servers_that_the_engine_answers_share_a_local_live_api_and_others_have_their_own(
    tmp_path: Path,
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("engine: false\nanswers:\n  - say: Hello.\n")
    pool = ServerPool(tmp_path / "run", server_class=ForkedServer)
    try:
        shared = [
            await pool.address(BASIC),
            await pool.address(ServerKey(str(SAMPLES / "tutor"), "local", None)),
        ]
        own = await pool.address(ServerKey(None, "local", scenario))
        assert pool._local._api is not None
        assert pool._local._api._child is not None
        pool._local._api._child.process.kill()
        for url in shared:
            await until_metric(url, "local_restarts", lambda restarts: restarts == 1)
        assert await metric(own, "local_restarts") == 0
    finally:
        await pool.close()
    assert pool._local._api._child.process.returncode is not None


async def test_servers_start_their_own_if_it_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise LocalLiveApiError("It did not start.")

    monkeypatch.setattr(servers, "start_shared", fail)
    pool = ServerPool(tmp_path / "run", server_class=ForkedServer)
    try:
        assert await metric(await pool.address(BASIC), "local_restarts") == 0
    finally:
        await pool.close()
