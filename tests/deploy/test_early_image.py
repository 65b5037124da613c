"""An image that is built while the tests are collected ends with the run."""

import os

import pytest

from tests.deploy import early_image


def test_the_build_ends_with_its_input_and_whoever_waits_for_it_is_told(tmp_path):
    build = early_image.begin(tmp_path)
    build.communicate()
    with pytest.raises(ProcessLookupError):
        os.killpg(build.pid, 0)
    with pytest.raises(AssertionError, match="could not be built"):
        early_image.wait(tmp_path)
