"""What doctor says of a machine's libraries."""

import ctypes
import sys

import pytest

from vision_agent.doctor.machine_checks import check_libraries


@pytest.fixture
def no_libraries(monkeypatch):
    """A machine on which no shared library is found."""

    def not_found(name):
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", not_found)


@pytest.fixture
def no_opencv(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)


def test_an_opencv_that_loads_needs_no_library(no_libraries):
    (finding,) = check_libraries()
    assert finding.status == "ok"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere OpenCV brings its libraries")
def test_an_opencv_that_does_not_load_misses_its_libraries(no_opencv, no_libraries):
    (finding,) = check_libraries()
    assert finding.status == "problem"
    assert "libGL.so.1 and libglib-2.0.so.0 are missing" in finding.text
    assert "apt-get install libgl1 libglib2.0-0" in finding.advice


def test_an_opencv_that_does_not_load_beside_its_libraries_is_installed_anew(
    no_opencv, monkeypatch
):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: None)
    (finding,) = check_libraries()
    assert finding.status == "problem"
    assert "--force-reinstall" in finding.advice
