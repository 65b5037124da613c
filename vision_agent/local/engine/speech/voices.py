"""Maps the voice names and languages of the Live API to the voices of the synthesisers. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """The settings of espeak-ng for one speaker; the language is separate.

    Attributes:
        variant: A voice variant in espeak-ng's data (``m3``, ``f2``, ``klatt``, …); empty for
            the language's own voice.
        pitch: Base pitch, 0 to 99; 50 is the variant's own.
        rate_wpm: Speed in words per minute, 80 to 450.
        pitch_range: Pitch range, 0 (monotone) to 99; 50 is the variant's own.
    """

    variant: str
    pitch: int
    rate_wpm: int
    pitch_range: int


@dataclass(frozen=True, slots=True)
class VoiceShape:
    """How the English voice becomes another speaker; the defaults leave it as it is.

    Attributes:
        pitch: Factor of the fundamental frequency; the voice's own is about 190 Hz.
        formants: Factor of the frequencies of the envelope; below 1 for a longer vocal tract.
        melody: Factor of the movements of the pitch, in octaves, around its middle.
        pace: Factor of the speed.
        tilt_db: By how much each octave is louder than the one below.
        breath_db: Gain of the aperiodic part in voiced frames, in dB.
    """

    pitch: float = 1.0
    formants: float = 1.0
    melody: float = 1.0
    pace: float = 1.0
    tilt_db: float = 0.0
    breath_db: float = 0.0

    @property
    def keeps_the_voice(self) -> bool:
        """Whether harmonics and envelope stay unchanged."""
        return self.pitch == self.formants == self.melody == 1 and self.tilt_db == 0


@dataclass(frozen=True, slots=True)
class Voice:
    """One speaker, in English and in the languages of espeak-ng."""

    english: VoiceShape
    espeak: EspeakVoice


DEFAULT_VOICE = Voice(VoiceShape(), EspeakVoice("", 44, 162, 55))
"""Used if no voice or an unknown one is requested: the most refined of each synthesiser."""

# The Live API's voice names, each with the character that its documentation gives. The men's have
# formants below 0.93, which distinguishes a man's low voice from a woman's.
VOICES: dict[str, Voice] = {
    # bright
    "Zephyr": Voice(VoiceShape(1.19, 1.02, 1.15, 1.25, 2.0), EspeakVoice("f2", 62, 178, 65)),
    # upbeat
    "Puck": Voice(VoiceShape(0.76, 0.88, 1.25, 1.1, -0.5), EspeakVoice("m1", 64, 185, 75)),
    # informative
    "Charon": Voice(VoiceShape(0.56, 0.82, 0.9, 0.85, -0.5), EspeakVoice("m3", 30, 160, 45)),
    # firm
    "Kore": Voice(VoiceShape(0.92, 1.03, 0.8, 1.1, 1.0), EspeakVoice("f1", 48, 165, 40)),
    # excitable
    "Fenrir": Voice(VoiceShape(0.69, 0.89, 1.4, 1.25, 0.5), EspeakVoice("m5", 58, 195, 85)),
    # youthful
    "Leda": Voice(VoiceShape(1.32, 1.13, 1.15, 1.1, -1.0), EspeakVoice("f4", 80, 180, 65)),
    # firm
    "Orus": Voice(VoiceShape(0.64, 0.81, 0.75, 0.85, 1.5), EspeakVoice("m4", 34, 158, 35)),
    # breezy
    "Aoede": Voice(VoiceShape(1.16, 1.0, 1.1, 1.25, -1.0, 4.0), EspeakVoice("f3", 54, 172, 60)),
    # easy-going
    "Callirrhoe": Voice(VoiceShape(0.95, 0.98, 0.9, 0.85, -1.5), EspeakVoice("f2", 46, 152, 50)),
    # bright
    "Autonoe": Voice(VoiceShape(1.11, 1.06, 1.05, 1.05), EspeakVoice("f4", 60, 172, 60)),
    # breathy
    "Enceladus": Voice(VoiceShape(0.59, 0.84, 0.8, 0.85, -0.5, 6), EspeakVoice("m7", 40, 148, 40)),
    # clear
    "Iapetus": Voice(VoiceShape(0.69, 0.88, 1.0, 0.85, 1.5), EspeakVoice("m2", 50, 165, 50)),
    # easy-going
    "Umbriel": Voice(VoiceShape(0.59, 0.87, 0.85, 0.85, -1.5), EspeakVoice("m6", 48, 150, 45)),
    # smooth
    "Algieba": Voice(VoiceShape(0.54, 0.88, 0.8, 0.9, -1.5), EspeakVoice("klatt3", 36, 158, 45)),
    # smooth
    "Despina": Voice(VoiceShape(0.89, 1.07, 0.8, 0.9, -2.5), EspeakVoice("f3", 44, 160, 45)),
    # clear
    "Erinome": Voice(VoiceShape(1.05, 0.98, 1.0, 0.85, 1.0), EspeakVoice("f1", 66, 168, 50)),
    # gravelly
    "Algenib": Voice(VoiceShape(0.45, 0.8, 0.7, 0.85, 1.0), EspeakVoice("klatt4", 22, 150, 35)),
    # informative
    "Rasalgethi": Voice(VoiceShape(0.62, 0.82, 1.0, 1.05), EspeakVoice("klatt6", 46, 165, 50)),
    # upbeat
    "Laomedeia": Voice(VoiceShape(1.32, 1.01, 1.3, 1.2, 1.0), EspeakVoice("f1", 86, 185, 75)),
    # soft
    "Achernar": Voice(VoiceShape(1.03, 1.08, 0.8, 0.9, -2.5, 3.0), EspeakVoice("f5", 44, 152, 40)),
    # firm
    "Alnilam": Voice(VoiceShape(0.47, 0.86, 0.75, 1.0), EspeakVoice("m2", 28, 160, 35)),
    # even
    "Schedar": Voice(VoiceShape(0.56, 0.85, 0.45, 1.1, 1.0), EspeakVoice("klatt", 42, 162, 20)),
    # mature
    "Gacrux": Voice(VoiceShape(0.83, 0.99, 0.85, 0.85, -0.5), EspeakVoice("f1", 26, 150, 40)),
    # forward
    "Pulcherrima": Voice(VoiceShape(1.09, 0.97, 1.1, 1.2, 1.5), EspeakVoice("f5", 72, 178, 65)),
    # friendly
    "Achird": Voice(VoiceShape(0.69, 0.88, 1.15, 1.05, -1.0), EspeakVoice("m1", 44, 168, 60)),
    # casual
    "Zubenelgenubi": Voice(VoiceShape(0.59, 0.92, 0.9, 1.2, -1.0), EspeakVoice("m6", 66, 175, 55)),
    # gentle
    "Vindemiatrix": Voice(
        VoiceShape(0.86, 1.0, 0.75, 0.8, -1.5, 2), EspeakVoice("f2", 28, 148, 40)
    ),
    # lively
    "Sadachbia": Voice(VoiceShape(0.74, 0.9, 1.3, 1.25, 1.0), EspeakVoice("m4", 68, 190, 75)),
    # knowledgeable
    "Sadaltager": Voice(VoiceShape(0.52, 0.9, 0.95, 0.85, 0.8), EspeakVoice("klatt2", 58, 160, 50)),
    # warm
    "Sulafat": Voice(VoiceShape(0.89, 0.97, 1.0, 0.85), EspeakVoice("f3", 28, 155, 50)),
}

QUESTION_VOICE = Voice(VOICES["Charon"].english, EspeakVoice("m6", 50, 175, 50))
"""The voice that the engine's own recognisers understand best.

Of 21 questions and greetings over faint noise, single words ("hello", "goodbye") among them, the
grammar recogniser understood 19 (17 in the default voice, 16 in espeak-ng's), and Whisper 62 of 63
words (56 in espeak-ng's).
"""

_BY_LOWER = {name.lower(): voice for name, voice in VOICES.items()}

ENGLISH = "en-us"
# Languages whose code differs from espeak-ng's name, or whose plain name means another country's
# variant (espeak-ng's "en" is British).
_ESPEAK_NAMES = {
    "en": ENGLISH,
    "en-au": "en",
    "en-gb": "en",
    "en-ie": "en",
    "en-in": "en",
    "en-nz": "en",
    "en-za": "en",
    "es-mx": "es-419",
    "es-us": "es-419",
    "in": "id",
    "iw": "he",
    "no": "nb",
    "zh": "cmn",
    "zh-hk": "yue",
}
_LANGUAGE_CODE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}")


def voice_named(name: str | None) -> Voice:
    """Returns the settings for a voice of the Live API, in any case; the default if unknown."""
    return _BY_LOWER.get((name or "").strip().lower(), DEFAULT_VOICE)


def espeak_languages(language_code: str | None) -> tuple[str, ...]:
    """The espeak-ng languages to try, the best first; the last one is English, always available.

    Args:
        language_code: BCP-47, such as ``de-DE``. It comes from a client and espeak-ng would open it
            as a file, so only a value that looks like a language code is passed on.
    """
    code = (language_code or ENGLISH).strip().lower().replace("_", "-")
    if not _LANGUAGE_CODE.fullmatch(code):
        return (ENGLISH,)
    plain = code.split("-", 1)[0]
    tried = [_ESPEAK_NAMES.get(code, code), _ESPEAK_NAMES.get(plain, plain), ENGLISH]
    return tuple(dict.fromkeys(tried))
