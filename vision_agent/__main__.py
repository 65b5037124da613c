"""`python -m vision_agent` is `vision-agent`."""

from vision_agent.cli import main

main()
