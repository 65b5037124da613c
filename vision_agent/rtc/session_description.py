"""Splits the text of a session description (RFC 8866) into sections and attributes, bounded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from vision_agent.rtc.bad_offer import BadOffer

MAX_OFFER_BYTES = 32 * 1024
MAX_SECTIONS = 16
MAX_LINES_PER_SECTION = {
    "rtpmap": 64,
    "fmtp": 64,
    "rtcp-fb": 140,
    "candidate": 128,
    "ssrc": 128,
    "ssrc-group": 8,
    "extmap": 40,
    "fingerprint": 8,
    "sctpmap": 4,
}
MAX_OTHER_LINES = 120


@dataclass(slots=True)
class Section:
    """The session's own lines, or one ``m=`` section.

    Attributes:
        kind: "session", or the media type.
        port: the port of the media line; 0 rejects a section.
        profile: the media line's transport profile.
        formats: the media line's formats.
        others: the lines that are not attributes, in their order.
        attributes: the values of each attribute by name; an attribute without a value has an empty
            one.
    """

    kind: str
    port: int = 9
    profile: str = ""
    formats: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    attributes: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        """The first value of an attribute, or None."""
        values = self.attributes.get(name)
        return values[0] if values else None

    def text(self) -> str:
        """The section as text, its attributes grouped by name."""
        lines = list(self.others)
        if self.kind != "session":
            lines.insert(0, f"m={self.kind} {self.port} {self.profile} {' '.join(self.formats)}")
        for name, values in self.attributes.items():
            lines += [f"a={name}:{value}" if value else f"a={name}" for value in values]
        return "".join(f"{line}\r\n" for line in lines)


@dataclass(slots=True)
class SessionText:
    """A session description, split into the session's own lines and its sections."""

    session: Section
    sections: list[Section]

    @classmethod
    def split(cls, sdp: str) -> SessionText:
        """Splits a description in one pass.

        Raises:
            BadOffer: it is too long, is not a session description, or has too many lines, formats
                or sections.
        """
        if not isinstance(sdp, str):
            raise BadOffer("The offer must be text.")
        if len(sdp) > MAX_OFFER_BYTES:
            raise BadOffer(
                f"The offer is too long: {len(sdp)} characters, and at most {MAX_OFFER_BYTES} "
                "are read."
            )
        sdp = sdp.lstrip("\ufeff \t\r\n")
        if sdp.startswith(("a=", "m=", "candidate:", "{")):
            raise BadOffer(
                'The offer is a fragment: a whole session description begins with "v=0", and '
                "candidates that are found later are sent with PATCH."
            )
        if [line.strip() for line in sdp[:64].splitlines()[:1]] != ["v=0"]:
            raise BadOffer('The offer is not a session description: it must begin with "v=0".')
        session = Section("session")
        sections: list[Section] = []
        current, seen = session, Counter[str]()
        for line in map(str.strip, sdp.splitlines()):
            if line.startswith("m="):
                if len(sections) == MAX_SECTIONS:
                    raise BadOffer("The offer has too many media sections.")
                current, seen = _section(line), Counter()
                sections.append(current)
                continue
            if not line.startswith("a="):
                seen["other"] += 1
                current.others.append(line)
            else:
                name, _, value = line[2:].partition(":")
                bounded = name in MAX_LINES_PER_SECTION
                seen[name if bounded else "other"] += 1
                if bounded and seen[name] > MAX_LINES_PER_SECTION[name]:
                    raise BadOffer(f'The offer has too many "a={name}" lines in one section.')
                current.attributes.setdefault(name, []).append(value.strip())
            if seen["other"] > MAX_OTHER_LINES:
                raise BadOffer("The offer has too many lines in one section.")
        if not sections:
            raise BadOffer("The offer has no media section.")
        return cls(session, sections)


def _section(line: str) -> Section:
    words = line[2:].split()
    if len(words) < 4 or not (words[1].isascii() and words[1].isdigit() and len(words[1]) < 6):
        raise BadOffer(f"The offer has a malformed media line: {shown(line)}.")
    if len(words) > 3 + MAX_LINES_PER_SECTION["rtpmap"]:
        raise BadOffer("The offer lists too many formats in one section.")
    return Section(words[0], int(words[1]), words[2], words[3:])


def shown(text: str) -> str:
    """Quotes the beginning of a piece of the offer, short enough for a sentence."""
    return repr(text[:40])


def lines_by_section(sdp: str) -> tuple[list[str], list[list[str]]]:
    """The session's own lines, and those of each section."""
    session: list[str] = []
    sections: list[list[str]] = []
    for line in sdp.splitlines():
        if line.startswith("m="):
            sections.append([])
        (sections[-1] if sections else session).append(line)
    return session, sections
