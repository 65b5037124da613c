"""When somebody speaks, and what was said."""
