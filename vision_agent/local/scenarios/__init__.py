"""Scripted hearing and answers, and faults: what a scenario file says, and how it is done."""
