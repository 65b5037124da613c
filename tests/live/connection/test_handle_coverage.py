"""How much of the history the newest handle covers, and when it is reported for a later call."""

from tests.live.connection.ledger_lines import model, user
from vision_agent.live.connection.handle_coverage import HandleCoverage

ONE, YES, TWO = user("one"), model("Yes."), user("two")


def test_a_handle_is_reported_while_it_covers_the_whole_conversation():
    reported: list[str | None] = []
    coverage = HandleCoverage("H0", reported.append)
    coverage.settled([ONE], keep=9)
    coverage.settled([YES], keep=9)
    coverage.issued("H1")
    coverage.refused()
    assert reported == [None, "H1", None]


def test_a_handle_that_covers_part_of_the_history_is_worth_resuming_with():
    coverage = HandleCoverage("H0")
    coverage.settled([TWO], keep=9)
    assert coverage.resumes([ONE, YES, TWO]) == "H0"
    assert coverage.beyond == [TWO]


def test_a_handle_that_covers_nothing_of_it_is_not():
    coverage = HandleCoverage()
    coverage.issued("H0")
    coverage.settled([ONE, YES], keep=9)
    assert coverage.resumes([ONE, YES]) is None


def test_neither_is_one_that_more_has_been_said_since_than_is_kept():
    coverage = HandleCoverage("H0")
    coverage.settled([ONE, YES, TWO], keep=2)
    assert coverage.resumes([YES, TWO]) is None


def test_an_answer_without_words_is_not_covered_though_it_cannot_be_told():
    coverage = HandleCoverage("H0")
    coverage.settled([], keep=9)
    assert not coverage.whole
    assert coverage.resumes([ONE]) == "H0"
