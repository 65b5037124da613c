"""Scenarios: scripted transcripts, answers and faults, read from a file and carried out."""
