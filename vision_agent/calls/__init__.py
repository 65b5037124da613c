"""One call, from the offer to the goodbye."""
