"""ICE candidates and credentials that arrive after an offer: SDP fragments (RFC 8840)."""

from __future__ import annotations

from dataclasses import dataclass

from vision_agent.rtc.bad_offer import BadOffer
from vision_agent.rtc.candidate import Candidate
from vision_agent.rtc.session_description import shown

MEDIA_TYPE = "application/trickle-ice-sdpfrag"
MAX_FRAGMENT_CHARS = 16 * 1024


@dataclass(frozen=True, slots=True)
class SdpFragment:
    """The contents of a fragment.

    Attributes:
        candidates: Of the form that `Peer.add_candidates` takes.
        ufrag: The ICE user name; None if the fragment gives none.
        password: The ICE password; None if the fragment gives none.
    """

    candidates: tuple[dict[str, object], ...]
    ufrag: str | None
    password: str | None

    @classmethod
    def parse(cls, text: str) -> SdpFragment:
        """Checks a fragment. Pure, in one pass.

        A candidate belongs to the section that it stands in, by the section's identifier where
        there is one, and by its index otherwise; before the first section, to the first.

        Raises:
            BadOffer: With one sentence for the client.
        """
        if len(text) > MAX_FRAGMENT_CHARS:
            raise BadOffer(
                f"The fragment is too long: {len(text)} characters, and at most "
                f"{MAX_FRAGMENT_CHARS} are read."
            )
        found: list[tuple[int, str]] = []
        mids: dict[int, str] = {}
        index, ufrag, password = -1, None, None
        lines = [line for line in text.splitlines() if line.strip()]
        for line in lines:
            if line[1:2] != "=" or not line[:1].isalpha():
                raise BadOffer(f"The fragment has a malformed line: {shown(line)}.")
            name, _, value = line[2:].partition(":")
            match line[0], name:
                case "m", _:
                    index += 1
                case "a", "mid":
                    mids[max(index, 0)] = value.strip()
                case "a", "ice-ufrag":
                    ufrag = value.strip()
                case "a", "ice-pwd":
                    password = value.strip()
                case "a", "candidate":
                    Candidate.parse(value)  # an invalid candidate refuses the whole fragment
                    found.append((max(index, 0), value))
        if not lines or (not found and ufrag is None and "a=end-of-candidates" not in lines):
            raise BadOffer("The fragment has neither ICE candidates nor ICE credentials.")
        candidates: list[dict[str, object]] = [
            {"candidate": value, "sdp_mid": mids.get(at), "sdp_mline_index": at}
            for at, value in found
        ]
        return cls(tuple(candidates), ufrag, password)
