"""The error for an offer or a candidate from which no call can be made."""


class BadOffer(ValueError):
    """No call can be made from an offer or a candidate; the text is one sentence for the caller."""
