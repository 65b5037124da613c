"""The English voice's process: `python -m vision_agent.local.engine.speech.hibari_worker`."""

from __future__ import annotations

from typing import NoReturn

from vision_agent.local.engine.speech.voices import DEFAULT_VOICE, ENGLISH
from vision_agent.local.engine.speech.worker import SpeechWorker
from vision_agent.local.engine.speech.worker_messages import Order
from vision_agent.local.engine.weights import WeightsError, voice_tables
from vision_agent.local.engine.worker_inbox import Inbox


def main() -> NoReturn:
    """Runs the worker; if its weights are unusable, the parent gets a refusal with the reason."""
    inbox = Inbox()
    try:
        # Loaded before the import, which reads some of them.
        voice_tables()
        from vision_agent.local.engine.speech.hibari import Hibari

        worker = SpeechWorker(inbox, Hibari())
    except (WeightsError, ImportError, OSError) as error:
        inbox.refuse(str(error))
    # The first call costs 20 ms more than each later one.
    worker.gain(Order("", 0, (ENGLISH,), DEFAULT_VOICE))
    worker.run()


if __name__ == "__main__":
    main()
