from vision_agent.rtc.budget import Budget


def test_a_burst_is_allowed_and_then_as_much_as_is_earned():
    budget = Budget(2.0, 3)
    assert [budget.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [budget.take(0.6) for _ in range(2)] == [True, False]


def test_no_more_than_a_burst_is_saved_up():
    budget = Budget(10.0, 2)
    budget.take(0.0)
    assert [budget.take(1_000.0) for _ in range(3)] == [True, True, False]


def test_a_clock_that_goes_back_earns_nothing_and_costs_nothing():
    budget = Budget(1, 1.0)
    assert budget.take(100.0)
    assert not budget.take(50.0)
    assert budget.take(51.5)
