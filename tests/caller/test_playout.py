import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.signals import loud
from vision_agent.caller.playout import Playout


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 2000)), max_size=200))
def test_what_waits_to_be_played_is_bounded_and_comes_out_in_order(steps) -> None:
    playout, pushed, pulled = Playout(), 0, []
    for pushes, count in steps:
        if pushes:
            # Samples count up from 1000, so that none of them counts as quiet.
            piece = np.arange(pushed, pushed + count, dtype=np.int64) % 20_000 + 1000
            playout.push(piece.astype(np.int16), 5000.0)
            pushed += count
        else:
            pulled += [s for s in playout.pull(count).tolist() if s]
        assert playout.waiting_ms <= 300
    if pushed <= 20_000:
        assert pulled == sorted(pulled)


def test_a_stream_that_gets_ahead_loses_its_silence_and_not_its_speech() -> None:
    playout = Playout()
    for _ in range(4):
        playout.push(loud(960), 5000.0)
    playout.push(np.zeros(960, np.int16), 0.0)
    assert playout.waiting_ms == 80
    playout.push(loud(960), 5000.0)
    assert playout.waiting_ms == 100
