"""Boxes over what the agent points at: in a real call, and over video that the test draws."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.chromium import chromium
from tests.browser.fake_devices import CAMERA_FPS, drawn_camera_file
from tests.support.forked_product import ForkedServer
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTH, HEIGHT = 640, 360
# x, y, width, height in the first frame: left of the middle wherever the camera pans.
SQUARE = (180, 120, 90, 80)
SWAY_PX = 70
STILL_S = 6

SCENARIO = f"""
    engine: false
    answers:
      - when: {{words: where is it}}
        call:
          name: point_at
          args:
            label: Red square
            box_2d: {
    [
        round(1000 * side)
        for side in (
            SQUARE[1] / HEIGHT,
            SQUARE[0] / WIDTH,
            (SQUARE[1] + SQUARE[3]) / HEIGHT,
            (SQUARE[0] + SQUARE[2]) / WIDTH,
        )
    ]
}
      - when: {{tool: point_at}}
        say: There.
      - when: {{words: look closely}}
        call: {{name: look_closely, args: {{what: the square}}}}
      - when: {{tool: look_closely}}
        say: "It is {{width}} by {{height}}."
    otherwise: {{say: Go on.}}
"""


def room() -> np.ndarray:
    """A patterned wall with a red square, wider than what the camera sees."""
    dice = np.random.default_rng(4)
    wall = dice.integers(90, 200, (HEIGHT // 30, (WIDTH + 2 * SWAY_PX) // 30 + 1), np.uint8)
    wall = cv2.resize(wall, (WIDTH + 2 * SWAY_PX, HEIGHT), interpolation=cv2.INTER_CUBIC)
    wall = cv2.cvtColor(wall, cv2.COLOR_GRAY2RGB)
    x, y, width, height = SQUARE
    wall[y : y + height, SWAY_PX + x : SWAY_PX + x + width] = (210, 20, 30)
    return wall


@pytest.fixture(scope="session")
def swaying_camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A camera that stands still for 6 s, then pans to and fro for 6 s; 1280x720."""
    path, wall = tmp_path_factory.mktemp("points") / "sway.y4m", room()
    still = STILL_S * CAMERA_FPS

    def view(number: int) -> np.ndarray:
        phase = max(0, number - still) / still
        left = round(SWAY_PX + SWAY_PX * np.sin(2 * np.pi * phase))
        return cv2.resize(wall[:, left : left + WIDTH], (2 * WIDTH, 2 * HEIGHT))

    return drawn_camera_file(map(view, range(2 * still)), path)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pointing_server(tmp_path_factory):
    scenario = tmp_path_factory.mktemp("points") / "scenario.yaml"
    scenario.write_text(SCENARIO)
    async with ForkedServer("--scenario", str(scenario)) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def swaying_browser(playwright, swaying_camera, silence):
    async with chromium(playwright, camera=swaying_camera, microphone=silence) as browser:
        yield browser


async def red_and_box(page) -> tuple[np.ndarray, np.ndarray] | None:
    """Left, top, right and bottom of the red pixels and of the box, in pixels of the video."""
    box = page.locator(".point:not(.point-gone)")
    if await box.count() == 0:
        return None
    place = await page.locator("#own").bounding_box()
    png = await page.screenshot(clip=place)
    where = await box.bounding_box()
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).astype(int)
    red = (pixels[..., 2] > 150) & (pixels[..., 1] < 90) & (pixels[..., 0] < 90)
    rows, columns = np.nonzero(red)
    if len(rows) == 0:
        return None
    # The percentiles leave out single noisy pixels.
    edges = [np.percentile(columns, 1), np.percentile(rows, 1)]
    edges += [np.percentile(columns, 99), np.percentile(rows, 99)]
    x, y = where["x"] - place["x"], where["y"] - place["y"]
    sides = [x, y, x + where["width"], y + where["height"]]
    return np.array(edges), np.array(sides)


async def over_what_is_pointed_at(page: Page) -> None:
    """Waits until the box lies over the red square; its label lies within the video."""
    scale = (await page.locator("#own").bounding_box())["width"] / WIDTH

    async def over_it() -> bool:
        seen = await red_and_box(page)
        return seen is not None and bool(np.abs(seen[0] - seen[1]).max() < 12 * scale)

    await until(over_it, 8, "the box to lie over the red square")
    assert await page.locator(".point-label").inner_text() == "Red square"
    label = await page.locator(".point-label").bounding_box()
    view = await page.locator(".camera-view").bounding_box()
    assert view["x"] <= label["x"]
    assert label["x"] + label["width"] <= view["x"] + view["width"]
    assert label["y"] >= view["y"]
    # The agent's left is the caller's left: the video is not mirrored.
    box = await page.locator(".point").bounding_box()
    assert box["x"] + box["width"] / 2 < view["x"] + view["width"] / 2


async def test_the_box_lies_over_what_is_pointed_at_and_a_close_look_gets_the_whole_resolution(
    pointing_server, swaying_browser, open_page
):
    wide = {"width": 1440, "height": 900}
    caller = await open_page(swaying_browser, pointing_server.url, own_clock=True, viewport=wide)
    page = caller.page
    await caller.call()

    async def still() -> bool:
        """Whether the camera stands still; the scenario's box is right then."""
        return await page.evaluate(
            """async () => {
                 const { FrameHistory } = await import("./view/frame_history.js");
                 const seen = [];
                 const video = document.querySelector("#own");
                 const history = new FrameHistory(video, (frame) => seen.push(frame));
                 history.start();
                 await new Promise((resolve) => setTimeout(resolve, 1600));
                 history.stop();
                 const [a, b] = [seen[0].grey, seen.at(-1).grey];
                 return a.every((value, at) => Math.abs(value - b[at]) < 30);
               }"""
        )

    async def usual_size() -> bool:
        return (await caller.video_sent())["width"] == 768

    await until(still, 30, "the camera to stand still")
    await caller.types("where is it")
    await page.locator(".point").wait_for(timeout=20_000)
    await over_what_is_pointed_at(page)
    # A phone with a dark colour scheme.
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.emulate_media(color_scheme="dark")
    await over_what_is_pointed_at(page)
    # While the box is shown, for ten seconds, look_closely gets the camera's own resolution.
    await until(usual_size, 15, "the usual size")
    await caller.types("look closely")
    answer = page.locator('.line-agent[data-state="final"] .text').nth(1)
    await expect(answer).to_have_text("It is 1280 by 720.", timeout=60_000)
    await until(usual_size, 15, "the usual size again")
    assert await page.locator(".point").count() == 1
    await page.clock.fast_forward(10_000)
    await page.locator(".point").wait_for(state="detached", timeout=20_000)
    await caller.press("hang-up")


# Video that the test moves: a textured wall with a dark disc, drawn on a canvas.
DRAWN = """
    async () => {
      const { Points } = await import("./view/points.js");
      const canvas = document.createElement("canvas");
      canvas.width = 640;
      canvas.height = 360;
      const context = canvas.getContext("2d");
      window.scene = { x: 0, y: 0, other: false };
      const draw = () => {
        const { x, y, other } = window.scene;
        for (let row = -8; row < 24; row++) {
          for (let column = -8; column < 40; column++) {
            const mixed = row * 73 + column * 151 + (other ? row * column * 17 : 0);
            const level = 120 + (mixed % 7) * 18;
            context.fillStyle = `rgb(${level},${level},${level})`;
            context.fillRect(column * 24 + x, row * 24 + y, 24, 24);
          }
        }
        if (other) return;
        context.fillStyle = "rgb(20,20,30)";
        context.beginPath();
        context.arc(200 + x, 150 + y, 50, 0, 7);
        context.fill();
      };
      setInterval(draw, 40);
      draw();
      const place = document.createElement("div");
      place.style.cssText = "position: fixed; left: 0; top: 0; width: 640px; height: 360px";
      document.body.append(place);
      const video = document.createElement("video");
      video.muted = true;
      video.srcObject = canvas.captureStream(30);
      await video.play();
      window.points = new Points(place, video);
      window.points.watch();
      window.begin = async () => {
        window.scene = { x: 0, y: 0, other: false };
        await new Promise((resolve) => setTimeout(resolve, 1500));
        window.points.clear();
        window.points.show({
          id: "one", label: "Disc", box_2d: [278, 234, 556, 391], age_ms: 300, seconds: 60,
        });
      };
      window.middle = () => {
        const box = place.querySelector(".point:not(.point-gone)");
        if (!box) return null;
        const at = (side) => (parseFloat(box.style[side]) / 100);
        return [
          Math.round((at("left") + at("width") / 2) * 640),
          Math.round((at("top") + at("height") / 2) * 360),
        ];
      };
    }
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def drawn(module_page):
    await module_page.evaluate(DRAWN)
    return module_page


async def at(page, x: int, y: int) -> None:
    async def there() -> bool:
        middle = await page.evaluate("() => window.middle()")
        return middle is not None and abs(middle[0] - x) <= 6 and abs(middle[1] - y) <= 6

    await until(there, 10, f"the box at {x}, {y}")


async def test_a_box_follows_its_object_when_the_camera_moves(drawn):
    await drawn.evaluate("() => begin()")
    await at(drawn, 200, 150)
    for x, y in ((40, 20), (80, 30), (120, 10), (160, 0)):
        await drawn.evaluate(f"() => Object.assign(window.scene, {{ x: {x}, y: {y} }})")
        await at(drawn, 200 + x, 150 + y)


async def test_a_box_whose_object_is_gone_disappears(drawn):
    await drawn.evaluate("() => begin()")
    await at(drawn, 200, 150)
    await drawn.evaluate("() => Object.assign(window.scene, { other: true })")

    async def gone() -> bool:
        return await drawn.evaluate("() => window.middle()") is None

    await until(gone, 10, "the box to go")


async def test_boxes_can_be_cleared_and_there_are_only_so_many(drawn):
    shown = await drawn.evaluate(
        """() => {
             for (let n = 0; n < 20; n++) {
               window.points.show({
                 id: `p${n}`, label: `${n}`, box_2d: [0, 0, 900, 900], age_ms: 0, seconds: 60,
               });
             }
             const shown = document.querySelectorAll(".point:not(.point-gone)").length;
             window.points.clear();
             return [shown, document.querySelectorAll(".point:not(.point-gone)").length];
           }"""
    )
    assert shown == [8, 0]
