import pytest

from vision_agent import Settings


def test_what_tools_get_and_give_is_not_reported_unless_it_is_asked_for():
    assert Settings(_env_file=None).tool_reports == "name"
    with pytest.raises(ValueError, match="none"):
        Settings(_env_file=None, tool_reports="everything")
