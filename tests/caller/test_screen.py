"""A program that shares a screen beside its camera."""

import asyncio

import numpy as np

from tests.conftest import serving
from tests.support.dialling import TEXT
from vision_agent import CallClient

SCENARIO = """
    engine: false
    habits: {typed_sees_stream: false}
    answers:
      - when: {words: what, frames: 2}
        say: I see two pictures.
    otherwise: {say: I see something else.}
"""


async def test_what_a_program_shares_is_seen_beside_its_camera(tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    camera, screen = np.full((240, 320, 3), 90, np.uint8), np.full((400, 600, 3), 230, np.uint8)
    async with (
        serving("--scenario", str(scenario)) as server,
        CallClient(server.url, show=camera, screen=screen, asked=TEXT) as call,
    ):
        async with asyncio.timeout(40):
            # The screen's first frame may come after the first question.
            while (await call.type("what?")).text.strip() != "I see two pictures.":
                await asyncio.sleep(0.2)
