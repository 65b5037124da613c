"""An agent with a tool that blocks, for barge_in.py."""
