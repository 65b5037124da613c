"""The command line, a file per command; `vision_agent.cli.main` lists them.

What takes seconds to import (ADK, aiortc, OpenCV) is imported inside the commands, so that
`--help` answers at once.
"""
