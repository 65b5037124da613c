"""A caller on the page: presses buttons, reads, and listens through Web Audio."""

import asyncio
from dataclasses import dataclass
from typing import Any, Self

from playwright.async_api import Page

from tests.support.waiting import until

# RMS of samples from -1 to 1: at least that of a voice, at most that of silence.
VOICE_RMS = 0.01
SILENCE_RMS = 0.002

# Keeps every peer connection of the page, for getStats.
KEEP_CONNECTIONS = """
    const Original = RTCPeerConnection;
    window.connections = [];
    window.RTCPeerConnection = class extends Original {
      constructor(...all) {
        super(...all);
        window.connections.push(this);
      }
    };
"""

# Records every 20 ms how loud the <audio> element is, which state is shown, and how many answers
# are marked as interrupted.
LISTEN = """
    () => {
      const context = new AudioContext({ latencyHint: 0.04 }); // blocks of 10 ms cost more
      const analyser = context.createAnalyser();
      analyser.fftSize = 2048; // as long as a block
      const stream = document.querySelector("audio").srcObject;
      window.listening = context.createMediaStreamSource(stream); // or it is collected
      window.listening.connect(analyser);
      const values = new Float32Array(analyser.fftSize);
      window.samples = [];
      setInterval(() => {
        analyser.getFloatTimeDomainData(values);
        const sum = values.reduce((total, sample) => total + sample * sample, 0);
        window.samples.push({
          at_ms: performance.now(),
          rms: Math.sqrt(sum / values.length),
          state: document.body.dataset.state,
          interruptions: document.querySelectorAll('.line[data-state="interrupted"]').length,
        });
      }, 20);
    }
"""

OUTBOUND_VIDEO = """
    async (after_ms) => {
      for (;;) {
        for (const one of (await window.connections.at(-1).getStats()).values()) {
          const { type, kind, timestamp, framesSent, frameWidth, frameHeight } = one;
          if (type === "outbound-rtp" && kind === "video" && timestamp > after_ms) {
            return { framesSent, width: frameWidth, height: frameHeight, at_ms: timestamp };
          }
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the page plays and shows at one time."""

    at_ms: float
    rms: float
    state: str
    interruptions: int


class Caller:
    """A caller on the page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @classmethod
    async def on(cls, page: Page, *, own_clock: bool = False) -> Self:
        """With `own_clock` the page has Playwright's clock, which `waits_for_state` advances."""
        await page.add_init_script(KEEP_CONNECTIONS)
        if own_clock:
            await page.clock.install()
        return cls(page)

    async def open(self, url: str) -> None:
        await self.page.goto(url)
        await self.page.wait_for_selector("#brain:not([hidden])")

    async def leave(self) -> None:
        """Navigates away if the page is open, so that it ends its call with a goodbye."""
        if not self.page.is_closed():
            await self.page.goto("about:blank")

    async def call(self) -> None:
        """Presses the button and waits until the agent listens."""
        await self.page.click("#call")
        await self.sees_state("listening")

    async def sees_state(self, *states: str, timeout_s: float = 60) -> None:
        selector = ", ".join(f'body[data-state="{state}"]' for state in states)
        await self.page.wait_for_selector(selector, timeout=timeout_s * 1000)

    async def waits_for_state(self, state: str) -> None:
        """Lets the page's clock run ahead until the page shows the state."""

        async def shown() -> bool:
            await self.page.clock.fast_forward(1_000)
            return await self.page.evaluate("() => document.body.dataset.state") == state

        await until(shown, what=state)

    async def types(self, text: str) -> None:
        await self.page.fill("#text", text)
        await self.page.press("#text", "Enter")

    async def press(self, control: str) -> None:
        await self.page.click(f'[data-control="{control}"]')

    async def reads(self, who: str) -> list[str]:
        """The captions of "user" or "agent" that are finished, oldest first."""
        return await self.page.locator(f".line-{who} .text").all_text_contents()

    async def reads_answer(self) -> str:
        """Waits for the first whole answer."""
        line = self.page.locator('.line-agent[data-state="final"] .text').first
        await line.wait_for(timeout=60_000)
        return await line.inner_text()

    async def notice(self, words: str = "") -> str:
        """The text of the first notice that contains these words."""
        card = self.page.locator(".notice", has_text=words).first
        await card.wait_for(timeout=60_000)
        return await card.inner_text()

    async def listen(self) -> None:
        """Begins to sample what the page plays; see `samples`."""
        await self.page.evaluate(LISTEN)

    async def samples(self) -> list[Sample]:
        return [Sample(**one) for one in await self.page.evaluate("() => window.samples")]

    async def now_ms(self) -> float:
        """Now, on the clock of `samples`."""
        return await self.page.evaluate("() => performance.now()")

    async def hears_voice(self) -> None:
        """Waits for a tenth of a second of voice in one second."""

        voice = "(rms) => samples.slice(-50).filter((one) => one.rms > rms).length >= 5"
        await self.page.wait_for_function(voice, arg=VOICE_RMS, polling=100, timeout=60_000)

    async def video_sent(self, *, after_ms: float = 0) -> dict[str, Any]:
        """Waits for getStats' report of outbound video whose timestamp is past `after_ms`."""
        async with asyncio.timeout(60):
            return await self.page.evaluate(OUTBOUND_VIDEO, after_ms)
