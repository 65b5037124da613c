"""A short call from one namespace to a server in another."""

from tests.networks.islands import DOOR, MIDDLE
from vision_agent import CallClient

SCENARIO = """
engine: false
answers:
  - {when: {words: hello}, say: Good morning.}
otherwise: {say: Pardon.}
"""


async def call() -> str:
    async with CallClient(f"http://{MIDDLE}:{DOOR}", timeout_s=60) as client:
        return (await client.type("hello")).text
