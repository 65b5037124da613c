"""Token buckets."""

from vision_agent.calls import rate
from vision_agent.calls.rate import Rate


def test_a_burst_is_allowed_and_then_the_rate():
    bucket = Rate(60, burst=3)
    assert [bucket.take("a", 0) for _ in range(4)] == [0, 0, 0, 1]
    assert bucket.take("a", 0.5) == 0.5
    assert bucket.take("a", 1) == 0
    assert bucket.take("a", 1) == 1


def test_what_is_not_used_is_saved_up_to_the_burst():
    bucket = Rate(60, burst=2)
    assert [bucket.take("a", 0) for _ in range(2)] == [0, 0]
    assert [bucket.take("a", 1000) for _ in range(3)] == [0, 0, 1]


def test_each_has_a_bucket_of_its_own():
    bucket = Rate(60, burst=1)
    assert bucket.take("a", 0) == bucket.take("b", 0) == 0
    assert bucket.take("a", 0) > 0


def test_asking_takes_nothing():
    bucket = Rate(60, burst=1)
    assert [bucket.wait_s("a", 0) for _ in range(9)] == [0] * 9


def test_no_rate_allows_everything():
    bucket = Rate(0)
    assert [bucket.take("a", 0) for _ in range(1000)] == [0] * 1000


def test_many_keys_take_bounded_room(monkeypatch):
    monkeypatch.setattr(rate, "MAX_KEYS", 3)
    bucket = Rate(60, burst=1)
    for key in "abcdefgh":
        assert bucket.take(key, 0) == 0
    assert len(bucket._left) == 3
    assert bucket.take("h", 0) > 0
