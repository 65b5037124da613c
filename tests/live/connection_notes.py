"""A `ConnectionObserver` that records what it is told."""


class ConnectionNotes:
    """What happened to a conversation's connections to the model."""

    def __init__(self) -> None:
        self.connects = 0
        self.losses: list[str] = []
        self.cancellations: list[str] = []

    def connected(self) -> None:
        self.connects += 1

    def lost(self, why: str) -> None:
        self.losses.append(why)

    def cancelled(self, call_ids: list[str]) -> None:
        self.cancellations += call_ids
