"""Checks an offer before anything is built for it.

aiortc parses SDP on the event loop, in time quadratic in the number of lines, where no timeout can
interrupt it: 64 KB of ``rtpmap`` and ``rtcp-fb:*`` lines block the loop for 7 s, 1 MB of ``ssrc``
lines for 54 s. It accepts garbage and gives an empty answer. So the text is first checked against
bounds, in one pass without regular expressions, and refused with a sentence.

The bounds are per section: desktop Chrome offers 23 to 45 ``rtpmap`` lines for each video, and an
RTVI client has two videos (camera and screen).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from aiortc.codecs import CODECS
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.sdp import DIRECTIONS, MediaDescription, SessionDescription

from vision_agent.rtc.bad_offer import BadOffer
from vision_agent.rtc.candidate import Candidate
from vision_agent.rtc.session_description import Section, SessionText, shown

MAX_SECTIONS = {"audio": 1, "video": 2, "application": 1}
MIN_MESSAGE_BYTES = 16 * 1024
MAX_MID_CHARS = 32
DEFAULT_SCTP_PORT = 5000
_SETUP_ROLES = {"actpass", "active", "passive"}
_DIGESTS = {"sha-256", "sha-384", "sha-512"}
# The attributes that each section needs, its own or the session's, and their names in sentences.
_TRANSPORT = {
    "ice-ufrag": "an ICE user name (a=ice-ufrag)",
    "ice-pwd": "an ICE password (a=ice-pwd)",
    "fingerprint": "a certificate fingerprint (a=fingerprint)",
    "setup": "a DTLS role (a=setup)",
}
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
    """

    kind: str
    mid: str
    profile: str
    formats: str
    accepted: bool
    credentials: tuple[str, str] = ("", "")
    receives: bool = True


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
        sdp: the offer as it is given to aiortc: accepted sections only, with their inherited
            attributes written out, and without candidates.
        sections: every section, in the order of the offer.
        bundled: the identifiers in the BUNDLE group.
        candidates: the caller's candidates, without those of sections that share a transport.
    """

    sdp: str
    sections: tuple[OfferedSection, ...]
    bundled: tuple[str, ...]
    candidates: tuple[OfferedCandidate, ...]

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
        accepted = [s for s in text.sections if s.port != 0 or "bundle-only" in s.attributes]
        if not accepted:
            raise BadOffer("The offer has no media section.")
        _check_counts(accepted)
        _check_mids(text.session, text.sections, accepted)
        bundled = _bundle(text.session)
        for section in accepted:
            _inherit(section, text.session, accepted, bundled)
            _check_transport(section, text.session)
        candidates = tuple(_candidates(accepted, bundled))
        normalised = text.session.text() + "".join(section.text() for section in accepted)
        _check_media(_understood(normalised))
        return cls(
            normalised,
            tuple(
                _offered(section, section in accepted, text.session) for section in text.sections
            ),
            bundled,
            candidates,
        )

    @property
    def has_audio(self) -> bool:
        """Whether there is a section on which the agent's voice can be sent."""
        return any(section.kind == "audio" and section.accepted for section in self.sections)

    @property
    def hears(self) -> bool:
        """Whether the caller takes the agent's voice; an encoder that only sends does not."""
        return any(s.kind == "audio" and s.accepted and s.receives for s in self.sections)

    def is_of_the_connection_of(self, earlier: Offer) -> bool:
        """Whether both offers come from one peer connection, which their ICE credentials show."""
        ours = {section.credentials for section in self.sections if section.accepted}
        return bool(
            ours & {section.credentials for section in earlier.sections if section.accepted}
        )

    def check_continues(self, earlier: Offer) -> None:
        """Checks that a connection made by an earlier offer can continue with this one.

        The rules are those of RFC 9429 5.2.

        Raises:
            CannotRenegotiate: with one sentence for the caller.
        """
        if len(self.sections) < len(earlier.sections):
            raise CannotRenegotiate("The new offer must have every section of the one before.")
        for old, new in zip(earlier.sections, self.sections, strict=False):
            if (old.kind, old.mid) != (new.kind, new.mid) and (old.accepted or new.accepted):
                raise CannotRenegotiate(
                    "The new offer must keep the sections of the one before, in their order."
                )
            if old.accepted and not new.accepted:
                raise CannotRenegotiate(
                    "A section in use can't be rejected by a new offer: make it inactive instead."
                )
            if new.accepted and not old.accepted:
                raise CannotRenegotiate(
                    "A rejected section can't be used by a new offer: add another one instead."
                )
            if old.accepted and old.credentials != new.credentials:
                raise CannotRenegotiate(
                    "The new offer restarts ICE or comes from another peer connection. "
                    "Ask for a new connection instead (restart_pc: true)."
                )

    def position(self, index: int) -> int | None:
        """The index in `sdp` of the section at `index` in the offer; None if it is not accepted."""
        if not 0 <= index < len(self.sections) or not self.sections[index].accepted:
            return None
        return sum(section.accepted for section in self.sections[:index])


def _offered(section: Section, accepted: bool, session: Section) -> OfferedSection:
    ufrag = section.first("ice-ufrag") or session.first("ice-ufrag") or ""
    password = section.first("ice-pwd") or session.first("ice-pwd") or ""
    return OfferedSection(
        section.kind,
        section.first("mid") or "",
        section.profile,
        " ".join(section.formats),
        accepted,
        (ufrag, password),
        not {"sendonly", "inactive"} & section.attributes.keys(),
    )


def _check_counts(media: list[Section]) -> None:
    for kind, count in Counter(section.kind for section in media).items():
        if kind not in MAX_SECTIONS:
            raise BadOffer(f"The offer has a section of an unknown kind: {shown(kind)}.")
        if count > MAX_SECTIONS[kind]:
            raise BadOffer(
                f"The offer has {count} {kind} sections, and at most {MAX_SECTIONS[kind]} "
                f"{'is' if MAX_SECTIONS[kind] == 1 else 'are'} supported."
            )


def _check_mids(session: Section, every: list[Section], accepted: list[Section]) -> None:
    for section in every:
        mid = section.first("mid") or ""
        if len(mid) > MAX_MID_CHARS or any(not "!" <= char <= "~" for char in mid):
            raise BadOffer("The offer has a section identifier that is none (a=mid).")
        if len(section.attributes.get("mid", [])) > 1:
            raise BadOffer("The offer has a section with several identifiers (a=mid).")
        if not mid:
            section.attributes.pop("mid", None)
    mids = [section.first("mid") or "" for section in accepted]
    if len(accepted) > 1 and (len(set(mids)) != len(mids) or "" in mids):
        raise BadOffer("The offer's sections must each have an identifier of their own (a=mid).")
    # aiortc sets the transport of a section that is bundled with an unknown one to None.
    if not set(_bundle(session)) <= {section.first("mid") for section in every}:
        raise BadOffer("The offer bundles a section that it does not have (a=group:BUNDLE).")
    if (group := _bundle(session)) and group[0] not in mids:
        raise BadOffer("The first bundled section must not be rejected (a=group:BUNDLE).")


def _bundle(session: Section) -> tuple[str, ...]:
    """The first BUNDLE group that has members, which is the one that aiortc chooses."""
    groups = [value.split() for value in session.attributes.get("group", [])]
    return next((tuple(g[1:]) for g in groups if g[0:1] == ["BUNDLE"] and g[1:]), ())


def _inherit(
    section: Section, session: Section, accepted: list[Section], bundled: tuple[str, ...]
) -> None:
    """Adds the attributes that a section inherits or has by default."""
    # A bundled section uses the transport of the group's first section (RFC 9143 7.1.3).
    mid = section.first("mid") or ""
    if mid in bundled[1:]:
        tagged = next(other for other in accepted if other.first("mid") == bundled[0])
        for name in _TRANSPORT:
            if not section.first(name) and not session.first(name):
                section.attributes.setdefault(name, []).extend(tagged.attributes.get(name, []))
    if mid in bundled:
        section.attributes.setdefault("rtcp-mux", [""])  # BUNDLE includes it (RFC 9143 9.3)
    # The default direction is the session's, or else sendrecv (RFC 8866 6.7).
    if section.kind != "application" and not any(d in section.attributes for d in DIRECTIONS):
        stated = [d for d in DIRECTIONS if d in session.attributes]
        section.attributes[stated[0] if stated else "sendrecv"] = [""]
    if section.kind == "application" and "webrtc-datachannel" in section.formats:
        section.attributes.setdefault("sctp-port", [str(DEFAULT_SCTP_PORT)])
    # The peer opens DTLS if the choice is this side's (RFC 8842 5.3). As a DTLS client, aiortc
    # offers ECDSA suites only and can't talk to a peer with an RSA certificate; as a server it can.
    # `AnyPeerCertificate` serves a peer that insists on being the server.
    for place in (section, session):
        if "actpass" in place.attributes.get("setup", []):
            place.attributes["setup"] = ["active"]


def _check_transport(section: Section, session: Section) -> None:
    for name, words in _TRANSPORT.items():
        value = section.first(name) or session.first(name)
        if not value:
            raise BadOffer(f"The offer's {section.kind} section lacks {words}.")
        if name == "setup" and value not in _SETUP_ROLES:
            raise BadOffer(f"The offer has an unknown DTLS role: {shown(value)}.")
        if name.startswith("ice-") and not (len(value) <= 256 and value.isascii()):
            raise BadOffer("The offer has an ICE user name or password that is none.")
    prints = section.attributes.get("fingerprint", []) + session.attributes.get("fingerprint", [])
    if not any(value.split()[0].lower() in _DIGESTS for value in prints if value):
        raise BadOffer("The offer's certificate fingerprint must be SHA-256, SHA-384 or SHA-512.")
    if section.kind != "application" and "rtcp-mux" not in section.attributes:
        raise BadOffer(
            f"The offer's {section.kind} section must send RTP and RTCP on one port (a=rtcp-mux)."
        )
    if section.kind == "application":
        _check_data(section)


def _check_data(section: Section) -> None:
    size = section.first("max-message-size") or "0"
    if size != "0" and not (_is_number(size) and int(size) >= MIN_MESSAGE_BYTES):
        raise BadOffer(
            "The offer's data channel takes messages that are too small (a=max-message-size): "
            f"at least {MIN_MESSAGE_BYTES} bytes, or 0 for any size, are needed."
        )
    port = section.first("sctp-port") or section.formats[0]
    if not (_is_number(port) and 0 < int(port) < 65536):
        raise BadOffer("The offer's data channel has an SCTP port that is none (a=sctp-port).")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _candidates(accepted: list[Section], bundled: tuple[str, ...]) -> list[OfferedCandidate]:
    """Checks the candidates and takes them out of the sections: they are added one by one."""
    found = []
    for index, section in enumerate(accepted):
        mid = section.first("mid") or ""
        for value in section.attributes.pop("candidate", []):
            candidate = Candidate.parse(value)
            # The other sections of a group have no transport of their own.
            if mid not in bundled[1:]:
                found.append(OfferedCandidate(candidate, mid or None, index))
        # With this attribute and no candidates, aiortc would give up before the first check comes.
        section.attributes.pop("end-of-candidates", None)
    return found


def _understood(sdp: str) -> SessionDescription:
    try:
        return SessionDescription.parse(sdp)
    except _PARSE_ERRORS as error:
        raise BadOffer(
            "The offer could not be understood: one of its lines is malformed."
        ) from error


def _check_media(description: SessionDescription) -> None:
    for media in description.media:
        for extension in media.rtp.headerExtensions:
            if not 0 < extension.id < 256:
                raise BadOffer("The offer has a header extension with an impossible id (a=extmap).")
        if media.kind == "audio" and "audio/opus" not in _common_codecs(media):
            raise BadOffer("The offer's audio section must offer Opus (48 kHz).")
        if media.kind == "video" and not _common_codecs(media) & {"video/vp8", "video/h264"}:
            raise BadOffer(
                "The offer's video section must offer VP8 or H.264 "
                "(a Baseline profile, packetization-mode=1)."
            )


def _common_codecs(media: MediaDescription) -> set[str]:
    try:
        common = find_common_codecs(CODECS[media.kind], media.rtp.codecs)
    except _PARSE_ERRORS as error:
        raise BadOffer(f"The offer's {media.kind} codecs could not be understood.") from error
    return {codec.mimeType.lower() for codec in common}
