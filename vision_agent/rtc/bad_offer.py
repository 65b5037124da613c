"""What the caller is told about an offer that no call can be made of."""


class BadOffer(ValueError):
    """An offer, or a candidate, that no call can be made of; its text is one sentence."""
