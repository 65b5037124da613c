"""The messages between the engine and the recogniser's process. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from vision_agent.local.engine.hearing.whisper_text import Hypothesis
from vision_agent.local.engine.language.understanding import Proposal

BEGIN, AUDIO, PAUSE, END, CANCEL, RESULT = range(6)
"""The messages. To the worker: BEGIN, a `Vocabulary`; AUDIO, s16le mono 16 kHz; PAUSE, it may be
over; END, nothing more comes; CANCEL, nobody wants the result. From the worker: RESULT, a
`Recognition`, the last message of each job."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that an utterance may contain besides the words of the intents table.

    Attributes:
        names: The names of taught things, sorted.
        agents: The agents for which a caller may ask, sorted.
    """

    names: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Returns the payload of a BEGIN."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Vocabulary:
        """Reads the payload of a BEGIN."""
        fields = json.loads(payload)
        return cls(tuple(fields["names"]), tuple(fields["agents"]))


@dataclass(frozen=True, slots=True)
class Recognition:
    """The recognisers' hypotheses of one utterance.

    Attributes:
        text: Whisper's text; empty if nothing was said.
        proposal: The grammar recogniser's hypothesis, if it was asked.
        log_probability: Mean over the last window's tokens; 0 is certain.
        no_speech: Probability that the last window is no speech. For the log.
        others: Whisper's next best texts.
        close: How many of them are about as likely.
        second: The second Whisper's hypothesis, if it was asked.
    """

    text: str
    proposal: Proposal | None = None
    log_probability: float = 0.0
    no_speech: float = 0.0
    others: tuple[str, ...] = ()
    close: int = 0
    second: Hypothesis | None = None

    def to_bytes(self) -> bytes:
        """Returns the payload of a RESULT."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Recognition:
        """Reads the payload of a RESULT."""
        fields = json.loads(payload)
        if fields["proposal"]:
            fields["proposal"] = Proposal(**fields["proposal"])
        if second := fields["second"]:
            fields["second"] = Hypothesis(**second | {"others": tuple(second["others"])})
        fields["others"] = tuple(fields["others"])
        return cls(**fields)
