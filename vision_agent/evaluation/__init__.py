"""Suites of cases: calls that are made, and what is expected of the agent in them.

`suite` reads the YAML file, `run` makes the calls, `expectations` compares each `Report` with what
was expected, `results` counts and writes. docs/testing.md describes the file.
"""
