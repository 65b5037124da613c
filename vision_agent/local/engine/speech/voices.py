"""Maps the voice names and languages of the Live API to espeak-ng's voices. Pure."""

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


DEFAULT_VOICE = EspeakVoice("", 44, 162, 55)
"""Clear and even; used if no voice or an unknown one is requested.

It is the language's own voice, espeak-ng's most refined. Of the natural sounding voices only `m6`
is more intelligible (64 % word errors in pocketsphinx, against 73 to 88 % with m2 to m4).
"""

# The Live API's voice names, each with the character that its documentation gives. They differ most
# by pitch: 2 steps of the 0 to 99 scale are audible only within one variant.
VOICES: dict[str, EspeakVoice] = {
    "Zephyr": EspeakVoice("f2", 62, 178, 65),  # bright
    "Puck": EspeakVoice("m1", 64, 185, 75),  # upbeat
    "Charon": EspeakVoice("m3", 30, 160, 45),  # informative
    "Kore": EspeakVoice("f1", 48, 165, 40),  # firm
    "Fenrir": EspeakVoice("m5", 58, 195, 85),  # excitable
    "Leda": EspeakVoice("f4", 80, 180, 65),  # youthful
    "Orus": EspeakVoice("m4", 34, 158, 35),  # firm
    "Aoede": EspeakVoice("f3", 54, 172, 60),  # breezy
    "Callirrhoe": EspeakVoice("f2", 46, 152, 50),  # easy-going
    "Autonoe": EspeakVoice("f4", 60, 172, 60),  # bright
    "Enceladus": EspeakVoice("m7", 40, 148, 40),  # breathy
    "Iapetus": EspeakVoice("m2", 50, 165, 50),  # clear
    "Umbriel": EspeakVoice("m6", 48, 150, 45),  # easy-going
    "Algieba": EspeakVoice("klatt3", 36, 158, 45),  # smooth
    "Despina": EspeakVoice("f3", 44, 160, 45),  # smooth
    "Erinome": EspeakVoice("f1", 66, 168, 50),  # clear
    "Algenib": EspeakVoice("klatt4", 22, 150, 35),  # gravelly
    "Rasalgethi": EspeakVoice("klatt6", 46, 165, 50),  # informative
    "Laomedeia": EspeakVoice("f1", 86, 185, 75),  # upbeat
    "Achernar": EspeakVoice("f5", 44, 152, 40),  # soft
    "Alnilam": EspeakVoice("m2", 28, 160, 35),  # firm
    "Schedar": EspeakVoice("klatt", 42, 162, 20),  # even
    "Gacrux": EspeakVoice("f1", 26, 150, 40),  # mature
    "Pulcherrima": EspeakVoice("f5", 72, 178, 65),  # forward
    "Achird": EspeakVoice("m1", 44, 168, 60),  # friendly
    "Zubenelgenubi": EspeakVoice("m6", 66, 175, 55),  # casual
    "Vindemiatrix": EspeakVoice("f2", 28, 148, 40),  # gentle
    "Sadachbia": EspeakVoice("m4", 68, 190, 75),  # lively
    "Sadaltager": EspeakVoice("klatt2", 58, 160, 50),  # knowledgeable
    "Sulafat": EspeakVoice("f3", 28, 155, 50),  # warm
}

QUESTION_VOICE = EspeakVoice("m6", 50, 175, 50)
"""The espeak-ng voice that the engine's own recogniser understands best.

Of 20 questions and greetings over faint noise, single words ("hello", "goodbye") among them, the
recogniser understood 17 (`klatt5` 14 to 16, `m3` 15, `klatt3` 14).
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


def voice_named(name: str | None) -> EspeakVoice:
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
