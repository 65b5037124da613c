"""What an offer must look like before anything is built for it.

aiortc parses SDP on the event loop, in time quadratic in the number of lines, out of reach of
any timeout: 64 KB of ``rtpmap`` and ``rtcp-fb:*`` lines hold the loop for 7 s, 1 MB of ``ssrc``
lines for 54 s. Garbage it accepts, with an empty answer. So the text is measured first, in one
pass without regular expressions, and refused in words.

The bounds are per section: desktop Chrome offers 23 to 45 ``rtpmap`` lines for each video, and an
RTVI client has two videos (camera and screen).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

MAX_OFFER_BYTES = 32 * 1024
MAX_SECTIONS = {"audio": 1, "video": 2, "application": 1}
MAX_LINES_PER_SECTION = {
    "rtpmap": 64,
    "fmtp": 64,
    "rtcp-fb": 140,
    "candidate": 24,
    "ssrc": 32,
    "ssrc-group": 8,
    "extmap": 40,
    "fingerprint": 8,
    "sctpmap": 4,
}
MAX_OTHER_LINES = 120
OPUS_PARAMETERS = "minptime=10;useinbandfec=1;maxplaybackrate=16000;stereo=0"
_SETUP_ROLES = {"actpass", "active", "passive"}
# Worked on as whole words, so that "a=fingerprint" in the session covers every section.
_TRANSPORT = {
    "ice-ufrag": "an ICE user name (a=ice-ufrag)",
    "ice-pwd": "an ICE password (a=ice-pwd)",
    "fingerprint": "a certificate fingerprint (a=fingerprint)",
    "setup": "a DTLS role (a=setup)",
}


class BadOffer(ValueError):
    """An offer, or a candidate, that no call can be made of; its text is one sentence."""


@dataclass(slots=True)
class Section:
    """One ``m=`` section: its kind, and the values of the attributes that are looked at."""

    kind: str
    formats: list[str]
    attributes: dict[str, list[str]] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        """The first value of an attribute, or None."""
        values = self.attributes.get(name)
        return values[0] if values else None


def sections(sdp: str) -> list[Section]:
    """Splits an offer that `check_offer` has accepted into its sections."""
    return _split(sdp)[1]


def check_offer(sdp: str) -> None:
    """Refuses what aiortc must not see (RFC 8866 and RFC 9429 say what it should be).

    Args:
        sdp: the offer as it came in.

    Raises:
        BadOffer: with one sentence for the caller; in a few milliseconds for any input.
    """
    if not isinstance(sdp, str):
        raise BadOffer("The offer must be text.")
    if len(sdp) > MAX_OFFER_BYTES:
        raise BadOffer(
            f"The offer is too long: {len(sdp)} characters, and at most {MAX_OFFER_BYTES} are read."
        )
    if not sdp.startswith("v=0"):
        raise BadOffer('The offer is not a session description: it must begin with "v=0".')
    session, media = _split(sdp)
    if not media:
        raise BadOffer("The offer has no media section.")
    _check_counts(media)
    for section in media:
        _check_transport(section, session)
        if section.kind == "audio":
            _check_codec(section, ("opus",), "Opus")
        elif section.kind == "video":
            _check_codec(section, ("vp8", "h264"), "VP8 or H.264")
    _check_mids(session, media)


def _split(sdp: str) -> tuple[Section, list[Section]]:
    session = Section("session", [])
    media: list[Section] = []
    current, seen = session, Counter[str]()
    for line in sdp.splitlines():
        if line.startswith("m="):
            words = line[2:].split()
            if len(words) < 4 or not words[1].isdigit():
                raise BadOffer(f"The offer has a media line that is not one: {_shown(line)}.")
            if len(media) == sum(MAX_SECTIONS.values()):
                raise BadOffer("The offer has too many media sections.")
            if len(words) > 3 + MAX_LINES_PER_SECTION["rtpmap"]:
                raise BadOffer("The offer lists too many formats in one section.")
            current, seen = Section(words[0], words[3:]), Counter()
            media.append(current)
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            seen[name if name in MAX_LINES_PER_SECTION else "other"] += 1
            if seen[name] > MAX_LINES_PER_SECTION.get(name, 0) and name in MAX_LINES_PER_SECTION:
                raise BadOffer(f'The offer has too many "a={name}" lines in one section.')
            if seen["other"] > MAX_OTHER_LINES:
                raise BadOffer("The offer has too many lines in one section.")
            current.attributes.setdefault(name, []).append(value.strip())
        else:
            seen["other"] += 1
            if seen["other"] > MAX_OTHER_LINES:
                raise BadOffer("The offer has too many lines in one section.")
    return session, media


def _check_counts(media: list[Section]) -> None:
    for kind, count in Counter(section.kind for section in media).items():
        if kind not in MAX_SECTIONS:
            raise BadOffer(f"The offer has a section of an unknown kind: {_shown(kind)}.")
        if count > MAX_SECTIONS[kind]:
            raise BadOffer(
                f"The offer has {count} {kind} sections, and at most {MAX_SECTIONS[kind]} "
                f"{'is' if MAX_SECTIONS[kind] == 1 else 'are'} supported."
            )


def _check_transport(section: Section, session: Section) -> None:
    for name, words in _TRANSPORT.items():
        value = section.first(name) or session.first(name)
        if not value:
            raise BadOffer(f"The offer's {section.kind} section lacks {words}.")
        if name == "setup" and value not in _SETUP_ROLES:
            raise BadOffer(f"The offer has an unknown DTLS role: {_shown(value)}.")


def _check_codec(section: Section, names: tuple[str, ...], words: str) -> None:
    offered = {
        value.partition(" ")[2].partition("/")[0].strip().lower()
        for value in section.attributes.get("rtpmap", [])
    }
    if offered.isdisjoint(names):
        raise BadOffer(f"The offer's {section.kind} section must offer {words}.")


def _check_mids(session: Section, media: list[Section]) -> None:
    mids = [section.first("mid") or "" for section in media]
    if len(media) > 1 and (len(set(mids)) != len(mids) or "" in mids):
        raise BadOffer("The offer's sections must each have an identifier of their own (a=mid).")
    for value in session.attributes.get("group", []):
        words = value.split()
        # aiortc hands a section that is bundled with an unknown one a transport of None.
        if words[:1] == ["BUNDLE"] and not set(words[1:]) <= set(mids):
            raise BadOffer("The offer bundles a section that it does not have (a=group:BUNDLE).")


def _shown(text: str) -> str:
    return repr(text[:40])


def is_local_name(candidate: str) -> bool:
    """Whether a candidate hides its address behind an mDNS name (RFC 8828, "….local").

    Such a name can only be asked for by multicast, on a socket that everyone can write to, and
    the asking delays the answer by up to a second. The peer finds us without it: it is given our
    addresses, and the first check that comes from it says where it is (RFC 8445 7.3.1.3).
    """
    words = candidate.split()
    return len(words) > 4 and words[4].lower().endswith(".local")


def without_local_names(sdp: str) -> str:
    """The offer without mDNS candidates, and without the word that there will be no others.

    With that word and no candidate, aiortc would give up before the peer's first check arrives.
    """
    kept = []
    for line in sdp.splitlines():
        if line.startswith("a=end-of-candidates"):
            continue
        if line.startswith("a=candidate:") and is_local_name(line):
            continue
        kept.append(line)
    return "\r\n".join(kept) + "\r\n"


def for_the_caller(sdp: str) -> str:
    """The answer as it is sent: aiortc writes no Opus parameters (RFC 7587 6.1).

    They ask the peer for in-band error correction and for no more than a model hears, 16 kHz.
    """
    lines = []
    for line in sdp.splitlines():
        lines.append(line)
        if line.startswith("a=rtpmap:") and " opus/48000" in line:
            payload_type = line[len("a=rtpmap:") :].split()[0]
            lines.append(f"a=fmtp:{payload_type} {OPUS_PARAMETERS}")
    return "\r\n".join(lines) + "\r\n"
