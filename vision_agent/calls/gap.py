"""When an agent may speak unasked: in a gap, when nobody is speaking. No I/O."""

from __future__ import annotations

QUIET_S = 0.7
"""A pause between two sentences of the caller's is shorter."""

PATIENCE_S = 45.0
"""After so long the caller's side is taken for noise: only the agent's own speech is waited for."""


class Gap:
    """Judges one notice's waiting.

    Args:
        since_s: When the notice came.
    """

    def __init__(self, since_s: float) -> None:
        self._since_s = since_s
        self._quiet_since_s: float | None = None

    def open(self, now_s: float, *, caller_speaks: bool, agent_busy: bool) -> bool:
        """Whether this is the moment.

        Args:
            now_s: Monotonic.
            caller_speaks: There is a voice on the microphone.
            agent_busy: The agent speaks, thinks, or is not connected.
        """
        if agent_busy or (caller_speaks and now_s - self._since_s < PATIENCE_S):
            self._quiet_since_s = None
            return False
        if self._quiet_since_s is None:
            self._quiet_since_s = now_s
        return now_s - self._quiet_since_s >= QUIET_S
