"""Servers of the user's own hear and speak in the local engine's place."""
