"""Completes the answer that aiortc writes, so that it matches the offer."""

from __future__ import annotations

from vision_agent.rtc.offer import Offer

OPUS_PARAMETERS = "minptime=10;useinbandfec=1;maxplaybackrate=16000;stereo=0"


def answer_for(offer: Offer, sdp: str) -> str:
    """Completes the answer that aiortc has written to `offer.sdp`.

    - Opus gets its parameters (RFC 7587 6.1): in-band error correction, and at most 16 kHz, the
      sample rate that a model receives.
    - Only the SHA-256 fingerprint is kept. aiortc writes three; libdatachannel uses the last one
      and fails on it.
    - Rejected sections are restored at their index, with port 0 (RFC 9429 5.3.1).
    - The BUNDLE group lists only sections that the offer bundles (RFC 9143 7.3).
    """
    session, sections = _split(sdp)
    accepted = iter(sections)
    lines = [line for line in session if not line.startswith("a=group:BUNDLE")]
    kept = [mid for mid in offer.bundled if mid in {s.mid for s in offer.sections if s.accepted}]
    if kept:
        lines.append(f"a=group:BUNDLE {' '.join(kept)}")
    for section in offer.sections:
        if section.accepted:
            lines += _completed(next(accepted))
        else:
            lines += [f"m={section.kind} 0 {section.profile} {section.formats}", "c=IN IP4 0.0.0.0"]
            lines += ["a=inactive", *([f"a=mid:{section.mid}"] if section.mid else [])]
    return "\r\n".join(lines) + "\r\n"


def _split(sdp: str) -> tuple[list[str], list[list[str]]]:
    session: list[str] = []
    sections: list[list[str]] = []
    for line in sdp.splitlines():
        if line.startswith("m="):
            sections.append([])
        (sections[-1] if sections else session).append(line)
    return session, sections


def _completed(section: list[str]) -> list[str]:
    lines = []
    for line in section:
        if line.startswith("a=fingerprint:") and not line.startswith("a=fingerprint:sha-256 "):
            continue
        lines.append(line)
        if line.startswith("a=rtpmap:") and " opus/48000" in line:
            payload_type = line[len("a=rtpmap:") :].split()[0]
            lines.append(f"a=fmtp:{payload_type} {OPUS_PARAMETERS}")
    return lines
