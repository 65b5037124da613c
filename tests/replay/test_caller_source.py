"""A recorded call as a caller: its tracks by their titles, its lines as steps, and its cuts."""

from __future__ import annotations

import json
import math
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.recordings.recording_here import Sent
from tests.support.media_files import make_video
from tests.support.recorded_call import received, recorded_call, switched, typed
from tests.support.signals import silence, tone
from tests.support.source_steps import done, steps
from vision_agent.caller.cut import WHOLE, Cut
from vision_agent.caller.recording import SOUND_RATE_HZ, BadRecording, Recording
from vision_agent.recordings.lines import (
    EndedLine,
    FrameLine,
    ReceivedLine,
    SpokenLine,
    TurnLine,
)
from vision_agent.recordings.recorded_call import RecordedCall
from vision_agent.replay.caller_source import open_source
from vision_agent.replay.recorded_copy import copy_part
from vision_agent.replay.script import (
    FixedScript,
    SendMessage,
    Speak,
    Step,
    TypeText,
)

pytestmark = pytest.mark.usefixtures("every_frame")

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (30, 30, 220)
SOUND = np.concatenate([silence(1000), tone(500), silence(1500), tone(500, hz=500), silence(500)])


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    folder = recorded_call(
        tmp_path / "call",
        typed(300, "hello"),
        switched(400, "camera", False),
        switched(900, "camera", True),
        part_of_picture(940, part=0),
        part_of_picture(950, part=1),
        # The server's reply to the picture comes after the question, which was typed at once.
        picture(955, "frames/000001.jpg"),
        received(956, "client-message", t="recording", d={"on": False}),
        received(957, "client-message", t="camera_size", d={"width": 64, "height": 48}),
        received(960, "append-to-context", role="user", content="the page was opened"),
        received(970, "client-ready", version="2.1.0"),
        switched(3100, "screen", True),
        switched(2300, "microphone", False),
        switched(2400, "microphone", True),
        typed(3600, "show it in words", audio_response=False),
        typed(3700, "remember this", run_immediately=False),
        switched(3800, "screen", False),
        EndedLine(at_ms=4000, reason="the caller hung up"),
        caller=SOUND,
        agent=tone(4000, hz=900),
        camera={0: RED, 1500: GREEN},
        screen={3200: BLUE},
        length_ms=4000,
        options={"voice": "Kore", "language": None, "agent": "somebody", "resume": "x"},
    )
    (folder / "frames").mkdir()
    (folder / "frames" / "000001.jpg").write_bytes(b"a label")
    return folder


def part_of_picture(at_ms: int, **data: int) -> ReceivedLine:
    """A part of a picture, whose content is kept as a frame."""
    data |= {"id": "p", "name": "label.png", "parts": 2, "data": ""}  # type: ignore[dict-item]
    return received(at_ms, "client-message", t="picture", d=data)


def picture(at_ms: int, file: str) -> FrameLine:
    """The line of a picture that the server has taken."""
    return FrameLine(at_ms=at_ms, source="picture", file=file, bytes=7, width=64, height=48)


def loudest_hz(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, np.int16).astype(float)
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum) * SOUND_RATE_HZ / len(samples))


def colours(recording: Recording, count: int) -> list[tuple[float, str]]:
    """The first frames' times, and which of the three colours each has."""

    def name(frame: object) -> str:
        rgb = frame.to_ndarray(format="rgb24").mean(axis=(0, 1))  # type: ignore[attr-defined]
        return ("red", "green", "blue")[int(np.argmax(rgb))]

    return [
        (round(timed.at_s, 2), name(timed.frame)) for timed in islice(recording.frames(), count)
    ]


def test_what_the_caller_did_comes_again_at_its_times(recorded: Path) -> None:
    source = open_source(recorded / "call.mkv", WHOLE)
    assert done(source) == [
        (0, 4000),
        (300, "hello"),
        (400, ("camera", False)),
        (900, ("camera", True)),
        (950, ("label.png", b"a label")),
        (957, "client-message"),
        (960, "append-to-context"),
        (2300, ("microphone", False)),
        (2400, ("microphone", True)),
        (3100, ("screen", True)),
        (3600, "show it in words (in words)"),
        (3700, "send-text"),
        (3800, ("screen", False)),
    ]
    speak = steps(source)[0].action
    assert isinstance(speak, Speak)
    # The caller's sound lacks the agent's voice, which is at 900 Hz.
    assert loudest_hz(speak.pcm) == pytest.approx(300, abs=210)
    assert (source.asked, source.off, source.notes) == ({"voice": "Kore"}, {"screen"}, ())
    assert colours(source.shown["camera"], 9)[0] == (0.0, "red")
    assert colours(source.shown["camera"], 9)[-1] == (2.0, "green")
    assert colours(source.shown["screen"], 1) == [(3.25, "blue")]


def test_a_cut_has_what_is_in_it_and_begins_with_what_was_switched_before(recorded: Path) -> None:
    source = open_source(recorded, Cut(0.6, 3.15))
    assert done(source) == [
        (0, pytest.approx(2500, abs=100)),
        (0, ("camera", False)),
        (300, ("camera", True)),
        (350, ("label.png", b"a label")),
        (357, "client-message"),
        (360, "append-to-context"),
        (1700, ("microphone", False)),
        (1800, ("microphone", True)),
    ]
    # The screen was shared later than the cut ends.
    assert (source.off, set(source.shown)) == ({"camera"}, {"camera"})
    # The cut begins with the frame that the camera showed before it.
    assert colours(source.shown["camera"], 2) == [(0.0, "red"), (0.15, "red")]
    speak = steps(open_source(recorded, Cut(2.5, 4)))[0].action
    assert isinstance(speak, Speak)
    assert loudest_hz(speak.pcm) == pytest.approx(500, abs=5)


def test_a_patient_caller_does_the_same_in_turn(recorded: Path) -> None:
    source = open_source(recorded, WHOLE, patient=True)
    assert [what for _, what in done(source)] == [
        "hello",
        ("camera", False),
        ("camera", True),
        ("label.png", b"a label"),
        "client-message",
        "append-to-context",
        1100,
        1100,
        ("screen", True),
        "show it in words (in words)",
        "send-text",
        ("screen", False),
    ]
    assert {step.at_ms for step in steps(source)} == {None}
    # Each step comes with the video of its time, whose last frame stays until the next step.
    shown = [step.shown_ms for step in steps(source) if step.shown_ms is not None]
    assert shown[:3] == [(300, 400), (400, 900), (900, 950)]
    assert shown[-1] == (3800, math.inf)
    assert all(one[1] == following[0] for one, following in pairwise(shown))


def test_a_picture_is_there_before_a_question_that_a_cut_begins_with(
    tmp_path: Path, recorded: Path
) -> None:
    asked = [SpokenLine(at_ms=970, who="user", text="read it", typed=True), typed(970, "read it")]
    folder = recorded_call(
        tmp_path / "asked",
        part_of_picture(100, part=1),
        picture(110, "frames/1.jpg"),
        *asked,
        part_of_picture(1500, part=1),
        picture(1510, "frames/2.jpg"),
        picture(1600, "frames/no.jpg"),
        typed(2500, "and this?"),
        camera={0: RED},
    )
    (folder / "frames").mkdir()
    for name in ("1.jpg", "2.jpg"):
        (folder / "frames" / name).write_bytes(name.encode())
    copy_part(RecordedCall.open(folder), Cut(2), tmp_path / "copy")
    for call in (folder, tmp_path / "copy"):
        source = open_source(call, Cut(2))
        assert done(source) == [(0, ("label.png", b"2.jpg")), (500, "and this?")]
        (lost,) = source.notes
        assert "left out: the recording no longer has it" in lost


def test_the_caller_stays_for_what_the_agent_said_unasked(tmp_path: Path) -> None:
    lines = [
        typed(500, "remind me in a while"),
        SpokenLine(at_ms=500, who="user", text="remind me in a while", typed=True),
        SpokenLine(at_ms=1500, who="agent", text="I will.", author="basic"),
        TurnLine(at_ms=1510, reply_ms=300),
    ]
    reminder = SpokenLine(at_ms=9000, who="agent", text="It is time.", author="basic")
    for more, stays_ms in (([], 0), ([reminder], 9000 - 500 + 2000)):
        called = tmp_path / str(stays_ms)
        folder = recorded_call(called, *lines, *more, camera={0: RED}, length_ms=9500)
        for patient in (False, True):
            script = open_source(folder, WHOLE, patient=patient).script
            assert isinstance(script, FixedScript)
            assert script.stays_ms == stays_ms


def test_another_question_takes_the_place_of_what_the_caller_did(recorded: Path) -> None:
    question = FixedScript([Step(TypeText("what now?"))])
    source = open_source(recorded, WHOLE, question)
    assert source.script is question
    assert set(source.shown) == {"camera", "screen"}


async def test_a_call_in_which_nothing_was_said_or_shown_is_made_again(tmp_path: Path) -> None:
    sent = Sent(tmp_path)
    sent.recording.line(typed(0, "hello"))
    sent.recording.end("over")
    await sent.recording.close()
    (folder,) = tmp_path.iterdir()
    lines = folder / "call.jsonl"
    lines.write_bytes(b"\xef\xbb\xbf" + lines.read_bytes() + b"no line\n")
    source = open_source(folder, WHOLE)
    assert [what for _, what in done(source)] == ["hello"]
    nothing, unread = source.notes
    assert "neither sound nor pictures" in nothing
    assert "can't be read are left out: 1" in unread
    copy_part(RecordedCall.open(folder), WHOLE, tmp_path / "copy")
    assert [what for _, what in done(open_source(tmp_path / "copy", WHOLE))] == ["hello"]


def test_the_file_alone_has_the_callers_track(recorded: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (recorded / "call.mkv").rename(alone / "call.mkv")
    for path in (alone, alone / "call.mkv"):
        source = open_source(path, Cut(2.5))
        speak = steps(source)[0].action
        assert isinstance(speak, Speak)
        assert loudest_hz(speak.pcm) == pytest.approx(500, abs=5)
        assert source.call is None
        # The screen was shared later.
        assert set(open_source(path, Cut(0, 2)).shown) == {"camera"}
    # A call in which everything was typed has no media file.
    assert [what for _, what in done(open_source(recorded, WHOLE))][:1] == ["hello"]


def test_a_part_in_which_nothing_is_asked_is_shown_once(recorded: Path) -> None:
    assert done(open_source(recorded, Cut(1.55, 2.45))) == [
        (0, pytest.approx(900, abs=100)),
        (0, ("label.png", b"a label")),  # nobody has asked about it yet
        (750, ("microphone", False)),
        (850, ("microphone", True)),
        (0, "0.9 s"),
    ]


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (Cut(60), r"it ends at 0:04.*, before 1:00"),
        (Cut(1, 9), r"it ends at 0:04.*, before 0:09"),
        (Cut(2, 2), "0:02 is not after 0:02"),
        (Cut(math.nan), "is not after"),
    ],
)
def test_a_cut_outside_of_the_recording_is_refused_in_words(
    recorded: Path, bottle: Path, cut: Cut, words: str
) -> None:
    with pytest.raises(BadRecording, match=words):
        open_source(recorded, cut)
    if cut.begin_s == 60:
        with pytest.raises(BadRecording, match=r"it ends at 0:39.*, before 1:00"):
            open_source(bottle, cut)


def test_other_recordings_are_cut_too(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", fps=10, count=40, size=(64, 48))
    recording = open_source(video, Cut(2, 3)).shown["camera"]
    frames = list(islice(recording.frames(), 12))
    assert [round(each.at_s, 2) for each in frames] == [round(n / 10, 2) for n in range(12)]
    lumas = [float(np.frombuffer(each.frame.planes[0], np.uint8).mean()) for each in frames]
    whole = next(islice(Recording.open(video).frames(), 20, None))
    assert lumas[0] == float(np.frombuffer(whole.frame.planes[0], np.uint8).mean())
    # The cut starts over after its last frame.
    assert lumas[10] == pytest.approx(lumas[0], abs=2)
    assert recording.duration_s == pytest.approx(1)


def test_a_recording_that_was_broken_off_is_played_as_far_as_it_goes(recorded: Path) -> None:
    media = recorded / "call.mkv"
    data = media.read_bytes()
    lines = (recorded / "call.jsonl").read_bytes()
    (recorded / "call.jsonl").write_bytes(lines[:-30])
    refused = ""
    pieces = [data[: len(data) * part // 12] for part in (9, 4)]
    for piece in (*pieces, data[:40], b"", bytes(5000)):
        media.write_bytes(piece)
        try:
            source = open_source(recorded, WHOLE)
        except BadRecording as error:
            refused = str(error)
            assert str(media) in refused
            assert piece == bytes(5000)
        else:
            assert "hello" in [what for _, what in done(source)]
            assert bool(source.shown) is (piece in pieces)
            assert bool(source.notes) is (piece not in pieces)
    assert refused
    # Its lines end at 0.3 s, its media later.
    media.write_bytes(data[: len(data) * 3 // 4])
    (recorded / "call.jsonl").write_bytes(b"".join(lines.splitlines(keepends=True)[:2]))
    assert done(open_source(recorded, Cut(0.2, 1.5)))[1] == (100, "hello")
    with pytest.raises(BadRecording, match="it ends at"):
        open_source(recorded, Cut(30))


@pytest.mark.parametrize(
    "message",
    [
        {"type": ["send-text"], "data": {"content": "x"}},
        {"type": "send-text", "data": {"content": 7}},
        {"type": "send-text", "data": {"content": "  "}, "label": None},
        {"type": "send-text", "data": [1]},
        {"type": "dtmf", "data": {"buttons": "x" * 100_000}},
        {"type": "signalling", "message": {"type": "trackStatus", "receiver_index": 9}},
        {"type": "send-text", "data": {"content": "x", "options": "none"}},
    ],
)
def test_whatever_a_line_holds_is_a_step_or_none(tmp_path: Path, message: dict) -> None:
    line = received(10, "ui-event").model_copy(update={"message": message})
    source = open_source(recorded_call(tmp_path / "c", line), WHOLE)
    for step in steps(source):
        if isinstance(step.action, SendMessage):
            assert len(json.dumps(dict(step.action.message))) < 65_536


def test_a_recording_of_too_many_steps_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision_agent.replay.recorded_steps.MAX_STEPS", 3)
    folder = recorded_call(tmp_path / "c", *(typed(n, "x") for n in range(4)))
    with pytest.raises(BadRecording, match="more than 3 typed lines"):
        open_source(folder, WHOLE)
