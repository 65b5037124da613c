"""The agent's tools beside the conversation: in threads, in time, and who blocks the event loop."""
