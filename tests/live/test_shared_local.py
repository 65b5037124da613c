"""A local Live API that several servers share."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.waiting import until
from vision_agent.data_folder import data_folder
from vision_agent.live import local_process
from vision_agent.live.local_process import LocalLiveApi, LocalLiveApiAway
from vision_agent.live.shared_local import VARIABLE, SharedLocalApi, start_shared
from vision_agent.own_models import OwnModels


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "address.json"


@pytest.fixture
async def started(file: Path, tmp_path: Path) -> AsyncIterator[LocalLiveApi]:
    started = await start_shared(file, 4, tmp_path / "log")
    yield started
    await started.close()


def taken(
    file: Path | str,
    scenario: Path | None = None,
    data_dir: Path | None = None,
    own_models: OwnModels | None = None,
) -> SharedLocalApi | None:
    return SharedLocalApi.offered(
        scenario,
        data_dir or data_folder(),
        own_models or OwnModels.from_environ(),
        {VARIABLE: str(file)},
    )


async def test_a_server_takes_the_one_that_it_would_have_started_and_no_other(
    started: LocalLiveApi, file: Path, tmp_path: Path
) -> None:
    shared = taken(file)
    assert shared is not None
    assert await shared.address() == shared.newest_address == started.newest_address
    assert (shared.problem, shared.restarts, shared.answers_within_s) == (None, 0, None)
    brain = OwnModels.read({"brain": "http://localhost:1/v1"}, {})
    for other in (
        taken(file, scenario=tmp_path / "scenario.yaml"),
        taken(file, data_dir=tmp_path),
        taken(file, own_models=brain),
        taken(tmp_path / "missing.json"),
        SharedLocalApi.offered(None, data_folder(), OwnModels.from_environ(), {}),
    ):
        assert other is None
    file.write_text("{}")
    assert taken(file) is None
    file.write_text("no JSON")
    assert taken(file) is None


async def test_one_that_is_killed_is_found_again_where_it_was_started_again(
    started: LocalLiveApi, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = taken(file)
    assert shared is not None
    before = shared.newest_address
    os.kill(started.pid, signal.SIGKILL)
    await until(lambda: shared.problem is not None)
    assert "exit status -9" in (shared.problem or "")
    after = await shared.address()
    assert after == started.newest_address != before
    assert (shared.problem, shared.restarts) == (None, 1)

    monkeypatch.setattr("vision_agent.live.shared_local.AWAY_S", 0.05)

    async def fail(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(local_process._Child, "start_process", staticmethod(fail))
    os.kill(started.pid, signal.SIGKILL)
    await until(lambda: "no more processes" in (shared.problem or ""))
    with pytest.raises(LocalLiveApiAway, match="no more processes"):
        await shared.address()
