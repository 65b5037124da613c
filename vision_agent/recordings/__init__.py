"""Recorded calls: files with the media and events of both sides, for players and programs."""
