"""Addresses, codes and long numbers are written out for hibari."""

import pytest

from vision_agent.local.engine.speech.spoken_text import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "https://www.example.com/menu?page=2",
            "example dot com slash menu question mark page equals 2",
        ),
        ("Go to example.com.", "Go to example dot com."),
        ("ann-marie@example.org", "ann dash marie at example dot org"),
        ("v2.1", "version 2 point 1"),
        ("3.10.2", "3 dot 10 dot 2"),
        ("192.168.0.1", "192 dot 168 dot 0 dot 1"),
        ("AX7-99B", "A.X 7, 99 B"),
        ("ABC-1234", "A.B.C, 1 2 3 4"),
        ("COVID-19", "COVID 19"),
        ("978-3-16-148410-0", "9 7 8, 3, 1 6, 1 4 8 4 1 0, 0"),
        ("12345678", "1 2 3, 4 5 6, 7 8"),
        ("007", "0 0 7"),
        ("12,50 \u20ac", "\u20ac12.50"),
        ("5$", "$5"),
        ("**Two** `cups`, [here](https://example.com)", "Two cups, here"),
        ("- milk", "milk"),
        ("Nguy\u1ec5n", "Nguyen"),
        ("Cafe\u0301", "Caf\u00e9"),
    ],
)
def test_what_hibari_reads_badly_is_written_out(written: str, said: str) -> None:
    assert " ".join(spoken(written).split()) == said


@pytest.mark.parametrize(
    "text",
    [
        "It is 12:30, on 11/26/2026 or 2026-11-26.",
        "That is $12.40, \u20ac5 or 3.2 billion.",
        "1,250 people and 1000000 more.",
        "5GB at 2.4GHz, 240V, 3D, 4K, 5PM.",
        "I don't know this one. Tell me, e.g., what it is!",
    ],
)
def test_what_hibari_reads_well_stays(text: str) -> None:
    assert spoken(text) == text
