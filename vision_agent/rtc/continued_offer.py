"""Whether a connection can continue with a further offer (RFC 9429 5.2)."""

from __future__ import annotations

from dataclasses import replace

from vision_agent.rtc.offer import CannotRenegotiate, Offer, OfferedSection
from vision_agent.rtc.own.aiortc.sdp import DIRECTIONS
from vision_agent.rtc.session_description import lines_by_section


def continued(earlier: Offer, offer: Offer) -> Offer:
    """The form in which aiortc is given a further offer on the connection of an earlier one.

    A caller who stops a track for good (`RTCRtpTransceiver.stop`) rejects its section with port 0.
    aiortc can't do that: for aiortc the section stays, inactive, as it was last offered. The first
    section of a bundle can't be stopped, because the others share its transport: Chromium and
    Firefox then begin a new DTLS association on it, under the same ICE credentials.

    Args:
        earlier: The connection's last offer, itself continued if it was not the first.
        offer: The further one.

    Raises:
        CannotRenegotiate: With one sentence for the caller.
    """
    if len(offer.sections) < len(earlier.sections):
        raise CannotRenegotiate("The new offer must have every section of the one before.")
    session_before, texts_before = lines_by_section(earlier.sdp)
    group = _bundle(session_before)
    for old, new in zip(earlier.sections, offer.sections, strict=False):
        _check(old, new, group[:1])
    before = [old.in_sdp for old in earlier.sections]
    before += [False] * (len(offer.sections) - len(before))
    sections = tuple(
        replace(section, stopped=used and not section.accepted)
        for used, section in zip(before, offer.sections, strict=True)
    )
    if not any(section.stopped for section in sections):
        return offer
    session, texts = lines_by_section(offer.sdp)
    group += [mid for mid in _bundle(session) if mid not in group]
    lines = [line for line in session if not line.startswith("a=group:BUNDLE")]
    lines += [f"a=group:BUNDLE {' '.join(group)}"] if group else []
    old_texts, new_texts = iter(texts_before), iter(texts)
    for used, section in zip(before, sections, strict=True):
        text_before = next(old_texts) if used else []
        text = next(new_texts) if section.accepted else []
        lines += _inactive(text_before) if section.stopped else text
    return replace(offer, sdp="".join(f"{line}\r\n" for line in lines), sections=sections)


def _check(old: OfferedSection, new: OfferedSection, tag: list[str]) -> None:
    if old.accepted and not new.accepted and old.kind == new.kind and new.mid in (old.mid, ""):
        if old.mid and old.mid not in tag:
            return
        raise CannotRenegotiate(
            "A section whose transport others share can't be rejected by a new offer: make it "
            "inactive instead."
        )
    if (old.kind, old.mid) != (new.kind, new.mid) and (old.accepted or new.accepted):
        raise CannotRenegotiate(
            "The new offer must keep the sections of the one before, in their order."
        )
    if new.accepted and not old.accepted:
        raise CannotRenegotiate(
            "A rejected section can't be used by a new offer: add another one instead."
        )
    if old.accepted and old.codec != new.codec:
        raise CannotRenegotiate("The new offer must keep the codec of the voice.")
    if old.accepted and old.credentials != new.credentials:
        raise CannotRenegotiate(
            "The new offer restarts ICE or comes from another peer connection. "
            "Ask for a new connection instead (restart_pc: true)."
        )


def _bundle(session: list[str]) -> list[str]:
    return next((line.split()[1:] for line in session if line.startswith("a=group:BUNDLE")), [])


def _inactive(section: list[str]) -> list[str]:
    directions = {f"a={direction}" for direction in DIRECTIONS}
    return ["a=inactive" if line in directions else line for line in section]
