"""Finds things and faces in frames, for the tools of a call and for the local engine.

NOTICE.md, in this folder, gives the source, the licence and the conversion of the weights.
"""
