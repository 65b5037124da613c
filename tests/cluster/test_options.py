"""The options of a cluster."""

import pytest

from vision_agent.cluster.options import read_address, read_workers


def test_workers_are_a_number_or_a_range_or_one_per_core():
    assert read_workers("3", 8) == (3, 3)
    assert read_workers("2-6", 8) == (2, 6)
    assert read_workers("", 8) == (1, 8)


@pytest.mark.parametrize("text", ["0", "3-2", "many", "-1", "1-", "1-2-3", "999999"])
def test_anything_else_is_refused_in_words(text):
    with pytest.raises(ValueError, match="1-8"):
        read_workers(text, 8)


def test_an_address_is_that_of_rays_client_server_or_of_the_head():
    assert read_address("ray://head:10001") == ("head", 10001)
    assert read_address("[::1]:6379") == ("::1", 6379)
    assert read_address("auto") is None


@pytest.mark.parametrize(
    "text", ["", "head", "ray://", "ray://head", "http://head:1", "local", "head:99999"]
)
def test_another_address_is_refused_before_ray_waits_for_it(text):
    with pytest.raises(ValueError, match="ray://HOST:10001"):
        read_address(text)
