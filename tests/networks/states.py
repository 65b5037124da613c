"""The states of a call, as its observer sees them."""

from vision_agent.caller.observer import NoObserver


class States(NoObserver):
    """Records the states that the call has been in."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def state(self, state: str) -> None:
        self.seen.append(state)
