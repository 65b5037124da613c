"""Chooses the codecs of an offered section, and writes them so that aiortc understands them.

aiortc knows H.264 of the (Constrained) Baseline profile with packetization mode 1 only. The decoder
is FFmpeg's, which decodes any profile, and a depacketizer for mode 1 reads mode 0 as well
(RFC 6184 6.3). So all H.264 is given to aiortc under those parameters, and the answer states the
offered ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from vision_agent.rtc.aiortc_rtp import DYNAMIC_PAYLOAD_TYPES
from vision_agent.rtc.h264_parameter_sets import stated_parameter_sets
from vision_agent.rtc.session_description import Section

OPUS, G722, PCMU, PCMA = "opus", "g722", "pcmu", "pcma"
_AUDIO_CLOCK_HZ = {OPUS: 48_000, G722: 8000, PCMU: 8000, PCMA: 8000}
# RFC 3551 6: these numbers need no a=rtpmap line.
_STATIC = {"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000"}
_VIDEO_CLOCK_HZ = 90_000
_H264_FOR_AIORTC = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
_PROFILE_LEVEL_ID = re.compile(r"[0-9a-f]{6}", re.IGNORECASE)
_H264_PARAMETERS = ("profile-level-id", "packetization-mode", "level-asymmetry-allowed")
_HELPERS = {"rtx", "red", "ulpfec", "flexfec-03", "cn", "telephone-event"}
_MAX_NAMED = 4


@dataclass(frozen=True, slots=True)
class ChosenCodecs:
    """What a section uses of the codecs that it offers.

    Attributes:
        formats: the payload types, in the order of the offer.
        attributes: the values of ``rtpmap``, ``fmtp`` and ``rtcp-fb``, as aiortc understands them.
        answered: the parameters that the answer states for a payload type in place of aiortc's.
        name: the codec of an audio section.
        renamed: the name and clock of a codec that aiortc is given under another name.
        parameter_sets: those that the section states of its H.264 (Annex B); empty if it does not.
    """

    formats: list[str]
    attributes: dict[str, list[str]]
    answered: dict[str, str]
    name: str = ""
    renamed: dict[str, str] = field(default_factory=dict)
    parameter_sets: bytes = b""


@dataclass(frozen=True, slots=True)
class _Codec:
    payload_type: str
    rtpmap: str
    name: str
    clock_hz: int
    parameters: dict[str, str]


def choose_audio(section: Section) -> ChosenCodecs | None:
    """The one codec of an audio section: Opus, or else G.722 (wideband), or else G.711.

    Returns:
        None if the section offers none of them.
    """
    found = [c for c in _codecs(section) if c.clock_hz == _AUDIO_CLOCK_HZ.get(c.name)]
    for wanted in ({OPUS}, {G722}, {PCMU, PCMA}):
        for codec in found:
            if codec.name in wanted:
                return replace(_chosen(section, [codec], {}, codec.name), renamed=_mono(codec))
    return None


def choose_video(section: Section) -> ChosenCodecs | None:
    """The codecs of a video section: VP8 and Baseline H.264, or else H.264 of any kind.

    Returns:
        None if the section offers none of them.
    """
    offered = _codecs(section)
    usual = [c for c in offered if _is_vp8(c) or (_is_h264(c) and _is_baseline(c))]
    media = usual or [c for c in offered if _is_h264(c)]
    if not media:
        return None
    numbers = {codec.payload_type for codec in media}
    rtx = [c for c in offered if c.name == "rtx" and c.parameters.get("apt") in numbers]
    chosen = [codec for codec in offered if codec in media or codec in rtx]
    h264 = [codec for codec in media if _is_h264(codec)]
    sets = (stated_parameter_sets(c.parameters.get("sprop-parameter-sets", "")) for c in h264)
    return replace(
        _chosen(section, chosen, {codec.payload_type: _stated(codec) for codec in h264}),
        parameter_sets=next(filter(None, sets), b""),
    )


def stand_in_for_video(section: Section) -> ChosenCodecs | None:
    """A codec that nobody can decode here, under the name of one that aiortc knows.

    It keeps the transport of a section on which nothing is sent.

    Returns:
        None if the section offers no codec at all.
    """
    for codec in _codecs(section):
        if codec.name not in _HELPERS and codec.clock_hz == _VIDEO_CLOCK_HZ:
            number = codec.payload_type
            attributes = {"rtpmap": [f"{number} VP8/{codec.clock_hz}"]}
            return ChosenCodecs([number], attributes, {}, renamed={number: codec.rtpmap})
    return None


def codec_names(section: Section, *, rates: bool = False) -> str:
    """The names of a section's codecs for a sentence, without helpers such as RTX.

    Args:
        section: an offered section.
        rates: whether the names have their clock rate: "opus/16000".
    """
    names: dict[str, None] = {}
    for codec in _codecs(section):
        if codec.name not in _HELPERS:
            name = codec.rtpmap.split("/")[0][:16]
            names[f"{name}/{codec.clock_hz}" if rates else name] = None
    shown = list(names)[:_MAX_NAMED]
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]])) or "no known codec"


def _codecs(section: Section) -> list[_Codec]:
    """The codecs that a section both lists and defines, in the order of the media line."""
    defined: dict[str, str] = {}
    for value in section.attributes.get("rtpmap", []):
        number, _, rtpmap = value.partition(" ")
        defined.setdefault(number, rtpmap.strip())
    parameters: dict[str, str] = {}
    for value in section.attributes.get("fmtp", []):
        number, _, text = value.partition(" ")
        parameters.setdefault(number, text)
    codecs = []
    for number in dict.fromkeys(section.formats):
        rtpmap = defined.get(number) or _STATIC.get(number, "")
        name, _, rest = rtpmap.partition("/")
        clock = rest.partition("/")[0]
        readable = rtpmap.isascii() and rtpmap.isprintable() and clock.isdigit()
        if readable and _is_usable(number, name.lower()):
            codecs.append(
                _Codec(
                    number,
                    rtpmap,
                    name.lower(),
                    int(clock[:9]),
                    _parameters(parameters.get(number, "")),
                )
            )
    return codecs


def _is_usable(number: str, name: str) -> bool:
    """Whether a payload type can be answered: a dynamic one, or a codec's own (RFC 3551 6)."""
    if not (number.isascii() and number.isdigit() and len(number) < 4):
        return False
    own = _STATIC.get(number, "").partition("/")[0].lower()
    return name == own if own else int(number) in DYNAMIC_PAYLOAD_TYPES


def _parameters(text: str) -> dict[str, str]:
    found = {}
    for part in text.split(";"):
        name, _, value = part.strip().partition("=")
        found[name.strip().lower()] = value.strip()
    return found


def _mono(codec: _Codec) -> dict[str, str]:
    """The name under which Opus is answered if it lacks the two channels of RFC 7587 7."""
    lacking = codec.rtpmap.lower() in ("opus/48000", "opus/48000/1")
    return {codec.payload_type: codec.rtpmap} if lacking else {}


def _is_vp8(codec: _Codec) -> bool:
    return codec.name == "vp8" and codec.clock_hz == _VIDEO_CLOCK_HZ


def _is_h264(codec: _Codec) -> bool:
    """Whether a codec is H.264 that can be depacketized: mode 2 interleaves (RFC 6184 5.4)."""
    profile = codec.parameters.get("profile-level-id")
    return (
        codec.name == "h264"
        and codec.clock_hz == _VIDEO_CLOCK_HZ
        and codec.parameters.get("packetization-mode", "0") in ("0", "1")
        and (profile is None or _PROFILE_LEVEL_ID.fullmatch(profile) is not None)
    )


def _is_baseline(codec: _Codec) -> bool:
    return (
        codec.parameters.get("packetization-mode") == "1"
        and codec.parameters.get("profile-level-id", "42")[:2] == "42"
    )


def _stated(codec: _Codec) -> str:
    stated = [(name, codec.parameters.get(name)) for name in _H264_PARAMETERS]
    return ";".join(f"{name}={value}" for name, value in stated if value and value.isalnum())


def _chosen(
    section: Section, codecs: list[_Codec], answered: dict[str, str], name: str = ""
) -> ChosenCodecs:
    numbers = [codec.payload_type for codec in codecs]
    channels = "/2" if name == OPUS else ""
    fmtp = [f"{number} {_H264_FOR_AIORTC}" for number in answered]
    fmtp += [f"{c.payload_type} apt={c.parameters['apt']}" for c in codecs if c.name == "rtx"]
    feedback = [value.split() for value in section.attributes.get("rtcp-fb", [])]
    return ChosenCodecs(
        numbers,
        {
            "rtpmap": [f"{c.payload_type} {c.name}/{c.clock_hz}{channels}" for c in codecs],
            "fmtp": fmtp,
            "rtcp-fb": [" ".join(f) for f in feedback if len(f) > 1 and f[0] in {*numbers, "*"}],
        },
        answered,
        name,
    )
