"""Turns a question and what is seen into an answer, a tool call or a taught thing."""
