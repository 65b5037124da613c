"""`vision-agent talk` as its users run it: with virtual devices, with a pipe, with none."""

import asyncio
import os
import pty
import signal
import termios
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import serving
from tests.support.scenarios import ASKS_FOR_A_COLOUR, IN_TONES

from .pulse import pulse_audio
from .talking import Talk, talking

pytestmark = pytest.mark.timeout(400)


def said(talk: Talk, who: str) -> list[str]:
    return [line for line in talk.text.splitlines() if line.startswith(f"{who}: ")]


def sides(recording: Path) -> np.ndarray:
    """Both channels of a stereo WAV, shape (2, samples); asserts its format."""
    with wave.open(str(recording)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 48_000, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return samples.reshape(-1, 2).T.astype(float)


async def test_a_question_spoken_into_the_microphone_is_answered_by_the_speaker(
    tmp_path: Path, recordings: Path, slow_bottle: Path
) -> None:
    from_speaker, recorded = tmp_path / "speaker.raw", tmp_path / "both.wav"
    (tmp_path / "pulse").mkdir()
    with pulse_audio(tmp_path / "pulse") as pulse, pulse.listening(from_speaker):
        async with serving("--scenario", str(IN_TONES)) as server:
            # The stopped server answers nothing until it is continued.
            os.kill(server.pid, signal.SIGSTOP)
            arguments = ["--input", "VirtualMic", "--output", "VirtualSpeaker", "--url", server.url]
            camera = ["--camera", slow_bottle, "--record", recorded]
            async with talking(*arguments, *camera, env=pulse.environment) as talk:
                await pulse.until_recorded()
                # There is no call yet, so nobody may receive this.
                pulse.play_into_microphone(recordings / "speech" / "hello.wav").wait()
                os.kill(server.pid, signal.SIGCONT)
                await talk.until("Talk now")
                pulse.play_into_microphone(recordings / "speech" / "what-colour-is-this.wav").wait()
                # The banner names the agent too; on a busy machine a word of the question may get
                # lost.
                await talk.until("\nAgent: ")
                assert "what col" in said(talk, "You")[0].lower()
                assert "hello" not in said(talk, "You")[0].lower()
                assert "answered after" in talk.text
                assert "echo cancelled" in talk.text
                talk.process.send_signal(signal.SIGINT)
                assert await talk.ends() == 0, talk.text
    assert "Traceback" not in talk.text
    pcm = from_speaker.read_bytes()
    played = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16)
    assert np.abs(played).max() > 1000, "the speaker played the agent's voice"
    caller, agent = sides(recorded)
    assert np.abs(caller).max() > 1000
    assert np.abs(agent).max() > 1000
    # In the recording, too, the answer follows the question.
    assert np.argmax(np.abs(caller) > 1000) < np.argmax(np.abs(agent) > 1000)


async def test_typed_lines_from_a_pipe_are_answered_one_by_one_by_a_server_that_runs(
    slow_bottle: Path,
) -> None:
    async with serving("--scenario", str(IN_TONES)) as server:
        camera = ["--camera", slow_bottle, "--url", server.url]
        pipe = {"stdin": asyncio.subprocess.PIPE}
        async with talking("--text", *camera, "--output", "none", **pipe) as talk:
            talk.process.stdin.write(b"hello\nwhat colour is this?")
            talk.process.stdin.close()
            assert await talk.ends(150) == 0, talk.text
            lines = [line for line in talk.text.splitlines() if line.startswith(("You", "Agent"))]
            assert [line.split(":")[0] for line in lines] == ["You", "Agent", "You", "Agent"]

        async with talking("--text", "--voice", "Korre", "--url", server.url) as talk:
            assert await talk.ends() == 1
            assert "Nearest: Kore" in talk.text

        # A call in text on the same server: no voice is waited for.
        async with talking("--text", "--modality", "text", "--url", server.url, **pipe) as talk:
            talk.process.stdin.write(b"hello\n")
            talk.process.stdin.close()
            assert await talk.ends(150) == 0, talk.text
            assert "Agent: Hello" in talk.text
            assert "answered after" not in talk.text


async def test_the_demo_needs_no_device_and_every_question_is_answered(tmp_path: Path) -> None:
    both, voice = tmp_path / "both.wav", tmp_path / "voice.wav"
    async with talking("--demo", "--record", both, "--wav", voice) as talk:
        assert await talk.ends(150) == 0, talk.text
    assert len(said(talk, "Agent")) >= 4  # its name, then an answer to each of three questions
    assert talk.text.count("answered after") >= 3
    with wave.open(str(voice)) as file:
        assert file.getnframes() > 48_000
    assert (np.abs(sides(both)).max(axis=1) > 1000).all()


async def test_push_to_talk_in_a_terminal_and_the_terminal_is_as_before(
    tmp_path: Path, recordings: Path
) -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    (tmp_path / "pulse").mkdir()
    with pulse_audio(tmp_path / "pulse") as pulse:
        async with talking(
            *("--push-to-talk", "--camera", "none"),
            stdin=theirs,
            env=pulse.environment | {"VISION_AGENT_SCENARIO": str(ASKS_FOR_A_COLOUR)},
        ) as talk:
            await talk.until("(microphone off)")
            os.write(ours, b" ")
            await talk.until("(microphone on)")
            pulse.play_into_microphone(recordings / "speech" / "hello-slt.wav").wait()
            os.write(ours, b" ")
            await talk.until("\nAgent: ")
            assert said(talk, "You")
            assert termios.tcgetattr(theirs)[3] != before[3]
            os.write(ours, b"q")
            assert await talk.ends() == 0, talk.text
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "neither microphone nor speaker"),
        (("--text", "--push-to-talk"), "choose one"),
        (("--demo", "--record", "both.mp3"), "must end in .wav"),
        (("--text", "--camera", "7"), "gives no picture"),
        (("--text", "--camera", "nothing.mp4"), "no file"),
        (("--text", "--output", "Loud"), "speaker"),
        (("--text", "--preview"), "needs a display"),
        (("--text", "--screen"), "share the screen from the page"),
    ],
)
async def test_what_can_not_be_is_said_before_anything_is_started(arguments, words) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    # A sound system of this name has no devices, whatever this machine has.
    async with talking(*arguments, env=environment | {"SDL_AUDIODRIVER": "none"}) as talk:
        assert await talk.ends() == 2
    assert words in talk.text.replace("\n", " ")
    assert "Traceback" not in talk.text
    assert "Agent:" not in talk.text
