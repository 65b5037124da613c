"""A program's process stays as it is with a `VideoAgent` in it."""

import asyncio
import gc
import logging
import os
import resource
import warnings

from fastapi import FastAPI

from tests.support.scenarios import SILENT
from vision_agent import Settings, VideoAgent


def state() -> dict[str, object]:
    """What belongs to the program around the agent."""
    root = logging.getLogger()
    return {
        # The tests' fork server, which starts the local Live API, is named in such a variable.
        "environment": {k: v for k, v in os.environ.items() if not k.startswith("TESTS_")},
        "garbage collector": (gc.isenabled(), gc.get_threshold()),
        "logging": (root.level, [*root.handlers], logging.getLogger("uvicorn.error").filters),
        "warnings": warnings.showwarning,
        "open files": resource.getrlimit(resource.RLIMIT_NOFILE),
        "exceptions": asyncio.get_running_loop().get_exception_handler(),
    }


async def test_environment_logging_garbage_and_files_stay_as_the_program_has_them(
    tmp_path, monkeypatch
):
    (tmp_path / ".env").write_text("GOOGLE_API_KEY=of-the-program\nHOST_SECRET=1\n")
    (tmp_path / "helper").mkdir()
    (tmp_path / "helper" / "agent.py").write_text(
        "from google.adk.agents import Agent\nroot_agent = Agent(name='helper')\n"
    )
    monkeypatch.chdir(tmp_path)
    before, frozen = state(), gc.get_freeze_count()
    video = VideoAgent(
        Settings(model="local", scenario=SILENT, session_db="memory", data_dir=tmp_path / "data"),
        agents=tmp_path / "helper",
    )
    app = FastAPI(lifespan=video.lifespan)
    app.include_router(video.router, prefix="/agent")
    async with app.router.lifespan_context(app):
        assert video.agents.default.name == "helper"
        assert state() == before
    assert state() == before
    assert gc.get_freeze_count() <= frozen, "no more is frozen than the program has"
