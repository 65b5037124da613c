"""Decides which sections of an offer are used: a microphone, a camera, a screen, and data."""

from __future__ import annotations

from dataclasses import dataclass

from vision_agent.rtc.bad_offer import BadOffer
from vision_agent.rtc.offered_codecs import (
    ChosenCodecs,
    choose_audio,
    choose_video,
    codec_names,
    stand_in_for_video,
)
from vision_agent.rtc.offered_transport import DATA_FORMAT, data_attributes, is_data
from vision_agent.rtc.own.aiortc.codecs import HEADER_EXTENSIONS
from vision_agent.rtc.session_description import Section

MAX_VIDEO_SECTIONS = 2
_NO_VIDEO_CODEC = "The offer's video section must offer VP8 or H.264 (packetization-mode 0 or 1)."


@dataclass(frozen=True, slots=True)
class UsedSection:
    """A section that is used, and the part of it besides its transport that aiortc is given.

    Attributes:
        section: the section as it was offered.
        codecs: its codecs; None if it is for data channels.
        formats: the formats of its media line.
        attributes: its further attributes.
        idle: whether nothing is sent on it.
    """

    section: Section
    codecs: ChosenCodecs | None
    formats: list[str]
    attributes: dict[str, list[str]]
    idle: bool = False


def used_sections(
    offered: list[Section], tagged: Section | None
) -> tuple[list[UsedSection], list[str]]:
    """Chooses the sections that are used; the others are rejected in the answer.

    Args:
        offered: the sections that the caller does not reject itself.
        tagged: the one whose transport the others of a bundle share. It is not rejected, because
            not every stack finds another transport then (Chromium with max-bundle does not).

    Returns:
        The used sections in their order, and a sentence for the caller about each other section
        that sends sound or video.

    Raises:
        BadOffer: nothing can be used, or the caller could not be heard.
    """
    used: list[UsedSection] = []
    unused: list[str] = []
    lacking: list[str] = []
    unheard = ""
    spare = _spare_videos(offered, tagged)
    for section in offered:
        if section in spare:
            continue
        taken = sum(u.section.kind == section.kind for u in used)
        if section.kind == "audio":
            codecs = choose_audio(section)
            if codecs is None:
                unheard = _unheard(section)
                lacking.append(unheard)
            elif taken == 1 and _is_apart(used, section):
                used.append(_media(section, codecs))
            elif taken:
                first = next(u.section for u in used if u.section.kind == "audio")
                unused += _second_audio(first, section)
            else:
                used.append(_media(section, codecs))
        elif section.kind == "video":
            codecs = choose_video(section)
            if codecs is None:
                lacking.append(_NO_VIDEO_CODEC)
                unused += _unless_silent(section, _unseen(section))
                if section is tagged and (idle := stand_in_for_video(section)) is not None:
                    used.append(UsedSection(section, idle, idle.formats, {}, idle=True))
            elif taken == MAX_VIDEO_SECTIONS:
                unused += _unless_silent(section, "Only your camera and one screen are looked at.")
            else:
                used.append(_media(section, codecs))
        elif section.kind == "application" and is_data(section) and not taken:
            attributes = data_attributes(section)
            used.append(UsedSection(section, None, _data_formats(section), attributes))
    if all(section.idle for section in used):
        raise BadOffer(lacking[0] if lacking else "The offer has no section that could be used.")
    if unheard and not any(u.section.kind == "audio" for u in used):
        raise BadOffer(unheard)
    return used, unused


def _spare_videos(offered: list[Section], tagged: Section | None) -> list[Section]:
    """The inactive video sections, if there are more sections than are used and others send."""
    videos = [section for section in offered if section.kind == "video"]
    idle = [s for s in videos if "inactive" in s.attributes and s is not tagged]
    return idle if len(videos) > MAX_VIDEO_SECTIONS and len(idle) < len(videos) else []


def _is_apart(used: list[UsedSection], second: Section) -> bool:
    """Whether the caller's and the agent's voices have separate sections."""
    first = next(u.section for u in used if u.section.kind == "audio")
    directions = [{"sendonly", "recvonly"} & each.attributes.keys() for each in (first, second)]
    return sorted(directions, key=sorted) == [{"recvonly"}, {"sendonly"}]


def _second_audio(first: Section, second: Section) -> list[str]:
    """What the caller misses because only the first audio section is used."""
    one = "Offer one that sends and receives (a=sendrecv)."
    sends = not {"recvonly", "inactive"} & second.attributes.keys()
    receives = not {"sendonly", "inactive"} & second.attributes.keys()
    if sends and {"recvonly", "inactive"} & first.attributes.keys():
        return [f"Only your first audio section is used, and it sends nothing. {one}"]
    if receives and "sendonly" in first.attributes:
        return [f"The agent's voice is sent on your first audio section only. {one}"]
    return ["Only your first microphone is listened to."] if sends else []


def _media(section: Section, codecs: ChosenCodecs) -> UsedSection:
    attributes = {"extmap": _extensions(section), "ssrc": _sources(section)}
    return UsedSection(section, codecs, codecs.formats, attributes)


def _data_formats(section: Section) -> list[str]:
    old = section.profile == "DTLS/SCTP" and DATA_FORMAT not in section.formats
    return section.formats[:1] if old else [DATA_FORMAT]


def _unless_silent(section: Section, sentence: str) -> list[str]:
    silent = {"recvonly", "inactive"} & section.attributes.keys()
    return [] if silent else [sentence]


def _unheard(section: Section) -> str:
    return (
        "The offer's audio section must offer Opus (opus/48000/2), G.722 or G.711 (PCMU or PCMA), "
        f"and it offers {codec_names(section, rates=True)}."
    )


def _unseen(section: Section) -> str:
    return (
        f"The agent can't see your video: it is offered as {codec_names(section)}, and only VP8 "
        "and H.264 can be seen here."
    )


def _extensions(section: Section) -> list[str]:
    """The header extensions that aiortc uses.

    Raises:
        BadOffer: an extension has an invalid id.
    """
    wanted = {extension.uri for extension in HEADER_EXTENSIONS[section.kind]}
    found: dict[str, str] = {}
    for value in section.attributes.get("extmap", []):
        words = value.split()
        if len(words) < 2 or words[1] not in wanted:
            continue
        number = words[0].partition("/")[0]
        if not (number.isascii() and number.isdigit() and 0 < int(number[:9]) < 256):
            raise BadOffer("The offer has a header extension with an impossible id (a=extmap).")
        found.setdefault(words[1], f"{int(number)} {words[1]}")
    return list(found.values())


def _sources(section: Section) -> list[str]:
    """The first stream and its retransmissions; of simulcast, only one layer is received."""
    groups = [value.split() for value in section.attributes.get("ssrc-group", [])]
    pair = next((group[1:3] for group in groups if group[:1] == ["FID"]), [])
    lines = [value.split(maxsplit=1) for value in section.attributes.get("ssrc", [])]
    sources = pair or [words[0] for words in lines[:1] if words]
    numbers = [n for n in sources if n.isascii() and n.isdigit() and int(n[:11]) < 1 << 32]
    return [f"{number} cname:-" for number in numbers]
