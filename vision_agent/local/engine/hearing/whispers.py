"""The two Whispers: the first one decides, and a smaller one is asked where that is not sure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Self

from vision_agent.local.engine.hearing.larger_whisper import model_folder
from vision_agent.local.engine.hearing.whisper import Whisper
from vision_agent.local.engine.weights import WHISPER_TINY, WeightsError, whisper_base

_log = logging.getLogger(__name__)


class Whispers:
    """Two models that make different mistakes.

    Args:
        first: Hears everything.
        load_second: Loads the one that hears what the first is not sure of; None if there is none.

    Attributes:
        first: As above.
        are_two: Whether there is a second one, as far as is known: it may fail to load.
    """

    def __init__(
        self, first: Whisper, load_second: Callable[[], Whisper | None] | None = None
    ) -> None:
        self.first = first
        self.are_two = load_second is not None
        self._load_second = load_second
        self._second: Whisper | None = None

    @property
    def second(self) -> Whisper | None:
        """The second one, which is loaded now if necessary; None if there is none."""
        load, self._load_second = self._load_second, None
        if load is not None:
            self._second = load()
            self.are_two = self._second is not None
        return self._second

    def load_early(self) -> bool:
        """Load the second one before it is asked; False if there is nothing to load."""
        return self._load_second is not None and self.second is not None

    @classmethod
    def load(cls, named: str = "") -> Self:
        """The named model or Whisper base, and Whisper tiny.en, which is not loaded yet.

        If one can't be loaded, the log says so in a sentence, and the other one hears alone.

        Args:
            named: See `larger_whisper.model_folder`.

        Raises:
            WeightsError: Neither bundled model can be loaded.
        """
        first = _named(named) if named else None
        try:
            return cls(first or _base(), _tiny_or_none)
        except (WeightsError, RuntimeError) as error:
            _log.warning("Only the smaller Whisper model recognises speech: %s", error)
        try:
            return cls(_tiny())
        except RuntimeError as error:
            raise WeightsError(str(error)) from None


def _tiny() -> Whisper:
    return Whisper(WHISPER_TINY.path().parent)


def _tiny_or_none() -> Whisper | None:
    try:
        tiny = _tiny()
    except (WeightsError, RuntimeError) as error:
        _log.warning("Only one Whisper model recognises speech: %s", error)
        return None
    tiny.warm_up()
    return tiny


def _named(named: str) -> Whisper | None:
    try:
        return Whisper(model_folder(named))
    except Exception as error:
        why = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        _log.warning("%s can't be used for hearing (%s): the bundled model is used.", named, why)
        return None


def _base() -> Whisper:
    with whisper_base() as folder:
        return Whisper(folder)
