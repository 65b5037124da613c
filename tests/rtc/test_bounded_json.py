import json

from hypothesis import given
from hypothesis import strategies as st

from vision_agent.rtc.bounded_json import encode

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@given(values, st.integers(min_value=300, max_value=2_000))
def test_any_value_becomes_json_of_the_size_that_is_asked_for(value, max_bytes):
    text = encode({"type": "x", "id": "7", "data": {"kind": "k", "value": value}}, max_bytes)
    assert text is not None
    assert len(text.encode()) <= max_bytes
    read = json.loads(text, parse_constant=lambda name: 1 / 0)
    assert (read["id"], read["data"]["kind"]) == ("7", "k")


def test_what_fits_stays_as_it_is():
    message = {"id": "1", "data": {"text": "é" * 100, "rows": list(range(2_000))}}
    assert json.loads(encode(message, 65_536)) == message


def test_the_longest_texts_are_cut_first_and_short_ones_stay():
    message = {"id": "1", "data": {"short": "as it is", "long": "x" * 10_000, "n": 1.5}}
    read = json.loads(encode(message, 1_000))["data"]
    assert (read["short"], read["n"], read["shortened"]) == ("as it is", 1.5, True)
    assert len(read["long"]) > 300
    assert read["long"].endswith("x…")


def test_what_is_left_out_of_a_list_and_an_object_is_marked():
    data = {"rows": list(range(5_000)), "fields": {f"field {n}": n for n in range(5_000)}}
    read = json.loads(encode({"data": data}, 4_000))["data"]
    assert read["rows"][-1] == "…"
    left = len(read["fields"]) - 1
    assert read["fields"]["…"] == f"{5_000 - left} more"


def test_a_message_that_fits_in_no_form_is_none():
    assert encode({"label": "rtvi-ai", "type": "bot-ready", "id": "x" * 150}, 100) is None
