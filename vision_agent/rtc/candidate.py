"""An ICE candidate of the caller: an address at which it may be reached (RFC 8839 5.1)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from vision_agent.rtc.bad_offer import BadOffer

MAX_CANDIDATE_CHARS = 512
_MAX_PRIORITY = 2**32 - 1
_RTP_COMPONENT = 1
_PROBED_TYPES = {"host", "srflx", "relay"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate that has been checked.

    Attributes:
        text: the candidate in the form that aiortc parses, without ``candidate:``.
        host: an IP address, or a name.
        port: 0 to 65535.
        usable: whether this server can send a check to it: UDP, the RTP component, an IP address
            and a port, and of the type host, srflx or relay. Others are left out: RFC 8839 5.1 asks
            for it with names, and devices offer the port 0 of a socket or relay they don't have.
    """

    text: str
    host: str
    port: int
    usable: bool

    @property
    def kind(self) -> str:
        """The type: usually "host", "srflx", "prflx" or "relay"."""
        return self.text.split()[7]

    @property
    def priority(self) -> int:
        """The caller's preference (RFC 8445 5.1.2): the higher, the better."""
        return int(self.text.split()[3])

    @classmethod
    def parse(cls, text: str) -> Candidate:
        """Checks one candidate, with or without ``a=`` and ``candidate:`` in front.

        Raises:
            BadOffer: the text is not a candidate.
        """
        if len(text) > MAX_CANDIDATE_CHARS:
            raise BadOffer("A candidate must be a short text.")
        text = text.strip().removeprefix("a=").removeprefix("candidate:").strip()
        words = text.split()
        if len(words) < 8 or words[6].lower() != "typ":
            raise BadOffer("A candidate could not be understood.")
        component, transport, host = words[1], words[2].lower(), words[4].lower()
        numbers = [component, words[3], words[5], *_after("rport", words)]
        if not all(number.isascii() and number.isdigit() for number in numbers):
            raise BadOffer("A candidate has a malformed number.")
        if int(words[3]) > _MAX_PRIORITY or int(component) > 256:
            raise BadOffer("A candidate has a number that is too large.")
        port = int(words[5])
        if port > 65535:
            raise BadOffer(f"A candidate has an impossible port: {port if port < 10**9 else '…'}.")
        usable = (
            _is_address(host)
            and port > 0
            and transport == "udp"
            and int(component) == _RTP_COMPONENT
            and words[7].lower() in _PROBED_TYPES
        )
        words[2], words[4], words[7] = transport, host, words[7].lower()
        return cls(" ".join(words), host, port, usable)


def _after(name: str, words: list[str]) -> list[str]:
    """The value of an extension attribute, if the candidate has it."""
    extensions = dict(zip(words[8::2], words[9::2], strict=False))
    return [extensions[name]] if name in extensions else []


def _is_address(host: str) -> bool:
    # The zone of an address (RFC 4007 11) is an interface of the caller's machine.
    if "%" in host:
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
