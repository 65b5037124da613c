"""Checks an offer before anything is built for it.

aiortc parses SDP on the event loop, in time quadratic in the number of lines, where no timeout can
interrupt it: 64 KB of ``rtpmap`` and ``rtcp-fb:*`` lines block the loop for 7 s, 1 MB of ``ssrc``
lines for 54 s. It accepts garbage and gives an empty answer. So the text is first checked against
bounds, in one pass without regular expressions, and refused with a sentence.

aiortc is then given a rewritten description of the sections that are used, in one notation for what
stacks write in several. Anything else in an offer can't be malformed for aiortc, and an unusable
section is rejected in the answer (port 0) instead of the whole offer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count, zip_longest

from vision_agent.rtc.bad_offer import BadOffer
from vision_agent.rtc.candidate import Candidate
from vision_agent.rtc.offered_sections import UsedSection, used_sections
from vision_agent.rtc.offered_transport import DATA_FORMAT, transport_of
from vision_agent.rtc.own.aiortc.sdp import DIRECTIONS, SessionDescription
from vision_agent.rtc.session_description import Section, SessionText

MAX_MID_CHARS = 32
# The exceptions that aiortc's parser raises for malformed text.
_PARSE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    StopIteration,
    TypeError,
    ValueError,
)


class CannotRenegotiate(ValueError):
    """A connection can't continue with an offer; the text is one sentence for the caller."""


@dataclass(frozen=True, slots=True)
class OfferedSection:
    """One ``m=`` section as the answer has to mirror it.

    Attributes:
        kind: the media type.
        mid: the section's identifier; empty if the offer gives none.
        profile: the media line's transport profile.
        formats: the media line's formats, separated by spaces.
        accepted: whether the section is used; otherwise it is answered with port 0.
        credentials: the ICE user name and password; new ones are an ICE restart (RFC 8839 4.4.1).
        receives: whether the caller takes media on it.
        parameters: what the answer states (``fmtp``) for a payload type in place of aiortc's own.
        codec: the codec of an audio section that is used.
        renamed: the name and clock that the answer states for a payload type in place of aiortc's.
        stopped: whether it was used and is rejected now, for good (`continued`).
        parameter_sets: those of its H.264, if it states them.
    """

    kind: str
    mid: str
    profile: str
    formats: str
    accepted: bool
    credentials: tuple[str, str] = ("", "")
    receives: bool = True
    parameters: dict[str, str] = field(default_factory=dict)
    codec: str = ""
    renamed: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    parameter_sets: bytes = b""

    @property
    def in_sdp(self) -> bool:
        """Whether aiortc is given the section."""
        return self.accepted or self.stopped


@dataclass(frozen=True, slots=True)
class OfferedCandidate:
    """A candidate together with the identifier and index of the section it belongs to."""

    candidate: Candidate
    mid: str | None
    index: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A session description from which a call can be made; only `parse` makes one.

    Attributes:
        sdp: the description for aiortc: the sections that are used, without candidates.
        sections: every section, in the order of the offer.
        bundled: the identifiers in the BUNDLE group.
        candidates: the caller's candidates, without those of sections that share a transport.
        unused: a sentence for the caller about each section that sends something which is not used.
    """

    sdp: str
    sections: tuple[OfferedSection, ...]
    bundled: tuple[str, ...]
    candidates: tuple[OfferedCandidate, ...]
    unused: tuple[str, ...] = ()

    @classmethod
    def parse(cls, sdp: str) -> Offer:
        """Checks an offer against RFC 8866 and RFC 9429. Pure; takes a few ms for any input.

        Args:
            sdp: the offer as it was received.

        Raises:
            BadOffer: with one sentence for the caller.
        """
        text = SessionText.split(sdp)
        # Port 0 rejects a section, unless the section is bundle-only (RFC 9143 6).
        offered = [s for s in text.sections if s.port != 0 or "bundle-only" in s.attributes]
        if not offered:
            raise BadOffer("The offer has no media section.")
        group = _bundle(text.session)
        _check_mids(group, text.sections, offered)
        living = {section.first("mid"): section for section in reversed(offered)}
        tagged = next((living[mid] for mid in group if mid in living), None)
        used, unused = used_sections(offered, tagged)
        mids = _mids(used, group)
        accepted: list[Section] = []
        found: dict[int, OfferedSection] = {}
        for section, mid in zip(used, mids, strict=True):
            of = section.section
            shares = tagged if of.first("mid") in group else None
            transport = transport_of(of, text.session, shares)
            accepted.append(_for_aiortc(section, mid, transport, text.session))
            found[id(of)] = OfferedSection(
                of.kind,
                of.first("mid") or "",
                of.profile,
                " ".join(of.formats),
                True,
                (transport["ice-ufrag"][0], transport["ice-pwd"][0]),
                _direction(of, text.session) in ("recvonly", "sendrecv"),
                section.codecs.answered if section.codecs else {},
                section.codecs.name if section.codecs else "",
                section.codecs.renamed if section.codecs else {},
                parameter_sets=section.codecs.parameter_sets if section.codecs else b"",
            )
        bundled = tuple(mid for mid in group if mid in mids)
        lite = "ice-lite" in text.session.attributes
        normalised = _session(bundled, lite) + "".join(section.text() for section in accepted)
        candidates = _candidates(used, mids, bundled, tagged)
        _check_understood(normalised)
        return cls(
            normalised,
            tuple(found.get(id(s)) or _rejected(s) for s in text.sections),
            bundled,
            tuple(candidates),
            tuple(unused),
        )

    @property
    def parameter_sets(self) -> list[bytes]:
        """The H.264 parameter sets that each video section which aiortc is given states."""
        return [
            each.parameter_sets for each in self.sections if each.kind == "video" and each.in_sdp
        ]

    @property
    def has_audio(self) -> bool:
        """Whether there is a section on which the agent's voice can be sent."""
        return bool(self.voice_codec)

    @property
    def voice_codec(self) -> str:
        """The codec of the agent's voice; empty if there is no section for it."""
        audio = self._audio
        return audio[self.voice_at].codec if audio else ""

    @property
    def voice_at(self) -> int:
        """Which of the audio sections the voice is sent on: the second only if it is made for it.

        A caller may offer to send on one section and to receive on another one.
        """
        takes = [section.receives for section in self._audio]
        return int(takes == [False, True])

    @property
    def _audio(self) -> list[OfferedSection]:
        return [section for section in self.sections if section.codec and section.kind == "audio"]

    @property
    def hears(self) -> bool:
        """Whether the caller receives the agent's voice; an encoder that only sends does not."""
        return any(s.kind == "audio" and s.accepted and s.receives for s in self.sections)

    def is_of_the_connection_of(self, earlier: Offer) -> bool:
        """Whether both offers come from one peer connection, which their ICE credentials show."""
        ours = {section.credentials for section in self.sections if section.accepted}
        return bool(
            ours & {section.credentials for section in earlier.sections if section.accepted}
        )

    def has_section(self, mid: str) -> bool:
        """Whether a section has this identifier; any may have it where the offer gives none."""
        mids = {section.mid for section in self.sections}
        return mid in mids or mids == {""}

    def position(self, index: int) -> int | None:
        """The index in `sdp` of the section at `index` in the offer; None if it is not accepted."""
        if not 0 <= index < len(self.sections) or not self.sections[index].accepted:
            return None
        return sum(section.in_sdp for section in self.sections[:index])


def _rejected(section: Section) -> OfferedSection:
    return OfferedSection(
        section.kind,
        section.first("mid") or "",
        section.profile,
        " ".join(section.formats),
        False,
    )


def _bundle(session: Section) -> tuple[str, ...]:
    """The first BUNDLE group that has members, which is the one that aiortc chooses."""
    groups = [value.split() for value in session.attributes.get("group", [])]
    return next((tuple(g[1:]) for g in groups if g[0:1] == ["BUNDLE"] and g[1:]), ())


def _check_mids(group: tuple[str, ...], every: list[Section], offered: list[Section]) -> None:
    for section in every:
        mid = section.first("mid") or ""
        if len(mid) > MAX_MID_CHARS or any(not "!" <= char <= "~" for char in mid):
            raise BadOffer("The offer has an invalid section identifier (a=mid).")
        if len(section.attributes.get("mid", [])) > 1:
            raise BadOffer("The offer has a section with several identifiers (a=mid).")
    mids = [section.first("mid") for section in offered if section.first("mid")]
    if len(set(mids)) != len(mids):
        raise BadOffer("The offer's sections must each have an identifier of their own (a=mid).")
    if not set(group) <= {section.first("mid") for section in every}:
        raise BadOffer("The offer bundles a section that it does not have (a=group:BUNDLE).")


def _mids(used: list[UsedSection], group: tuple[str, ...]) -> list[str]:
    """The identifier of each section for aiortc, which needs one where the offer has none."""
    offered = [section.section.first("mid") for section in used]
    taken = {*offered, *group}
    free = (mid for n in count() if (mid := f"unnamed{n}") not in taken)
    return [mid or next(free) for mid in offered]


def _for_aiortc(
    used: UsedSection, mid: str, transport: dict[str, list[str]], session: Section
) -> Section:
    attributes = {"mid": [mid], **transport}
    if used.codecs is None:
        profile = "UDP/DTLS/SCTP" if used.formats == [DATA_FORMAT] else "DTLS/SCTP"
        return Section("application", 9, profile, used.formats, [], attributes | used.attributes)
    attributes["inactive" if used.idle else _direction(used.section, session)] = [""]
    attributes |= used.codecs.attributes | used.attributes
    return Section(used.section.kind, 9, "UDP/TLS/RTP/SAVPF", used.formats, [], attributes)


def _direction(section: Section, session: Section) -> str:
    """The direction of a section; the default is the session's, or else sendrecv (RFC 8866 6.7)."""
    places = (section.attributes, session.attributes)
    stated = [direction for place in places for direction in DIRECTIONS if direction in place]
    return stated[0] if stated else "sendrecv"


def _session(bundled: tuple[str, ...], lite: bool) -> str:
    lines = ["v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0", *(["a=ice-lite"] if lite else [])]
    lines += [f"a=group:BUNDLE {' '.join(bundled)}"] if bundled else []
    return "".join(f"{line}\r\n" for line in lines)


def _candidates(
    used: list[UsedSection], mids: list[str], bundled: tuple[str, ...], tagged: Section | None
) -> list[OfferedCandidate]:
    """The candidates of the transports that are used, after checking those of all used sections.

    Only the first few are sent checks. So the best of each kind and address family come before the
    second best of any: a caller with many interfaces may name forty addresses.
    """
    kinds: dict[tuple[int, str, bool], list[OfferedCandidate]] = {}
    for index, (section, mid) in enumerate(zip(used, mids, strict=True)):
        values = section.section.attributes.get("candidate", [])
        if mid in bundled[:1] and tagged is not None and tagged is not section.section:
            values = tagged.attributes.get("candidate", []) + values
        for candidate in [Candidate.parse(value) for value in values]:
            # The other sections of a group have no transport of their own.
            if mid not in bundled[1:]:
                kind = (index, candidate.kind if candidate.usable else "", ":" in candidate.host)
                kinds.setdefault(kind, []).append(OfferedCandidate(candidate, mid, index))
    for found in kinds.values():
        found.sort(key=lambda offered: offered.candidate.priority, reverse=True)
    tiers = zip_longest(*kinds.values())
    ordered = [candidate for tier in tiers for candidate in tier if candidate is not None]
    return sorted(ordered, key=lambda offered: not offered.candidate.usable)


def _check_understood(sdp: str) -> None:
    try:
        SessionDescription.parse(sdp)
    except _PARSE_ERRORS as error:
        raise BadOffer(
            "The offer could not be understood: one of its lines is malformed."
        ) from error
