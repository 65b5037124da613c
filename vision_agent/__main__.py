"""`python -m vision_agent` is `vision-agent`."""

from vision_agent.cli.main import main

main()
