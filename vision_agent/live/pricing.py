"""An estimate of what a call costs, from one dated table of list prices. Pure, but for reading it.

It is an estimate: the table ages, a project may have other prices or a free tier, tokens of a cache
cost less, and a service may charge for what it does not report.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from vision_agent.live.models import bare_name
from vision_agent.live.token_counts import UNSPECIFIED, Kind, TokenCounts

OURS = Path(__file__).with_name("prices.toml")
MAX_BYTES = 200_000
MAX_PER_TOKENS = 10**12
MAX_PRICE = 1e9
MODALITIES = ("text", "audio", "image", "video", "document")


class PriceError(ValueError):
    """A table of prices can't be read; the text says why."""


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """The prices of some models, in the table's currency for `per_tokens`.

    Attributes:
        models: Their names; one may end in `*`.
        input: The prices of input tokens, by modality.
        output: The prices of output tokens, by modality; thoughts are text.
    """

    models: tuple[str, ...]
    input: Mapping[str, float]
    output: Mapping[str, float]

    def of(self, kind: Kind, modality: str, counts: TokenCounts) -> float | None:
        """The price of tokens of a kind and modality; None if there is none."""
        prices = self.output if kind in ("response", "thoughts") else self.input
        if modality == UNSPECIFIED:
            # Prompt tokens that the details leave out are text; an answer without details is
            # spoken.
            spoken = kind == "response" and counts.by_modality("response").keys() == {UNSPECIFIED}
            modality = "audio" if spoken and "audio" in prices else "text"
        return prices.get(modality)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cost of tokens by list prices.

    Attributes:
        amount: The cost in `currency`; None if no token has a known price.
        currency: ISO 4217.
        as_of: The day of the prices, ISO 8601; empty if no price was needed.
        unpriced: The number of tokens without a price, which are not in the amount.
        note: A remark about the estimate, as a sentence; may be empty.
    """

    amount: float | None
    currency: str
    as_of: str
    unpriced: int = 0
    note: str = ""

    def __str__(self) -> str:
        if self.amount is None:
            return self.note
        if not self.as_of:
            return f"{self.note} Estimated cost: 0 {self.currency}."
        text = f"Estimated cost: {self.amount:.4f} {self.currency} (list prices of {self.as_of})."
        return f"{text} {self.note}".rstrip()


@dataclass(frozen=True, slots=True)
class PriceTable:
    """List prices.

    Attributes:
        as_of: The prices' day, ISO 8601.
        source: The prices' source.
        currency: ISO 4217.
        per_tokens: The number of tokens that a price is for.
        prices: The prices; the first that names a model holds.
    """

    as_of: str
    source: str
    currency: str
    per_tokens: int
    prices: tuple[ModelPrice, ...]

    @classmethod
    def parse(cls, text: str) -> PriceTable:
        """Read a table in the form of prices.toml.

        Raises:
            PriceError: It is not in that form.
        """
        try:
            data = tomllib.loads(text)
            prices = tuple(
                ModelPrice(
                    tuple(str(name) for name in _list(each, "models")),
                    _amounts(each, "input"),
                    _amounts(each, "output"),
                )
                for each in _list(data, "price")
            )
            as_of, source, currency = (str(data[name]) for name in ("as_of", "source", "currency"))
            per_tokens = data["per_tokens"]
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise PriceError(f"it is not TOML: {error}") from error
        except KeyError as error:
            raise PriceError(f"{error.args[0]} is missing") from error
        if type(per_tokens) is not int or not 0 < per_tokens <= MAX_PER_TOKENS:
            raise PriceError("per_tokens must be a whole number above 0, such as 1_000_000")
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise PriceError("currency must be a code of three letters, such as USD")
        try:
            date.fromisoformat(as_of)
        except ValueError as error:
            raise PriceError("as_of must be a day, such as 2026-10-09") from error
        return cls(as_of, source, currency, per_tokens, prices)

    def price_of(self, model: str) -> ModelPrice | None:
        """The prices of a model; None if the table has none."""
        name = bare_name(model)
        return next(
            (p for p in self.prices if any(fnmatchcase(name, each) for each in p.models)), None
        )

    def estimate(self, by_model: Mapping[str, TokenCounts], *, local: bool = False) -> Estimate:
        """The cost of a call's tokens.

        Args:
            by_model: The tokens, by the model that counted them.
            local: Whether the local Live API answered: it costs nothing.
        """
        if local:
            return Estimate(0.0, self.currency, "", note="The local engine costs nothing.")
        amount, unpriced, priced = 0.0, 0, False
        unknown: list[str] = []
        for model, counts in by_model.items():
            price = self.price_of(model)
            if price is None:
                unknown.append(bare_name(model))
            for kind, modality, count in counts:
                each = price.of(kind, modality, counts) if price else None
                if each is None:
                    unpriced += count
                else:
                    amount, priced = amount + count * each / self.per_tokens, True
        if unknown:
            note = f"No price known for {', '.join(unknown)}."
        else:
            note = f"{unpriced} tokens have no known price." if unpriced else ""
        known = priced or not unpriced
        return Estimate(amount if known else None, self.currency, self.as_of, unpriced, note)


def read_prices(path: Path | None = None) -> PriceTable:
    """Read a table of prices; ours without a path.

    Raises:
        PriceError: There is no such file, or it is not in the form of ours.
    """
    file = path or OURS
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise PriceError(f"it is larger than {MAX_BYTES} bytes")
        return PriceTable.parse(raw.decode())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8"
        raise PriceError(f"The prices in {file} can't be read: {reason}.") from error
    except PriceError as error:
        raise PriceError(f"The prices in {file} can't be used: {error}.") from error


def _list(data: object, name: str) -> list[Any]:
    if not isinstance(data, dict):
        raise PriceError("each price must be a table: [[price]]")
    value = data[name]
    if not isinstance(value, list) or not value:
        raise PriceError(f"{name} must be a list")
    return value


def _amounts(data: Mapping[str, Any], name: str) -> dict[str, float]:
    value = data[name]
    if not isinstance(value, dict):
        raise PriceError(f"{name} must be a table of prices by modality")
    for modality, price in value.items():
        if modality not in MODALITIES:
            raise PriceError(f"{name}.{modality} is not one of {', '.join(MODALITIES)}")
        # A whole number of any size can be compared, but not every one is a float.
        if type(price) not in (int, float) or not 0 <= price <= MAX_PRICE:
            raise PriceError(f"{name}.{modality} must be a price")
    return {modality: float(price) for modality, price in value.items()}
