"""Possible requests and their wordings: tables and rules, no sound."""
