"""A language model behind the user's own server answers in the local engine's place."""
