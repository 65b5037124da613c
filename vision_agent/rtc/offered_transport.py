"""The transport of an offered section: its own, the session's, or that of the bundle's first."""

from __future__ import annotations

from vision_agent.rtc.bad_offer import BadOffer
from vision_agent.rtc.session_description import Section, shown

MIN_MESSAGE_BYTES = 16 * 1024
DEFAULT_SCTP_PORT = 5000
DATA_FORMAT = "webrtc-datachannel"
_SETUP_ROLES = {"actpass", "active", "passive"}
_DIGESTS = {"sha-256", "sha-384", "sha-512"}
# The attributes that each section needs, and their names in sentences.
_NEEDED = {
    "ice-ufrag": "an ICE user name (a=ice-ufrag)",
    "ice-pwd": "an ICE password (a=ice-pwd)",
    "fingerprint": "a certificate fingerprint (a=fingerprint)",
}


def transport_of(
    section: Section, session: Section, tagged: Section | None
) -> dict[str, list[str]]:
    """The transport attributes of a section, as aiortc needs them.

    Args:
        section: an offered section.
        session: the session's own lines.
        tagged: the first section of the section's bundle, whose transport it uses (RFC 9143 7.1.3);
            None if the section has its own.

    Raises:
        BadOffer: an attribute is missing or invalid.
    """
    # Of a bundle, the tagged section's attributes hold for all (RFC 9143 7.1.3).
    places = [section, session] if tagged is None else [tagged, session, section]

    def values(name: str) -> list[str]:
        return next((p.attributes[name] for p in places if p.first(name)), [])

    found = {name: values(name) for name in (*_NEEDED, "setup")}
    for name, words in _NEEDED.items():
        if not found[name]:
            raise BadOffer(f"The offer's {section.kind} section lacks {words}.")
    for name in ("ice-ufrag", "ice-pwd"):
        found[name] = found[name][:1]
        if len(found[name][0]) > 256 or any(not "!" <= char <= "~" for char in found[name][0]):
            raise BadOffer("The offer has an invalid ICE user name or password.")
    prints = [value.split() for value in found["fingerprint"]]
    found["fingerprint"] = [
        f"{words[0].lower()} {words[1]}"
        for words in prints
        if len(words) == 2 and words[0].lower() in _DIGESTS
    ]
    if not found["fingerprint"]:
        raise BadOffer("The offer's certificate fingerprint must be SHA-256, SHA-384 or SHA-512.")
    found["setup"] = [_role(found["setup"])]
    # BUNDLE includes it (RFC 9143 9.3).
    if section.kind != "application" and tagged is None and "rtcp-mux" not in section.attributes:
        raise BadOffer(
            f"The offer's {section.kind} section must send RTP and RTCP on one port (a=rtcp-mux)."
        )
    found["rtcp-mux"] = [""]
    return found


def _role(offered: list[str]) -> str:
    """The caller's DTLS role; without one, the caller opens DTLS (RFC 4145 4).

    The caller opens it as well if the choice is this side's (RFC 8842 5.3). As a DTLS client,
    aiortc offers ECDSA suites only and can't talk to a peer with an RSA certificate; as a server it
    can. `AnyPeerCertificate` serves a peer that insists on being the server.
    """
    role = offered[0].lower() if offered else "active"
    if role not in _SETUP_ROLES:
        raise BadOffer(f"The offer has an unknown DTLS role: {shown(role)}.")
    return "active" if role == "actpass" else role


def is_data(section: Section) -> bool:
    """Whether an application section is for data channels (RFC 8841, or the drafts before it)."""
    maps = section.attributes.get("sctpmap", [])
    return DATA_FORMAT in section.formats or any(DATA_FORMAT in of.split() for of in maps)


def data_attributes(section: Section) -> dict[str, list[str]]:
    """The attributes of a section for data channels, checked.

    Raises:
        BadOffer: one of them is invalid.
    """
    size = section.first("max-message-size") or "0"
    if size != "0" and not (_is_number(size) and int(size) >= MIN_MESSAGE_BYTES):
        raise BadOffer(
            "The offer's data channel takes messages that are too small (a=max-message-size): "
            f"at least {MIN_MESSAGE_BYTES} bytes, or 0 for any size, are needed."
        )
    named = DATA_FORMAT in section.formats
    port = section.first("sctp-port") or (str(DEFAULT_SCTP_PORT) if named else section.formats[0])
    if not (_is_number(port) and 0 < int(port) < 65536):
        raise BadOffer("The offer's data channel has an invalid SCTP port (a=sctp-port).")
    attributes = {"sctp-port": [port]}
    if "max-message-size" in section.attributes:
        attributes["max-message-size"] = [size]
    return attributes


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
