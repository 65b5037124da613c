"""`vision-agent cluster` on this machine, from start to end."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.support.scenarios import TONES
from tests.support.waiting import until
from vision_agent import CallClient

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "vision_agent.rules.yml"
DASHBOARD_PORT = 8265
INSTANCE = {"instance": "a"}


@contextlib.asynccontextmanager
async def running(folder: Path, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs the command, its output in `out` and `err`; ends its process group as Ctrl-C does."""
    command = (sys.executable, "-m", "vision_agent", "cluster", "--port", "0", *options)
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, "VISION_AGENT_DATA_DIR": str(folder / "data")},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        async with asyncio.timeout(60):
            await process.wait()


def read(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def labels(sample: Sample) -> str:
    return ",".join(f'{name}="{value}"' for name, value in (sample.labels | INSTANCE).items())


def firing(metrics: str, folder: Path) -> str:
    """promtool's output if these metrics stay constant and no alert is expected."""
    series = [
        {"series": f"{sample.name}{{{labels(sample)}}}", "values": f"{sample.value}x60"}
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if not sample.name.endswith("_created")
    ]
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    asked = [{"alertname": rule["alert"], "eval_time": "45m"} for rule in group["rules"]]
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": asked}],
    }
    (folder / "test.yml").write_text(yaml.safe_dump(test))
    done = subprocess.run(
        ["promtool", "test", "rules", str(folder / "test.yml")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


async def test_it_says_where_it_is_answers_raises_no_alert_and_ends_without_a_word(tmp_path):
    options = ("--workers", "2", "--max-calls", "1", "--dashboard", "--scenario", str(TONES))
    with socket.socket() as taken:
        # The port may be in TIME_WAIT.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # then another program has it
            taken.bind(("127.0.0.1", DASHBOARD_PORT))
            taken.listen()
        async with running(tmp_path, *options) as process:

            def said() -> str:
                assert process.returncode is None, (tmp_path / "err").read_text()
                text = (tmp_path / "out").read_text()
                return text if "Ctrl-C" in text else ""

            text = await until(said, 120, "the cluster")
            url = re.search(r"^vision-agent: (\S+)$", text, re.M)[1]
            dashboard = re.search(r"^Ray's dashboard: (http://127\.0\.0\.1:(\d+))", text, re.M)
            assert int(dashboard[2]) != DASHBOARD_PORT
            # Ray itself listens there, and refuses clients without its token.
            status, _ = await asyncio.to_thread(read, f"{dashboard[1]}/api/v0/tasks")
            assert status in (401, 403)
            async with CallClient(url) as client:
                assert (await client.type("hello")).text == "Hello."

                async def both() -> str:
                    _, metrics = await asyncio.to_thread(read, f"{url}/metrics")
                    return metrics if metrics.count("vision_agent_max_calls{") == 2 else ""

                # One of the two workers has all its calls.
                metrics = await until(both, what="the metrics of both workers")
                assert metrics.count("\nvision_agent_calls{") == 2
                assert firing(metrics, tmp_path) == ""
    assert process.returncode == 0
    assert (tmp_path / "err").read_text() == ""
    assert (tmp_path / "out").read_text() == text
