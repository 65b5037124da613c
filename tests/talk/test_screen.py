from vision_agent.talk.screen import bar_cells


def test_a_levels_bar_is_empty_for_silence_and_full_at_full_scale() -> None:
    assert bar_cells(0) == 0
    assert 0 < bar_cells(300) < bar_cells(5000) < bar_cells(32768)
