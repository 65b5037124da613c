"""What the agent is good for: questions that people ask, and how many are answered right."""
