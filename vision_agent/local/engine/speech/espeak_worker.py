"""espeak-ng's process: `python -m vision_agent.local.engine.speech.espeak_worker`."""

from __future__ import annotations

from typing import NoReturn

from vision_agent.local.engine.speech.espeak import Espeak
from vision_agent.local.engine.speech.worker import SpeechWorker, SynthesisError
from vision_agent.local.engine.worker_inbox import Inbox


def main() -> NoReturn:
    """Runs the worker; if espeak-ng cannot be loaded, the parent gets a refusal with the reason."""
    inbox = Inbox()
    try:
        espeak = Espeak()
    except SynthesisError as error:
        inbox.refuse(str(error))
    SpeechWorker(inbox, espeak).run()


if __name__ == "__main__":
    main()
