"""The agent's tools beside the conversation: tasks, threads, timeouts, and blocking code."""
