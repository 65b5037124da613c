"""When a model connection is left."""

import pytest

from vision_agent.live.connection.liveness import ConnectionLeft, ModelLiveness


def test_nothing_is_waited_for_while_the_model_owes_nothing_and_no_end_is_announced():
    liveness = ModelLiveness(stall_s=10)
    liveness.sign_of_life(100)
    assert liveness.deadline_s(owes=False) is None
    assert not liveness.ending


def test_a_model_that_owes_an_answer_has_so_long_after_its_last_sign_of_life():
    liveness = ModelLiveness(stall_s=10)
    liveness.sign_of_life(100)
    assert liveness.deadline_s(owes=True) == 110
    liveness.sign_of_life(104)
    assert liveness.deadline_s(owes=True) == 114


def test_the_announced_end_counts_if_it_is_nearer():
    liveness = ModelLiveness(stall_s=10)
    liveness.sign_of_life(100)
    liveness.end_announced(107)
    assert liveness.ending
    assert liveness.deadline_s(owes=True) == 107
    assert liveness.deadline_s(owes=False) == 107
    liveness.end_announced(150)
    assert liveness.deadline_s(owes=True) == 110


def test_a_connection_is_left_at_its_announced_end_and_nobody_needs_to_know():
    liveness = ModelLiveness(stall_s=10)
    liveness.end_announced(107)
    with pytest.raises(ConnectionLeft) as left:
        liveness.overdue(107)
    assert left.value.planned


def test_a_new_connection_has_no_announced_end():
    liveness = ModelLiveness(stall_s=10)
    liveness.end_announced(107)
    liveness.connecting()
    assert not liveness.ending
    assert liveness.deadline_s(owes=False) is None


def test_a_silent_model_is_left_once_and_the_second_time_its_silence_is_the_answer():
    liveness = ModelLiveness(stall_s=10)
    with pytest.raises(ConnectionLeft, match="does not answer") as left:
        liveness.overdue(110)
    assert not left.value.planned
    liveness.overdue(130)
    with pytest.raises(ConnectionLeft):
        liveness.overdue(150)


def test_a_model_that_has_answered_in_between_is_asked_again():
    liveness = ModelLiveness(stall_s=10)
    with pytest.raises(ConnectionLeft):
        liveness.overdue(110)
    liveness.answered()
    with pytest.raises(ConnectionLeft):
        liveness.overdue(130)
