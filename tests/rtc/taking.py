"""A member of a shared socket, for its tests."""


class Taking:
    """A member that records what it is given."""

    def __init__(self, name: str) -> None:
        self.fragment = name.encode()
        self.taken: list[bytes] = []
        self.used: object = None
        self.deliver = self.taken.append

    def deliver_stun(self, data: bytes, addr: tuple[str, int]) -> None:
        self.taken.append(data)

    def uses(self, addr: tuple[str, int]) -> bool:
        return addr == self.used
