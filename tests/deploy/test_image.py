"""The container image: its steps run in a clean Debian, and what they make takes a call."""

import asyncio
import shutil
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.deploy import debian_tree, early_image
from tests.deploy.booted import Booted
from tests.deploy.build_context import BuildContext
from tests.deploy.container import Container
from tests.deploy.debian_tree import need_debian
from tests.deploy.image import Build, Image
from tests.networks.in_namespace import run_inside
from tests.networks.islands import SERVER, islands, need_namespaces
from tests.support.waiting import until
from vision_agent import CallClient

CHECKOUT = Path(__file__).parent.parent.parent
EXTRAS = ("", "brain", "mcp", "otel", "postgres")
TOKEN = "for-the-test"

LISTENS = "Press Ctrl-C"
"""What the server says when it listens."""


@pytest.mark.parametrize(
    ("file", "extras"),
    [("requirements.txt", EXTRAS), ("requirements-cluster.txt", (*EXTRAS, "cluster"))],
)
def test_an_image_has_a_version_of_everything_that_the_package_asks_for(file, extras):
    lines = (CHECKOUT / "deploy" / file).read_text().splitlines()
    locked = dict(line.split("==") for line in lines if not line.lstrip().startswith("#"))
    for text in requires("adk-video-call") or []:
        asked = Requirement(text)
        needed = any(
            asked.marker is None or asked.marker.evaluate({"extra": extra}) for extra in extras
        )
        # The headless build replaces it.
        if needed and asked.name != "opencv-python":
            assert asked.specifier.contains(locked[asked.name]), text


def test_neither_secrets_nor_the_machines_own_files_are_sent_to_the_builder():
    context = BuildContext(CHECKOUT)
    for sent in ("web/page.js", "vision_agent/__init__.py", "deploy/requirements-cluster.txt"):
        assert Path(sent) in set(context.files(sent)), sent
    for kept in (
        ".env",
        ".git/config",
        ".venv/bin/python",
        "deploy/compose.env",
        "a/__pycache__/b",
    ):
        assert context.excludes(Path(kept)), kept


async def call() -> str:
    async with CallClient(f"http://{SERVER}:7860", token=TOKEN, timeout_s=90) as client:
        return (await client.type("Can you hear me?")).text


@pytest.fixture(scope="module")
def image(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Image:
    need_debian()
    need_namespaces()
    if folder := getattr(pytestconfig, "workerinput", {}).get("image"):
        return early_image.wait(Path(folder))
    return Build(CHECKOUT, tmp_path_factory.mktemp("image")).image()


@pytest.mark.timeout(1800)
async def test_the_image_takes_a_call_as_its_user_on_a_read_only_root(image, tmp_path):
    assert "0.0.0.0" in image.environment["VISION_AGENT_HOST"]
    assert image.settings["EXPOSE"].split() == ["7860/tcp", "7861/udp"]
    with islands() as net:
        net.forward()
        container = Container(image, net.server, tmp_path, {"VISION_AGENT_TOKEN": TOKEN})
        async with container.running() as process:

            def listens() -> bool:
                log = container.log.read_text()
                assert process.returncode is None, log
                return LISTENS in log

            # Not by the health check, which is a process of Python each time.
            await until(listens, 120, "the server to start")
            assert await container.is_healthy()
            assert await run_inside(net.caller, call) == "Yes, I hear you."
            kept = {path.name: path.stat() for path in container.data.iterdir()}
            assert {name.partition(".db")[0] for name in kept} == {"sessions", "memory"}
            assert {(found.st_uid, found.st_mode & 0o777) for found in kept.values()} == {
                (10001, 0o600)
            }
            assert await container.stop(process) == 0
    log = container.log.read_text()
    for complaint in ("Traceback", "Read-only", "WARNING", "ERROR"):
        assert complaint not in log, log


@pytest.mark.timeout(600)
async def test_the_unit_takes_a_call_under_systemd(image):
    # From here on the image's tree is a Debian machine that has the program, and no image.
    root = image.root
    await asyncio.to_thread(debian_tree.install, root, "systemd")
    (root / "opt/vision-agent").mkdir()
    (root / "opt/vision-agent/.venv").symlink_to("/opt/venv")
    (root / "etc/machine-id").write_text("")
    options = f"VISION_AGENT_HOST=0.0.0.0\nVISION_AGENT_TOKEN={TOKEN}\n"
    (root / "etc/vision-agent.env").write_text(options)
    unit = root / "etc/systemd/system/vision-agent.service"
    shutil.copy(CHECKOUT / "deploy/systemd/vision-agent.service", unit)
    with islands() as net:
        net.forward()
        booted = Booted(net.server, root)
        async with booted.running():
            assert await booted.run("systemctl", "start", "vision-agent") == (0, "")

            async def listens() -> bool:
                await asyncio.sleep(1)  # each look takes two processes
                _, journal = await booted.run("journalctl", "--unit=vision-agent", "--output=cat")
                return LISTENS in journal

            await until(listens, 60, "the server to start")
            assert await run_inside(net.caller, call) == "Yes, I hear you."
            assert await booted.run("systemctl", "stop", "vision-agent") == (0, "")
            asked = "--property=Result,ExecMainStatus,NRestarts"
            _, shown = await booted.run("systemctl", "show", asked, "vision-agent")
            assert set(shown.split()) == {"Result=success", "ExecMainStatus=0", "NRestarts=0"}
            code, kept = await booted.run("ls", "/var/lib/vision-agent/")
            assert code == 0
            assert "sessions.db" in kept
