"""The cost of a call: the tokens that its model's service has counted, and an estimate in money."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from vision_agent.agents.model_choice import ModelChoice
from vision_agent.calls.metrics import Metrics
from vision_agent.calls.server_messages import UsageMessage
from vision_agent.live.events import AgentTurnComplete, AgentTurnPaused, LiveEvent, TokenUsage
from vision_agent.live.models import bare_name
from vision_agent.live.pricing import Estimate, PriceTable
from vision_agent.live.token_counts import Kind, TokenCounts, TokenMeter

logger = logging.getLogger(__name__)

_WORDS: dict[Kind, str] = {
    "prompt": "in",
    "tool": "of tools",
    "response": "out",
    "thoughts": "of thoughts",
}


class CallUsage:
    """The tokens of one call.

    Args:
        metrics: The server's counters.
        prices: The list prices.
        choice: Who answers: the agent's model, where an event does not name another.
        charge: Called with the estimate of each turn that has a price.
    """

    def __init__(
        self,
        metrics: Metrics,
        prices: PriceTable,
        choice: ModelChoice,
        charge: Callable[[float], None] = lambda cost: None,
    ) -> None:
        self._charge = charge
        self._metrics, self._prices = metrics, prices
        self._model, self._local = choice.model, choice.kind == "local"
        self._began_s = time.monotonic()
        self._meter = TokenMeter()

    def take(self, event: LiveEvent) -> UsageMessage | None:
        """Take an event; returns what the caller is shown at the end of a turn that cost something.

        Args:
            event: Any event of the model's side.
        """
        match event:
            case TokenUsage(model, counts):
                self._meter.report(bare_name(model or self._model), counts)
            case AgentTurnComplete() | AgentTurnPaused():
                if self.end_turn():
                    return self._message()
        return None

    def end_turn(self) -> bool:
        """Count what was reported of the present turn, which is over; whether there was any."""
        turn = self._meter.end_turn()
        for model, counts in turn.items():
            self._metrics.tokens.labels("in").inc(counts.total("prompt", "tool"))
            self._metrics.tokens.labels("out").inc(counts.total("response"))
            for kind, modality, count in counts:
                self._metrics.count_tokens(model, kind, modality, count)
        estimate = self._prices.estimate(turn, local=self._local)
        if turn:
            self._metrics.estimated_cost.labels(estimate.currency).inc(estimate.amount or 0)
            self._charge(estimate.amount or 0)
            self._metrics.unpriced_tokens.inc(estimate.unpriced)
        return bool(turn)

    def call_ended(self, call_id: str, reason: str) -> None:
        """Log the end of the call, with what it has cost."""
        self.end_turn()
        lasted_s = time.monotonic() - self._began_s
        logger.info("Call %s ended after %.0f s: %s. %s", call_id, lasted_s, reason, self)

    def __str__(self) -> str:
        """The tokens and the estimate, for the log."""
        tokens = sum(self._meter.by_model.values(), TokenCounts())
        if not tokens:
            return "No tokens were reported."
        parts = [
            f"{tokens.total(kind)} {word}{_details(tokens.by_modality(kind))}"
            for kind, word in _WORDS.items()
            if tokens.total(kind)
        ]
        return f"Tokens: {', '.join(parts)}. {self._estimate()}"

    def _estimate(self) -> Estimate:
        return self._prices.estimate(self._meter.by_model, local=self._local)

    def _message(self) -> UsageMessage:
        tokens = sum(self._meter.by_model.values(), TokenCounts())
        estimate = self._estimate()
        return UsageMessage(
            models=list(self._meter.by_model),
            tokens={kind: found for kind in _WORDS if (found := tokens.by_modality(kind))},
            estimate=None if estimate.amount is None else round(estimate.amount, 6),
            currency=estimate.currency,
            prices_of=estimate.as_of,
            note=estimate.note,
        )


def _details(by_modality: dict[str, int]) -> str:
    if set(by_modality) == {"text"}:
        return ""
    return f" ({', '.join(f'{count} {name}' for name, count in by_modality.items())})"
