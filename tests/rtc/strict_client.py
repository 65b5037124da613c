"""A strict client's checks of an answer (RFC 9429 5.10, RFC 3264 6, RFC 9143 7.3)."""

from __future__ import annotations

import re

MIRRORED = {
    "sendrecv": {"sendrecv", "sendonly", "recvonly", "inactive"},
    "sendonly": {"recvonly", "inactive"},
    "recvonly": {"sendonly", "inactive"},
    "inactive": {"inactive"},
}
ROLES = {"actpass": {"active", "passive"}, "active": {"passive"}, "passive": {"active"}}


class Described:
    """A session description, split into its sections and no further."""

    def __init__(self, sdp: str) -> None:
        parts = re.split(r"^m=", sdp.replace("\r\n", "\n"), flags=re.M)
        self.session = parts[0].splitlines()
        self.sections = [("m=" + part).splitlines() for part in parts[1:]]

    def all(self, section: list[str], name: str) -> list[str]:
        found = [line[len(name) + 2 :].lstrip(":") for line in section if _is(line, name)]
        return found or [
            line[len(name) + 2 :].lstrip(":") for line in self.session if _is(line, name)
        ]

    def direction(self, section: list[str]) -> str:
        return next((d for d in MIRRORED if self.all(section, d)), "sendrecv")

    def group(self) -> list[str]:
        groups = [line.split()[1:] for line in self.session if line.startswith("a=group:BUNDLE")]
        return groups[0] if groups else []


def _is(line: str, name: str) -> bool:
    return line == f"a={name}" or line.startswith(f"a={name}:")


def _formats(described: Described, section: list[str]) -> dict[str, str]:
    static = {"0": "pcmu/8000", "8": "pcma/8000", "9": "g722/8000"}
    maps = dict(value.split(" ", 1) for value in described.all(section, "rtpmap") if " " in value)
    return {
        number: re.sub("/1$", "", maps.get(number, static.get(number, "")).strip().lower())
        for number in section[0].split()[3:]
    }


def faults(offer_sdp: str, answer_sdp: str) -> list[str]:
    """What a strict client would refuse in the answer to an offer; empty for a correct answer."""
    offer, answer = Described(offer_sdp), Described(answer_sdp)
    wrong = []
    if len(offer.sections) != len(answer.sections):
        return ["another number of sections"]
    accepted = []
    for n, (ours, theirs) in enumerate(zip(offer.sections, answer.sections, strict=True)):
        kind, port, profile, *_ = theirs[0].split()
        offered_kind, offered_port, offered_profile, *_ = ours[0].split()
        mids = [line for line in ours if _is(line, "mid")]
        if (kind, profile) != (offered_kind, offered_profile):
            wrong.append(f"{n}: another kind or profile: {theirs[0]}")
        if [line for line in theirs if _is(line, "mid")] != mids:
            wrong.append(f"{n}: another mid")
        rejected = offered_port == "0" and "a=bundle-only" not in ours
        if rejected and port != "0":
            wrong.append(f"{n}: a rejected section is used")
        if port == "0":
            continue
        accepted += [mid.removeprefix("a=mid:") for mid in mids]
        if answer.direction(theirs) not in MIRRORED[offer.direction(ours)]:
            wrong.append(f"{n}: {answer.direction(theirs)} for {offer.direction(ours)}")
        role = answer.all(theirs, "setup")
        if len(role) != 1 or role[0] not in ROLES[(offer.all(ours, "setup") or ["actpass"])[0]]:
            wrong.append(f"{n}: the role {role}")
        for name in ("ice-ufrag", "ice-pwd", "fingerprint"):
            if len(answer.all(theirs, name)) != 1:
                wrong.append(f"{n}: {len(answer.all(theirs, name))} lines of {name}")
        if not answer.all(theirs, "candidate") and mids[0][6:] not in answer.group()[1:]:
            wrong.append(f"{n}: no candidate")
        if kind == "m=application":
            if not answer.all(theirs, "sctp-port") and not answer.all(theirs, "sctpmap"):
                wrong.append(f"{n}: no SCTP port")
            continue
        known = _formats(offer, ours)
        for number, codec in _formats(answer, theirs).items():
            if not codec or known.get(number) != codec:
                wrong.append(f"{n}: {number} is {codec}, and was offered as {known.get(number)}")
        for value in answer.all(theirs, "fmtp"):
            number, _, text = value.partition(" ")
            for name in ("profile-level-id", "packetization-mode"):
                stated = dict(part.split("=") for part in text.split(";") if "=" in part)
                asked = next((v for v in offer.all(ours, "fmtp") if v.startswith(f"{number} ")), "")
                if name in stated and f"{name}={stated[name]}" not in asked:
                    wrong.append(f"{n}: {name}={stated[name]} for {asked}")
    group = answer.group()
    if len(set(group)) != len(group) or not set(group) <= set(offer.group()) & set(accepted):
        wrong.append(f"the bundle {group} of the accepted {accepted}")
    return wrong
