import numpy as np
import pytest
from google.genai import types

from vision_agent.live.connection.answer_splice import OUTPUT_MIME
from vision_agent.live.connection.sound_form import SoundForm

TONE = (8000 * np.sin(np.arange(4800) * 2 * np.pi * 440 / 24_000)).astype("<i2").tobytes()


def sent_as(mime: str, data: bytes = TONE) -> types.LiveServerMessage:
    part = types.Part(inline_data=types.Blob(data=data, mime_type=mime))
    turn = types.Content(role="model", parts=[part])
    return types.LiveServerMessage(server_content=types.LiveServerContent(model_turn=turn))


def sound(message: types.LiveServerMessage) -> types.Blob | None:
    return message.server_content.model_turn.parts[0].inline_data


@pytest.mark.parametrize(
    "mime",
    [
        "audio/pcm;rate=24000",
        "audio/pcm",
        "Audio/PCM; Rate=24000",
        "audio/L16;codec=pcm;rate=24000",
        "audio/pcm;rate=24000;channels=1",
        "audio/pcm;rate=x",
    ],
)
def test_the_same_form_under_another_name_is_played_as_it_is(mime):
    message = sent_as(mime)
    assert SoundForm().received(message) is None
    assert sound(message) == types.Blob(data=TONE, mime_type=OUTPUT_MIME)


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 48_000])
def test_another_rate_lasts_as_long_and_has_the_same_pitch(rate_hz):
    tone = 8000 * np.sin(np.arange(rate_hz) * 2 * np.pi * 440 / rate_hz)
    pcm = tone.astype("<i2").tobytes()
    form, heard = SoundForm(), b""
    for at in range(0, len(pcm), 1001):  # odd: no piece ends with a whole sample
        message = sent_as(f"audio/pcm;rate={rate_hz}", pcm[at : at + 1001])
        assert form.received(message) is None
        assert sound(message).mime_type == OUTPUT_MIME
        heard += sound(message).data
    samples = np.frombuffer(heard, "<i2")
    assert 23_500 < len(samples) <= 24_000
    spectrum = np.abs(np.fft.rfft(samples))
    assert abs(spectrum.argmax() * 24_000 / len(samples) - 440) < 2


@pytest.mark.parametrize(
    "mime",
    [
        "audio/ogg;codecs=opus",
        "audio/wav",
        "audio/L16;rate=24000",
        "audio/pcm;rate=24000;channels=2",
        "audio/pcm;rate=0",
        "audio/pcm;rate=999999999",
        "audio/pcmu;rate=8000",
    ],
)
def test_what_cannot_be_played_is_told_once_and_left_out(mime, caplog):
    form = SoundForm()
    first, second = sent_as(mime), sent_as(mime)
    assert mime in form.received(first)
    assert form.received(second) is None
    assert (sound(first), sound(second)) == (None, None)
    assert caplog.text.count("can't be played") == 1


@pytest.mark.parametrize("mime", ["image/png", None])
def test_what_is_no_sound_is_left_alone(mime):
    message = sent_as(mime, b"\x89PNG")
    assert SoundForm().received(message) is None
    assert sound(message) == types.Blob(data=b"\x89PNG", mime_type=mime)


def test_messages_without_parts_are_passed_over():
    form = SoundForm()
    for message in (
        types.LiveServerMessage(),
        types.LiveServerMessage(server_content=types.LiveServerContent()),
        types.LiveServerMessage(
            server_content=types.LiveServerContent(model_turn=types.Content(parts=None))
        ),
    ):
        assert form.received(message) is None
