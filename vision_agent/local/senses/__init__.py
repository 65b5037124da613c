"""The user's own servers hear and speak in the local engine's place."""
