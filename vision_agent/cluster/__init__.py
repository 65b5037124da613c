"""Calls over several cores and machines: workers in Ray actors, behind an ingress in Ray Serve."""
