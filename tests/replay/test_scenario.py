"""A recording calls the product while its local Live API plays a scenario: nothing is left open."""

from pathlib import Path

from tests.conftest import serving
from vision_agent.local import speak_question
from vision_agent.replay import ReplayOptions, replay


async def test_both_sides_words_are_what_the_scenario_says(bottle: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("""
        engine: false
        hears: [where are my keys]
        answers:
          - when: {words: my keys, frames: 1}
            say: They are on the table.
          - when: {words: my keys}
            say: I see no picture.
    """)
    async with serving("--scenario", str(scenario)) as server:
        options = ReplayOptions(bottle, server.url, say_pcm=await speak_question("hello there"))
        report = await replay(options)
    assert report.errors == []
    said = {
        who: "".join(line.text for line in report.transcript if line.who == who)
        for who in ("user", "agent")
    }
    assert said["user"].strip() == "where are my keys"
    assert said["agent"].strip() == "They are on the table."
    # 22 characters of 60 ms each.
    assert 1200 < report.agent_audio_ms < 1600
