"""Suites of cases: calls to make, and expectations of the agent in them.

`suite` reads the YAML file, `run` makes the calls, `expectations` compares each `Report` with the
expectations, `results` counts and writes. docs/testing.md describes the file.
"""
