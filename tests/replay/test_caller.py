import asyncio
import itertools
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.support.answering_server import (
    ANSWER_AFTER_MS,
    AnsweringServer,
    Behaviour,
    answering_server,
)
from tests.support.forked import run_forked
from tests.support.media_files import make_image, make_video
from tests.support.recorded_call import received, recorded_call, switched, typed
from tests.support.signals import silence, tone
from tests.support.waiting import until
from vision_agent.caller.received_audio import write_wav
from vision_agent.cli.main import app
from vision_agent.recordings.lines import EndedLine, SpokenLine
from vision_agent.replay import BadRecording, ReplayOptions, Report, replay


async def call(server: AnsweringServer, file: Path, **options: Any) -> Report:
    options.setdefault("timeout_s", 20)
    return await replay(ReplayOptions(file, server.url, **options))


def question(ms: int = 600) -> tuple[bytes, int]:
    return tone(ms, rate_hz=24_000).tobytes(), 24_000


async def test_a_recording_calls_asks_waits_for_the_answer_and_hangs_up(bottle: Path) -> None:
    states: list[str] = []
    parts: list[float] = []
    lines: list[tuple[str, str, int]] = []
    async with answering_server() as server:
        report = await replay(
            ReplayOptions(bottle, server.url, say_pcm=question(), timeout_s=20),
            on_state=states.append,
            on_progress=parts.append,
            on_transcript=lambda *line: lines.append(line),
        )
        goodbyes = server.goodbyes
    assert (report.answered, report.errors, report.ended) == (True, [], "answered")
    assert report.connected_ms is not None
    assert report.frames_sent >= 1
    assert (report.jpeg_bytes, report.frame_age_ms) == (1000, 120)
    assert [(line.who, line.text) for line in report.transcript] == [
        ("user", "something was said"),
        ("agent", "I hear you."),
    ]
    assert [line[:2] for line in lines] == [(line.who, line.text) for line in report.transcript]
    # The server answers this long after it received the end, so no true figure is less.
    assert report.reply_ms is not None
    assert report.reply_ms >= ANSWER_AFTER_MS
    assert report.agent_audio_ms == pytest.approx(600, abs=60)
    assert goodbyes == ["call-1"]
    assert states == [
        "dialling", "connecting", "ready", "asking", "waiting", "answering", "ended",
    ]  # fmt: skip
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


async def test_an_interruption_in_the_say_file_is_answered(bottle: Path, tmp_path: Path) -> None:
    say = tmp_path / "say.wav"
    write_wav(say, np.concatenate([tone(500), silence(2500), tone(500), silence(200)]))
    async with answering_server(Behaviour(answer_ms=4000, next_answer_ms=400)) as server:
        report = await call(server, bottle, say=say)
    assert report.interruptions == 1
    first, second = report.utterances
    assert first.reply_ms is not None
    assert second.reply_ms is not None
    assert second.silenced_ms is not None
    # The first answer would have gone on for two seconds more.
    assert 0 < second.silenced_ms < 1000
    assert report.reply_ms == first.reply_ms


async def test_a_typed_question_is_answered_by_voice(bottle: Path) -> None:
    async with answering_server() as server:
        report = await call(server, bottle, typed="what do you see?")
    assert report.answered
    assert report.transcript[0].text == "what do you see?"
    assert report.utterances[0].started_at_ms == report.utterances[0].ended_at_ms


async def test_a_sound_recording_calls_without_a_camera(tmp_path: Path) -> None:
    file = tmp_path / "question.wav"
    write_wav(file, tone(500))
    async with answering_server() as server:
        report = await call(server, file)
        sections = server.calls[0].peer.remoteDescription.sdp.count("m=video")
    assert report.answered
    assert (report.frames_sent, report.jpeg_bytes, sections) == (0, None, 0)


async def test_a_still_image_is_shown_for_the_whole_call(tmp_path: Path) -> None:
    image = make_image(tmp_path / "red.png", size=(64, 48))
    async with answering_server() as server:
        report = await call(server, image, say_pcm=question())
        lumas = server.calls[0].frame_lumas
    assert report.answered
    assert len(lumas) > 5
    assert max(lumas) - min(lumas) < 3


async def test_a_short_video_starts_over_while_the_conversation_lasts(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", fps=20, count=20, size=(64, 48))
    async with answering_server() as server:
        report = await call(server, video, say_pcm=question(1500))
        lumas = server.calls[0].frame_lumas
    assert report.answered
    falls = sum(b < a - 10 for a, b in itertools.pairwise(lumas))
    assert falls >= 1


async def test_a_silent_recording_without_a_question_is_shown_once(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", fps=10, count=10, size=(64, 48))
    async with answering_server() as server:
        report = await call(server, video)
    assert (report.answered, report.utterances, report.errors) == (False, [], [])
    assert report.ended == "the recording ended"


async def test_no_answer_is_reported_in_words(bottle: Path) -> None:
    async with answering_server(Behaviour(answers=False)) as server:
        report = await call(server, bottle, say_pcm=question(200), timeout_s=1.5)
        goodbyes = server.goodbyes
    assert (report.answered, report.reply_ms, report.ended) == (False, None, "timeout")
    assert report.errors == ["The agent hasn't answered 1.5 s after the caller finished."]
    assert goodbyes == ["call-1"]


async def test_a_refusal_is_reported_in_the_servers_words(bottle: Path) -> None:
    refusal = (503, {"error": "The house is full."}, {"Retry-After": "5"})
    async with answering_server(Behaviour(refuses=refusal)) as server:
        report = await call(server, bottle, typed="hello")
    assert not report.answered
    assert report.connected_ms is None
    assert report.errors == [
        "The server refused the call: The house is full. (HTTP 503). Try again in 5 s."
    ]


async def test_an_access_token_opens_the_door(bottle: Path) -> None:
    async with answering_server(Behaviour(token="sesame")) as server:
        refused = await call(server, bottle, typed="hello")
        answered = await call(server, bottle, typed="hello", token="sesame")
    assert "The access token is wrong." in refused.errors[0]
    assert answered.answered


async def test_nobody_at_the_address_is_reported_in_words(bottle: Path) -> None:
    async with answering_server() as server:
        address = server.url
    report = await replay(ReplayOptions(bottle, address, typed="hello", timeout_s=5))
    assert len(report.errors) == 1
    assert "can't be reached" in report.errors[0]
    odd = await replay(ReplayOptions(bottle, "file:///etc", typed="hello", timeout_s=5))
    assert "is not an http:// or https:// address" in odd.errors[0]


async def test_a_server_that_never_gets_ready_is_not_waited_for_forever(bottle: Path) -> None:
    async with answering_server(Behaviour(says_ready=False)) as server:
        report = await call(server, bottle, say_pcm=question(), timeout_s=1.5)
    assert report.connected_ms is not None
    assert "bot-ready" in report.errors[0]


async def test_a_server_that_does_not_reach_its_model_is_said_to_be_that(bottle: Path) -> None:
    state = {"kind": "state", "state": "connecting", "reason": None}
    words = [{"label": "rtvi-ai", "type": "server-message", "id": "s", "data": state}]
    async with answering_server(Behaviour(words=words)) as server:
        report = await call(server, bottle, say_pcm=question(), timeout_s=1.5)
    assert report.errors == ["The server didn't reach its model within 1.5 s."]
    assert report.utterances == []


async def test_a_server_that_leaves_ends_the_call(bottle: Path) -> None:
    async with answering_server(Behaviour(leaves_after_ready=True)) as server:
        report = await call(server, bottle, say_pcm=question())
    assert (report.answered, report.ended) == (False, "the server left")


async def test_an_answer_that_an_error_ends_is_none_to_the_command_either(
    bottle: Path, tmp_path: Path
) -> None:
    error = {"message": "The quota is used up.", "fatal": True}
    words = {"label": "rtvi-ai", "type": "error", "id": "e", "data": error}
    figures = tmp_path / "report.json"
    async with answering_server(Behaviour(answer_ms=60_000, breaks_off=words)) as server:
        options = ["--url", server.url, "--type", "hello", "--json", str(figures)]
        command = await asyncio.to_thread(
            run_forked, "vision_agent", "replay", str(bottle), *options
        )
    assert command.returncode == 1
    printed = " ".join(command.stderr.split())
    assert "The quota is used up." in printed
    assert "The agent did not finish its answer." in printed
    report = json.loads(figures.read_text())
    assert (report["answered"], report["ended"]) == (False, "The quota is used up.")
    assert report["reply_ms"] is not None


async def test_a_bad_recording_is_refused_before_anything_is_dialled(tmp_path: Path) -> None:
    async with answering_server() as server:
        with pytest.raises(BadRecording):
            await call(server, tmp_path / "nothing.mp4")
        assert server.calls == []


async def test_a_recorded_call_is_made_again(tmp_path: Path) -> None:
    folder = recorded_call(
        tmp_path / "call",
        switched(200, "camera", False),
        switched(1500, "camera", True),
        received(1600, "ui-event", event="opened"),
        typed(2500, "and now?"),
        EndedLine(at_ms=3000, reason="the caller hung up"),
        caller=np.concatenate([silence(300), tone(600), silence(1600)]),
        camera={0: (200, 0, 0)},
        options={"voice": "Kore"},
    )
    async with answering_server() as server:
        report = await call(server, folder / "call.mkv", asked={"language": "de-DE"})
        received_by = server.calls[0].received
        asked = server.asked
    assert (report.answered, report.errors, report.ended) == (True, [], "answered")
    assert [each.typed for each in report.utterances] == [None, "and now?"]
    first, second = report.utterances
    assert second.started_at_ms - first.started_at_ms == pytest.approx(2200, abs=1000)
    said = [m["message"] if m["type"] == "signalling" else m["type"] for m in received_by]
    status = {"type": "trackStatus", "receiver_index": 1}
    off, on = status | {"enabled": False}, status | {"enabled": True}
    assert said == ["client-ready", off, on, "ui-event", "send-text"]
    assert asked == [{"voice": "Kore", "language": "de-DE"}]


async def test_the_command_makes_a_part_of_a_recorded_call_again_and_compares_it(
    tmp_path: Path,
) -> None:
    folder = recorded_call(
        tmp_path / "call",
        typed(300, "too early"),
        typed(1300, "hello"),
        SpokenLine(at_ms=1300, who="user", text="hello", typed=True),
        SpokenLine(at_ms=1900, who="agent", text="I see you."),
        EndedLine(at_ms=3000, reason="the caller hung up"),
    )
    figures = tmp_path / "report.json"
    cut = ["--from", "1", "--to", "0:02.5", "--compare", "--json", str(figures)]
    async with answering_server() as server:
        command = ["replay", str(folder), "--url", server.url, *cut]
        done = await asyncio.to_thread(CliRunner().invoke, app, command)
        received_by = [each["type"] for each in server.calls[0].received]
    # A difference is no failure.
    assert done.exit_code == 0, done.output
    assert received_by == ["client-ready", "send-text"]
    assert "Recorded with the agent basic, model local." in done.output
    assert "One difference." in done.output
    compared = json.loads(figures.read_text())["comparison"]
    different = [row for row in compared["rows"] if row["same"] is False]
    assert [(row["first"], row["second"]) for row in different] == [("I see you.", "I hear you.")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--compare"], "is not a recorded call: there is nothing to compare with"),
        (["--compare", "--type", "x"], "leave --type out"),
        (["--from", "50"], "it ends at 0:39.855, before 0:50"),
        (["--to", "1:00"], "it ends at 0:39.855, before 1:00"),
    ],
)
def test_what_cannot_be_cut_or_compared_is_refused(
    bottle: Path, arguments: list[str], words: str
) -> None:
    done = CliRunner().invoke(app, ["replay", str(bottle), *arguments])
    assert done.exit_code == 2
    assert words in " ".join(done.output.split())


async def test_a_call_leaves_no_task_and_no_thread_behind(bottle: Path) -> None:
    async with answering_server() as server:
        await call(server, bottle, typed="hello")
        await server.calls[0].close()
    tasks = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    if tasks:
        await asyncio.wait(tasks, timeout=5)
    left = [task for task in tasks if not task.done()]
    assert left == []
    names = ("decoder", "recording")
    await until(lambda: not any(n in t.name for t in threading.enumerate() for n in names))
