"""Detects speech and transcribes it."""
