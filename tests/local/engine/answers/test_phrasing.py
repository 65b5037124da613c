import pytest

from vision_agent.local.engine.answers import phrasing
from vision_agent.local.engine.answers.tool_results import tool_result
from vision_agent.local.engine.sight import Colour, Count, Face, Observations, Quality, TextLine


def test_things_of_one_colour_are_told_together_and_the_background_once():
    seen = Observations(
        colour=Colour(
            "light blue",
            (("on the left", "light blue"), ("on the right", "red")),
            background="grey",
        )
    )
    assert phrasing.scene(seen) == [
        "I see light blue things in the middle and on the left and something red on the right, "
        "before something grey."
    ]


def test_an_even_frame_is_called_that_and_nothing_is_made_up():
    seen = Observations(colour=Colour("white", stands_out=False), quality=Quality(empty=True))
    assert phrasing.scene(seen) == ["I see one even area and nothing that stands out. It is white."]


def test_pieces_of_the_backgrounds_colour_are_not_told_as_things_that_look_alike():
    two = Count(2, 0, "light blue", 0)
    before_grey = Observations(colour=Colour("light blue", background="grey"), count=two)
    cloth = Observations(colour=Colour("light blue", background="light blue"), count=two)
    assert phrasing.alike_besides(before_grey) == [
        "There are two light blue things that look alike."
    ]
    assert phrasing.alike_besides(cloth) == []


def test_darkness_is_said_instead_of_an_answer():
    assert "too dark" in (phrasing.unusable(Observations(quality=Quality(too_dark=True))) or "")
    assert phrasing.unusable(Observations(quality=Quality())) is None


def test_faces_are_counted_and_placed():
    two = (Face("on the left"), Face("on the right"))
    assert phrasing.faces(two) == "There are two faces, on the left and on the right."


def test_long_text_is_cut_at_a_word():
    line = TextLine("word " * 200, 0.99, "in the middle")
    text = phrasing.lines([line])
    assert len(text) <= phrasing.MAX_READ_CHARS + 2
    assert text.endswith("word …")


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        ({"time": "10:05", "day": "Monday"}, "The time is 10:05 and the day is Monday."),
        ({"result": 42}, "The answer is 42."),
        ({"error": "no such city."}, "That did not work: no such city."),
        ({}, "Set volume is done."),
    ],
)
def test_a_tools_result_is_spoken_and_nothing_added(response, sentence):
    assert tool_result("set_volume", response) == sentence


def test_the_verb_of_a_tools_result_agrees_with_the_name_of_its_field():
    told = {"opening hours": "nine to five", "streetAddress": "Main Street 1", "status_code": 200}
    assert tool_result("open_hours", told) == (
        "The opening hours are nine to five and the street address is Main Street 1."
    )
