"""The recorder's files have the form of others' recordings."""

from __future__ import annotations

from pathlib import Path

from google.genai import Client, types

from tests.contract.conversation import SCENARIO, Caller
from tests.contract.recorder import Recorder
from tests.contract.recordings import compare
from tests.contract.sequence import Scene
from tests.local.live_clients import MODEL_3, trusting
from tests.support.recorded_sessions import CUT, RecordedSession, read_recording
from vision_agent.local import serve
from vision_agent.local.scenarios.scenario_file import read_scenario

SCENES = ("typed", "spoken", "tool", "resumption", "no such voice", "bad key")


async def recorded(folder: Path) -> tuple[dict[str, Scene], list[Path]]:
    """Play scenes to the local server through a recorder; returns them and its files."""
    server = await serve("127.0.0.1", 0, None, scenario=read_scenario(SCENARIO))
    upstream = f"wss://127.0.0.1:{server.port}"
    try:
        async with Recorder(upstream, folder, trusting(server)) as recorder:

            def client(key: str) -> Client:
                options = types.HttpOptions(
                    base_url=recorder.base_url,
                    api_version="v1alpha",
                    async_client_args={"ssl": recorder.trusted},
                )
                return Client(vertexai=False, api_key=key, http_options=options)

            def name_files(scene: str) -> None:
                recorder.scene = scene.replace(" ", "-")

            caller = Caller(
                client("a-secret"), MODEL_3, client("invalid"), hurried=True, on_scene=name_files
            )
            scenes = await caller.play(SCENES)
        return scenes, recorder.files
    finally:
        await server.close()


def data_of(session: RecordedSession) -> list[str]:
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            found.extend(held for name, held in value.items() if name == "data")
            for held in value.values():
                walk(held)
        elif isinstance(value, list):
            for held in value:
                walk(held)

    walk([line.message for line in session.messages])
    return found


async def test_a_conversation_is_written_down_as_others_recorded_theirs(tmp_path: Path) -> None:
    scenes, files = await recorded(tmp_path / "out")
    assert [file.stem for file in files] == [
        "typed-1",
        "spoken-1",
        "tool-1",
        "resumption-1",
        "resumption-2",
        "no-such-voice-1",
        "bad-key-1",
    ]
    # Refusals reach the client through the recorder, with their codes and words.
    assert scenes["bad key"].refused is not None
    assert scenes["bad key"].refused[0] == 1007
    assert "API key not valid" in scenes["bad key"].refused[1]
    sessions = {file.stem: read_recording(file) for file in files}
    for name, session in sessions.items():
        assert session.model == MODEL_3
        assert session.messages[0].sender == "client"
        if name not in ("bad-key-1", "no-such-voice-1"):
            assert "setupComplete" in session.sent_by("server")[0]
            assert any(
                message.get("serverContent", {}).get("turnComplete")
                for message in session.sent_by("server")
            )
    assert "toolCall" in {name for m in sessions["tool-1"].sent_by("server") for name in m}
    handle = sessions["resumption-2"].setup["sessionResumption"]["handle"]
    assert handle in files[3].read_text()
    sound = data_of(sessions["spoken-1"])
    assert len(sound) > 10
    assert all(len(data) == 13 and data.endswith(CUT) for data in sound)
    # The file can be played and compared like any other recording.
    [comparison] = await compare([sessions["typed-1"]])
    assert comparison.count > 10
    assert comparison.differing == {}
    assert "a-secret" not in "".join(file.read_text() for file in files)
