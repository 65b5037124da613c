import itertools
import random

import pytest

from vision_agent.rtc.frame_sampler import FrameSampler, is_key_frame


class Sender:
    """A camera's encoder: key frames when asked for, delta frames otherwise."""

    def __init__(self, sampler: FrameSampler, fps: float, answers_after: int = 1) -> None:
        self.sampler, self.fps, self.answers_after = sampler, fps, answers_after
        self.n, self.timestamp, self.key_in = 0, 0.0, 0
        self.decoded: list[tuple[float, bool]] = []
        self.sent: list[float] = []
        self.asked = 0

    def frame(self, *, after_loss: bool = False, jitter: float = 0.0) -> None:
        now_s = self.timestamp / 90_000
        key = self.key_in == 0
        self.key_in -= 1
        stamp = round(self.timestamp + jitter)
        if self.sampler.wants(key, stamp, after_loss, now_s):
            self.decoded.append((now_s, key))
            if self.sampler.chosen(stamp):
                self.sent.append(now_s)
        elif self.sampler.needs_key_frame:
            self.asked += 1
            self.key_in = self.key_in if self.key_in >= 0 else self.answers_after
        self.timestamp += 90_000 / self.fps

    def seconds(self, seconds: float) -> None:
        for _ in range(round(seconds * self.fps)):
            self.frame()

    def only_key_frames_are_decoded(self) -> bool:
        """Whether frames of the next 2 s are decoded, and only key frames."""
        before = len(self.decoded)
        self.seconds(2)
        return {key for _, key in self.decoded[before:]} == {True}


@pytest.mark.parametrize("fps", [15, 24, 30, 60])
def test_of_a_fast_sender_only_key_frames_are_decoded_about_one_a_second(fps):
    sender = Sender(FrameSampler(), fps)
    sender.seconds(60)
    assert 58 <= len(sender.sent) <= 61
    assert len(sender.decoded) <= len(sender.sent) + 4  # the first few, before its rate is known
    assert all(key for _, key in sender.decoded[4:])
    assert sender.asked <= 61


@pytest.mark.parametrize("fps", [1, 2, 5])
def test_of_a_slow_sender_everything_is_decoded_and_no_key_frame_asked_for(fps):
    sender = Sender(FrameSampler(), fps)
    sender.seconds(60)
    assert len(sender.decoded) == 60 * fps
    assert 59 <= len(sender.sent) <= 61
    assert sender.asked == 0


def test_a_jittering_clock_still_gives_one_frame_a_second():
    sender, dice = Sender(FrameSampler(), 2), random.Random(1)
    for _ in range(120):
        sender.frame(jitter=dice.uniform(-900, 900))
    assert 59 <= len(sender.sent) <= 61
    gaps = [later - earlier for earlier, later in itertools.pairwise(sender.sent)]
    assert max(gaps) < 1.1


def test_the_rate_is_kept_on_the_media_clock_whatever_the_wall_clock_does():
    sampler = FrameSampler(rate_hz=2.0)
    sent = 0
    for n in range(100):  # 10 s of frames at 10 a second, all arriving in the same instant
        stamp = n * 9000
        sent += sampler.wants(True, stamp, False, 5.0) and sampler.chosen(stamp)
    assert 20 <= sent <= 21


def test_looking_takes_the_next_frame_that_can_be_decoded():
    sender = Sender(FrameSampler(), 30)
    sender.seconds(10.3)
    before = len(sender.sent)
    sender.sampler.look()
    looked_at_s = sender.timestamp / 90_000
    sender.seconds(0.5)
    assert len(sender.sent) == before + 1
    assert sender.sent[-1] - looked_at_s < 0.45


def test_a_sender_that_becomes_slow_is_decoded_whole_and_back():
    sender = Sender(FrameSampler(), 30)
    sender.seconds(5)
    assert sender.only_key_frames_are_decoded()
    sender.fps = 2
    sender.seconds(10)
    assert not sender.only_key_frames_are_decoded()
    decoded = len(sender.decoded)
    sender.seconds(10)
    assert len(sender.decoded) - decoded == 20
    sender.fps = 30
    sender.seconds(2)
    assert sender.only_key_frames_are_decoded()


def test_after_a_loss_nothing_is_decoded_until_a_key_frame():
    sender = Sender(FrameSampler(), 2, answers_after=1)
    sender.seconds(5)
    decoded = len(sender.decoded)
    sender.frame(after_loss=True)
    sender.frame()
    assert len(sender.decoded) == decoded
    assert sender.asked >= 1
    sender.frame()
    assert sender.decoded[-1][1]
    assert len(sender.decoded) == decoded + 1


def test_a_sender_that_ignores_the_request_is_asked_again_but_not_for_every_frame():
    sender = Sender(FrameSampler(), 30, answers_after=10**9)
    sender.seconds(10)
    assert 18 <= sender.asked <= 26  # every 0.4 s


def test_a_jump_of_the_media_clock_is_a_new_beginning():
    sampler = FrameSampler()
    assert sampler.wants(True, 0, False, 0.0)
    assert sampler.chosen(0)
    assert sampler.wants(True, 1 << 33, False, 0.1)
    assert sampler.chosen(1 << 33)
    sampler.wants(True, (1 << 33) + 3000, False, 0.1)
    assert not sampler.chosen((1 << 33) + 3000)


def test_key_frames_are_told_from_the_others():
    assert is_key_frame("VP8", b"\x10\x02\x00")
    assert not is_key_frame("VP8", b"\x11\x02\x00")
    assert not is_key_frame("VP8", b"")
    start = b"\0\0\0\1"
    parameters = start + b"\x67abc" + start + b"\x68ab"
    assert is_key_frame("H264", parameters + start + b"\x65picture")
    assert not is_key_frame("H264", start + b"\x41picture")
    assert not is_key_frame("H264", parameters)
    assert not is_key_frame("H264", b"")
