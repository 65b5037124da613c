"""Where a line belongs that is complete only after a later one."""

import pytest

from vision_agent.live.said_order import SaidAt, place


@pytest.mark.parametrize(
    ("before", "new", "at"),
    [
        pytest.param("typed 1, typed 3", "cut off 2", 1, id="a typed line cuts an answer off"),
        pytest.param("typed 1, typed 3", "answer 2", 1, id="a typed line waits for its turn"),
        pytest.param("typed 1, typed 3, typed 4", "cut off 2", 1, id="two typed lines"),
        pytest.param("typed 1, other 3, typed 4", "cut off 2", 2, id="an end between"),
        pytest.param("typed 1, tool 3, typed 4", "answer 2", 2, id="never before a tool"),
        pytest.param("typed 1, typed 2", "answer 3", 2, id="an answer to two lines"),
        pytest.param("spoken 1, spoken 3", "cut off 2", 1, id="speech that cut in"),
        pytest.param("spoken 1, spoken 3", "answer 2", 2, id="a question in two pieces"),
        pytest.param("spoken 3", "cut off 2", 1, id="a question that is understood late"),
        pytest.param("answer 1, spoken 3", "cut off 2", 2, id="the same after an answer"),
        pytest.param("typed 3", "spoken 1", 0, id="speech that is complete after a typed line"),
        pytest.param("spoken 1, tool 3, tool 4", "spoken 2", 1, id="speech that called a tool"),
    ],
)
def test_a_line_stands_at_the_time_it_began(before, new, at):
    def said(text: str) -> SaidAt:
        kind, _, began = text.rpartition(" ")
        return SaidAt(kind, float(began))

    assert place([said(each) for each in before.split(", ")], said(new)) == at
