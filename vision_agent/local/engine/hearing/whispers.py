"""The Whispers that hear: one decides, a smaller one is asked where that is not sure."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Self

from vision_agent.local.engine.hearing.larger_whisper import model_folder
from vision_agent.local.engine.hearing.whisper import Whisper
from vision_agent.local.engine.weights import WHISPER_TINY, WeightsError, whisper_base

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Whispers:
    """Two models that make different mistakes.

    Attributes:
        first: Hears everything.
        second: Hears what the first is not sure of; None if there is none.
    """

    first: Whisper
    second: Whisper | None = None

    @classmethod
    def load(cls, named: str = "") -> Self:
        """The model that was named, or else Whisper base; and Whisper tiny.en.

        If one can't be loaded, the log says so in a sentence, and the other one hears alone.

        Args:
            named: See `larger_whisper.model_folder`.

        Raises:
            WeightsError: Neither bundled model can be loaded.
        """
        first = _named(named) if named else None
        try:
            first = first or _base()
        except (WeightsError, RuntimeError) as error:
            _log.warning("Only the smaller Whisper hears: %s", error)
        try:
            tiny = Whisper(WHISPER_TINY.path().parent)
        except (WeightsError, RuntimeError) as error:
            if first is None:
                raise WeightsError(str(error)) from None
            _log.warning("Only one Whisper hears: %s", error)
            return cls(first)
        return cls(first, tiny) if first else cls(tiny)


def _named(named: str) -> Whisper | None:
    try:
        return Whisper(model_folder(named))
    except Exception as error:
        why = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        _log.warning("%s can't be used for hearing (%s): the bundled model is.", named, why)
        return None


def _base() -> Whisper:
    with whisper_base() as folder:
        return Whisper(folder)
