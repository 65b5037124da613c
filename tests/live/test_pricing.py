"""The estimate of what a call costs, from one dated table."""

import tomllib
from datetime import date

import pytest

from vision_agent.live.models import LIVE_MODELS
from vision_agent.live.pricing import OURS, PriceError, PriceTable, read_prices
from vision_agent.live.token_counts import TokenCounts

TABLE = """
as_of = "2026-01-02"
source = "a test"
currency = "EUR"
per_tokens = 1000
[[price]]
models = ["talker-*", "models-x"]
input = { text = 1, audio = 2, image = 3 }
output = { text = 4, audio = 5 }
"""


def counts(**by_kind) -> TokenCounts:
    return TokenCounts(
        {(kind, name): count for kind, of in by_kind.items() for name, count in of.items()}
    )


def test_each_kind_and_modality_has_its_price():
    spent = counts(
        prompt={"text": 100, "audio": 10, "image": 1},
        tool={"text": 1},
        response={"audio": 100, "text": 1},
        thoughts={"text": 10},
    )
    estimate = PriceTable.parse(TABLE).estimate({"talker-1": spent})
    expected = (100 + 2 * 10 + 3 + 1 + 5 * 100 + 4 + 4 * 10) / 1000
    assert estimate.amount == pytest.approx(expected)
    assert (estimate.currency, estimate.as_of, estimate.unpriced) == ("EUR", "2026-01-02", 0)
    assert str(estimate) == "Estimated cost: 0.6680 EUR (list prices of 2026-01-02)."


def test_tokens_without_a_modality_are_text_or_where_nothing_is_said_of_an_answer_its_sound():
    table = PriceTable.parse(TABLE)
    silent = counts(prompt={"unspecified": 10}, response={"unspecified": 10})
    assert table.estimate({"talker-1": silent}).amount == pytest.approx((10 + 5 * 10) / 1000)
    known = counts(response={"audio": 10, "unspecified": 10})
    assert table.estimate({"talker-1": known}).amount == pytest.approx((5 * 10 + 4 * 10) / 1000)


def test_a_model_or_a_modality_without_a_price_is_said_and_not_guessed():
    table = PriceTable.parse(TABLE)
    unknown = table.estimate({"projects/p/models/mystery": counts(prompt={"text": 7})})
    assert (unknown.amount, unknown.unpriced) == (None, 7)
    assert str(unknown) == "No price known for mystery."
    partly = table.estimate({"talker-1": counts(prompt={"text": 1000, "video": 5})})
    assert (partly.amount, partly.unpriced) == (1.0, 5)
    assert "5 tokens have no known price" in str(partly)
    both = table.estimate(
        {"models/models-x": counts(prompt={"text": 1000}), "other": counts(prompt={"text": 3})}
    )
    assert (both.amount, both.unpriced) == (1.0, 3)
    assert "No price known for other." in str(both)


def test_the_local_engine_costs_nothing_and_says_so():
    estimate = PriceTable.parse(TABLE).estimate(
        {"talker-1": counts(prompt={"text": 9})}, local=True
    )
    assert (estimate.amount, estimate.unpriced) == (0.0, 0)
    assert str(estimate) == "The local engine costs nothing. Estimated cost: 0 EUR."


def test_our_table_is_dated_names_its_source_and_prices_the_models_that_answer():
    table = read_prices()
    assert date.fromisoformat(table.as_of)
    assert table.source.startswith("https://")
    assert table.currency == "USD"
    unpriced = [model.name for model in LIVE_MODELS if table.price_of(model.name) is None]
    assert unpriced == [
        "gemini-live-2.5-flash",
        "gemini-robotics-er-2-streaming-preview",
        "gemini-3.5-transcribe-live",
    ]
    assert tomllib.loads(OURS.read_text())["as_of"] == table.as_of


def test_a_recorded_turn_of_3_8_costs_a_tenth_of_a_cent():
    spent = counts(
        prompt={"text": 313, "audio": 222, "image": 272, "unspecified": 27},
        response={"audio": 64},
        thoughts={"text": 46},
    )
    estimate = read_prices().estimate({"gemini-3.8-live": spent})
    assert estimate.amount == pytest.approx(
        (340 * 0.75 + 222 * 3 + 272 * 1 + 64 * 12 + 46 * 4.5) / 1e6
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("as_of = ", "it is not TOML"),
        (TABLE.replace('currency = "EUR"', ""), "currency is missing"),
        (TABLE.replace("per_tokens = 1000", "per_tokens = 0"), "per_tokens must be"),
        (TABLE.replace("text = 1,", 'text = "cheap",'), "input.text must be a price"),
        (TABLE.replace("text = 1,", "text = -1,"), "input.text must be a price"),
        (TABLE.replace("text = 1,", "text = inf,"), "input.text must be a price"),
        (TABLE.replace("text = 1,", f"text = {'9' * 400},"), "input.text must be a price"),
        (TABLE.replace("text = 1,", "text = true,"), "input.text must be a price"),
        (TABLE.replace("text = 1,", "TEXT = 1,"), "input.TEXT is not one of text, audio"),
        (TABLE.replace('["talker-*", "models-x"]', '"x"'), "models must be a list"),
        (TABLE.partition("[[price]]")[0] + "price = [1]", "each price must be a table"),
        (TABLE.replace("per_tokens = 1000", "per_tokens = true"), "per_tokens must be"),
        (TABLE.replace("EUR", "E\\nR"), "currency must be"),
        (TABLE.replace("2026-01-02", "yesterday"), "as_of must be a day"),
        (f"x = {'[' * 5000}{']' * 5000}", "it is not TOML"),
        (TABLE.partition("[[price]]")[0], "price is missing"),
        ("#" * 200_001, "larger than"),
    ],
)
def test_a_table_that_can_not_be_used_is_refused_by_file_and_reason(tmp_path, text, words):
    file = tmp_path / "prices.toml"
    file.write_text(text)
    with pytest.raises(PriceError, match=f"{file} can't be used: .*{words}"):
        read_prices(file)


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PriceError, match="can't be read: No such file"):
        read_prices(tmp_path / "none.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PriceError, match="no UTF-8"):
        read_prices(tmp_path / "x.toml")
