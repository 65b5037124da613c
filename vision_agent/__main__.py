"""`python -m vision_agent` is `vision-agent`."""

import sys

# What a shell reports of a command that SIGINT ended.
_INTERRUPTED = 130


def main() -> None:
    """Entry point of the console script.

    Ctrl-C ends it without a traceback, also while its modules are still being imported.
    """
    try:
        from vision_agent.cli import main as command

        command.main()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
