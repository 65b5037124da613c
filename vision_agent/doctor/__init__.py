"""`vision-agent doctor`: which parts of a call work on this machine, and how to fix the rest.

`finding.py` is a check's result, the `…_checks.py` are the checks, `checkup.py` lists them, and
`run.py` runs them all at once, each within its deadline.
"""
