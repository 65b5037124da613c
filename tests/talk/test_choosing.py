"""Devices are chosen by a number or a part of a name."""

import pytest

from vision_agent.talk.choosing import NoSuchDevice, choose

DEVICES = ("Built-in Audio", "USB Headset", "USB Camera")


@pytest.mark.parametrize(
    ("wanted", "name"),
    [(None, None), ("1", "USB Headset"), ("headset", "USB Headset"), ("USB Camera", "USB Camera")],
)
def test_a_device_is_chosen_by_number_or_by_part_of_its_name(wanted, name) -> None:
    assert choose(DEVICES, wanted, what="microphone", option="--input") == name


@pytest.mark.parametrize(
    ("devices", "wanted", "words"),
    [
        ((), None, "no microphone on this machine"),
        (DEVICES, "3", "numbered 0 to 2"),
        (DEVICES, "piano", "There are: Built-in Audio"),
        (DEVICES, "usb", "matches several: USB Headset, USB Camera"),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_those_that_are(devices, wanted, words) -> None:
    with pytest.raises(NoSuchDevice, match=words):
        choose(devices, wanted, what="microphone", option="--input")
