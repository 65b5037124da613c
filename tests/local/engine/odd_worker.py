"""A worker that echoes messages, or misbehaves as its environment says."""

import os
import sys
import time

from vision_agent.local.engine.worker_inbox import Inbox


def main() -> None:
    behaviour = os.environ["ODD_WORKER"]
    inbox = Inbox()
    if behaviour == "refuses":
        inbox.refuse("There is nothing to work with.")
    if behaviour == "crashes":
        sys.exit(3)
    if behaviour == "hangs":
        time.sleep(600)
    inbox.say_ready()
    while message := inbox.next(wait=True):
        if message.payload == b"die":
            raise RuntimeError("as told")
        os.write(1, b"a library says something")
        inbox.send(*message)


if __name__ == "__main__":
    main()
