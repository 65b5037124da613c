"""Measures the agent's usefulness: questions that people ask, and how many are answered right."""
