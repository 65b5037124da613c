"""A language model behind a server of the user's own thinks in the local engine's place."""
