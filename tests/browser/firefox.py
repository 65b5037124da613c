"""Debian's Firefox, driven by WebDriver BiDi, with a fake camera and PulseAudio's devices."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.waiting import until

NAMES = ("firefox-esr", "firefox")
PREFERENCES = {
    # Firefox's fake camera, and the microphone of this name.
    "media.navigator.streams.fake": True,
    "media.audio_loopback_dev": "VirtualMicrophone",
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    # Firefox's noise suppression takes a recorded voice for noise.
    "media.getusermedia.audio.processing.noise.enabled": False,
    "media.peerconnection.ice.loopback": True,
    # Firefox sends no requests of its own.
    "network.proxy.type": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,none",
    "layout.frame_rate": 10,
    "ui.prefersReducedMotion": 1,
    "media.navigator.video.default_fps": 5,
    "media.navigator.video.default_width": 320,
    "media.navigator.video.default_height": 240,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "browser.startup.homepage_override.mstone": "ignore",
    # No process is prepared for a page, and no page opens by itself.
    "dom.ipc.processPrelaunch.enabled": False,
    "browser.newtab.preload": False,
    "browser.newtabpage.enabled": False,
    "browser.startup.page": 0,
}
ENVIRONMENT = {
    "MOZ_CRASHREPORTER_DISABLE": "1",
    "MOZ_HEADLESS_WIDTH": "800",
    "MOZ_HEADLESS_HEIGHT": "600",
}
_READY = "WebDriver BiDi listening on "


class BidiError(RuntimeError):
    """A command that Firefox refused, or a script that failed."""


class Firefox:
    """One tab.

    Args:
        socket: A BiDi session.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._tab = ""

    async def begin(self) -> None:
        """Opens the session and finds its tab."""
        await self._command("session.new", {"capabilities": {}})
        tree = await self._command("browsingContext.getTree", {})
        self._tab = tree["contexts"][0]["context"]

    async def goto(self, url: str) -> None:
        """Loads a page."""
        where = {"context": self._tab, "url": url, "wait": "complete"}
        await self._command("browsingContext.navigate", where)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression on the page; a promise is awaited.

        Args:
            expression: JavaScript whose value JSON can hold.
        """
        result = await self._command(
            "script.evaluate",
            {
                "expression": f"(async () => JSON.stringify(await ({expression})) ?? 'null')()",
                "target": {"context": self._tab},
                "awaitPromise": True,
                "userActivation": True,
            },
        )
        if result["type"] != "success":
            raise BidiError(result["exceptionDetails"]["text"])
        return json.loads(result["result"]["value"])

    async def until(self, expression: str, *, within_s: float = 60) -> Any:
        """Waits until an expression is true; its value."""
        return await until(lambda: self.evaluate(expression), within_s, expression)

    async def covered(self) -> None:
        """Opens another tab in front: this one is in the background from now on."""
        other = await self._command("browsingContext.create", {"type": "tab"})
        await self._command("browsingContext.activate", {"context": other["context"]})
        await self.until("document.hidden")

    async def click(self, selector: str) -> None:
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    async def _command(self, method: str, params: Mapping[str, object]) -> Any:
        number = next(self._ids)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        async with asyncio.timeout(60):
            while True:
                answer = json.loads(await self._socket.recv())
                if answer.get("id") == number:
                    break
        if answer["type"] == "error":
            raise BidiError(f"{method}: {answer['message']}")
        return answer["result"]


@asynccontextmanager
async def firefox(profile: Path, environment: Mapping[str, str]) -> AsyncIterator[Firefox]:
    """A browser with a fresh profile.

    Args:
        profile: An empty folder.
        environment: The environment, which names its sound devices.
    """
    name = next(filter(None, map(shutil.which, NAMES)), None)
    assert name, "scripts/setup.sh dev installs what is missing here: firefox-esr"
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    browser = await asyncio.create_subprocess_exec(
        name,
        "--headless",
        "--no-remote",
        "--profile",
        profile,
        "--remote-debugging-port=0",
        env=dict(environment) | {"HOME": str(profile)} | ENVIRONMENT,
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    assert browser.stderr is not None
    said = ""
    try:
        async with asyncio.timeout(90):
            while _READY not in said:
                line = (await browser.stderr.readline()).decode()
                assert line, f"Firefox has ended: {said}"
                said += line
        address = said.partition(_READY)[2].split()[0]
        reading = asyncio.create_task(_read(browser.stderr))
        async with connect(f"{address}/session", max_size=None, proxy=None) as socket:
            tab = Firefox(socket)
            await tab.begin()
            yield tab
        reading.cancel()
    finally:
        # Firefox has child processes, in its process group.
        os.killpg(browser.pid, signal.SIGKILL)
        await browser.wait()


async def _read(stream: asyncio.StreamReader) -> None:
    while await stream.read(65_536):
        pass
