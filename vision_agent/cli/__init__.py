"""The command line: a file or folder per command, with its options and its body.

`main.py` lists the commands. ADK, aiortc and OpenCV take seconds to import, so they are imported
inside the commands, and `--help` answers at once.
"""
