"""Completes the answer that aiortc writes, so that it matches the offer."""

from __future__ import annotations

from vision_agent.rtc.offer import Offer, OfferedSection
from vision_agent.rtc.session_description import lines_by_section

OPUS_PARAMETERS = "minptime=10;useinbandfec=1;maxplaybackrate=16000;stereo=0"


def answer_for(offer: Offer, sdp: str) -> str:
    """Completes the answer that aiortc has written to `offer.sdp`.

    - Opus gets its parameters (RFC 7587 6.1): in-band error correction, and at most 16 kHz, the
      sample rate that a model receives.
    - Only the SHA-256 fingerprint is kept. aiortc writes three; libdatachannel uses the last one
      and fails on it.
    - Rejected sections are restored at their index, with port 0 (RFC 9429 5.3.1).
    - The BUNDLE group lists only sections that the offer bundles (RFC 9143 7.3).
    - Each section has the offered profile, the offered parameters of H.264, and no identifier where
      the offer has none (RFC 9429 5.3.1).
    """
    session, sections = lines_by_section(sdp)
    written = iter(sections)
    lines = [line for line in session if not line.startswith("a=group:BUNDLE")]
    kept = [mid for mid in offer.bundled if mid in {s.mid for s in offer.sections if s.accepted}]
    if kept:
        lines.append(f"a=group:BUNDLE {' '.join(kept)}")
    for section in offer.sections:
        answer = next(written) if section.in_sdp else []
        if section.accepted:
            lines += _completed(answer, section)
        else:
            lines += [f"m={section.kind} 0 {section.profile} {section.formats}", "c=IN IP4 0.0.0.0"]
            lines += ["a=inactive", *([f"a=mid:{section.mid}"] if section.mid else [])]
    return "\r\n".join(lines) + "\r\n"


def _completed(answer: list[str], offered: OfferedSection) -> list[str]:
    kind, port, _, formats = answer[0].split(" ", 3)
    lines = [f"{kind} {port} {offered.profile} {formats}"]
    for line in answer[1:]:
        name, _, value = line.partition(":")
        number = value.split(" ", 1)[0]
        unwanted = (
            (name == "a=fingerprint" and number != "sha-256")
            or (name == "a=mid" and not offered.mid)
            or (name == "a=fmtp" and number in offered.parameters)
        )
        if unwanted:
            continue
        if name == "a=rtpmap" and number in offered.renamed:
            line = f"a=rtpmap:{number} {offered.renamed[number]}"
        lines.append(line)
        if name == "a=rtpmap" and " opus/48000" in line.lower():
            lines.append(f"a=fmtp:{number} {OPUS_PARAMETERS}")
        elif name == "a=rtpmap" and (parameters := offered.parameters.get(number)):
            lines.append(f"a=fmtp:{number} {parameters}")
    return lines
