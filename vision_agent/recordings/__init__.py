"""Recorded calls: what the two sides said, showed and did, as files that are played and read."""
