"""`vision-agent doctor`: what of a call works on this machine, and what to do about the rest.

`finding.py` is what a check says, `run.py` runs them all at once, each within its time, and the
`…_checks.py` are the checks themselves.
"""
