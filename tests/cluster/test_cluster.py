"""Calls in a Ray cluster of a head and two nodes on this machine."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from playwright.async_api import async_playwright, expect

from tests.browser.caller import Caller
from tests.browser.chromium import chromium
from tests.browser.conftest import CHEAP
from tests.cluster.forked_ray import write_python
from tests.support.dialling import Dialled, request
from tests.support.messages import refusal
from tests.support.metrics import metrics
from tests.support.scenarios import TONES
from tests.support.waiting import until
from vision_agent import CallClient, Settings
from vision_agent.cluster.options import NAMESPACE, ClusterOptions
from vision_agent.worker_name import worker_of

# Ray waits in C, where no signal handler runs, so a timeout ends pytest's worker.
pytestmark = pytest.mark.timeout(180, method="thread")

LINES = 2
"""The calls that a worker takes at once."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A cluster of a head and two nodes, with two workers that share a database."""
    from vision_agent.cluster import run

    ray = run._ray()
    from ray.cluster_utils import Cluster

    from vision_agent.server.listening import listen

    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
    settings = Settings(
        _env_file=None,
        port=port,
        scenario=TONES,
        data_dir=tmp_path_factory.mktemp("cluster"),
        max_calls=LINES,
        calls_per_address=0,
        drain_s=1,
    )
    small = {"object_store_memory": 80_000_000, "include_dashboard": False}
    python = write_python(tmp_path_factory.mktemp("python"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in run.ENVIRONMENT.items():
            patch.setenv(name, value)  # the nodes' processes inherit it
        patch.setattr(sys, "executable", str(python))
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
        others = [nodes.add_node(num_cpus=2, object_store_memory=80_000_000) for _ in range(2)]
    logs = nodes.head_node.get_logs_dir_path()
    try:
        ray.init(address=nodes.address, namespace=NAMESPACE, logging_level="warning")

        def deploy(generation: str) -> None:
            options = ClusterOptions(settings, generation, 2, 2, on_loopback=True)
            run.deploy(options, everywhere=False)
            run.wait_until_ready(generation, 2)

        deploy("g1")
        url = f"http://127.0.0.1:{port}"
        end_s = time.monotonic() + 20
        # A worker runs before the ingress knows it.
        while request("GET", f"{url}/healthz")["workers"] < 2:
            assert time.monotonic() < end_s
            time.sleep(0.1)
        yield SimpleNamespace(url=url, nodes=others, deploy=deploy, settings=settings)
    finally:
        run.stop_ray()
        nodes.shutdown()
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
                if "ray" in each.name() and writes_to(each, logs):
                    each.kill()


def writes_to(process: psutil.Process, folder: str) -> bool:
    """Whether a Ray process belongs to the cluster that has this log folder."""
    return any(Path(each.path).is_relative_to(folder) for each in process.open_files())


async def workers() -> dict[str, Any]:
    """The workers' own reports, by name."""
    from ray import serve

    from vision_agent.cluster.app import FLEET
    from vision_agent.cluster.options import APPLICATION

    def ask() -> list[Any]:
        handle = serve.get_deployment_handle(FLEET, APPLICATION)
        return handle.table.remote().result(timeout_s=10)

    return {one.name: one for one in await asyncio.to_thread(ask)}


async def two_are_free() -> dict[str, Any] | None:
    there = await workers()
    return there if len(there) == 2 and not any(one.calls for one in there.values()) else None


def worker_with(client: CallClient) -> str:
    return worker_of(client._call.pc_id or "") or ""


async def test_every_later_request_about_a_call_finds_its_worker(cluster):
    first, second = Dialled(cluster.url), Dialled(cluster.url)
    await first.connect()
    await second.connect()
    names = [worker_of(each.pc_id) for each in (first, second)]
    assert sorted(names) == sorted(await workers())  # the least loaded was the other one
    again = Dialled(cluster.url)
    await again.connect(restart=first.pc_id)
    assert again.pc_id == first.pc_id
    body = {"pc_id": second.pc_id, "candidates": []}
    assert await asyncio.to_thread(request, "PATCH", f"{cluster.url}/api/offer", body)

    async def shown() -> bool:
        found = await asyncio.to_thread(metrics, cluster.url)
        return all(found[f'vision_agent_calls{{worker="{name}"}}'] == 1 for name in names)

    await until(shown, what="the metrics of both workers")
    await again.hang_up()
    await second.hang_up()
    await first.peer.close()
    for name in (names[0], "wgone"):
        gone = await refusal(f"{cluster.url}/api/offer/{name}.1f", "DELETE")
        assert gone.code == 404
    assert (await asyncio.to_thread(request, "GET", f"{cluster.url}/healthz"))["workers"] == 2


async def test_a_whip_session_is_ended_by_its_url(cluster):
    caller = Dialled(cluster.url)
    await caller.peer.setLocalDescription(await caller.peer.createOffer())
    sdp = caller.peer.localDescription.sdp.encode()
    offer = urllib.request.Request(f"{cluster.url}/whip", sdp, {"Content-Type": "application/sdp"})
    with await asyncio.to_thread(urllib.request.urlopen, offer, timeout=20) as answer:
        location = answer.headers["Location"]
    await asyncio.to_thread(request, "DELETE", cluster.url + location)
    await caller.peer.close()
    assert (await refusal(cluster.url + location, "DELETE")).code == 404


async def test_a_full_cluster_says_when_to_try_again(cluster):
    await until(two_are_free)
    callers = [Dialled(cluster.url) for _ in range(2 * LINES)]
    for each in callers:
        await each.offer()
    one_more = Dialled(cluster.url)
    with pytest.raises(urllib.error.HTTPError) as refused:
        await one_more.offer()
    assert refused.value.code == 503
    assert int(refused.value.headers["Retry-After"]) > 0
    await one_more.peer.close()
    for each in callers:
        await each.hang_up()


async def moved(client: CallClient, from_: str) -> None:
    """Waits until the caller continues the same conversation on another worker."""
    await until(lambda: worker_with(client) not in ("", from_), what="another worker")
    assert (await client.type("hello again")).text == "Hello."
    resumed = f'vision_agent_calls_resumed_total{{worker="{worker_with(client)}"}}'

    async def counted() -> bool:
        with contextlib.suppress(OSError):  # a new ingress knows no worker yet
            return (await asyncio.to_thread(metrics, client._url)).get(resumed, 0) >= 1
        return False

    await until(counted, what="the metrics of the worker that resumed the call")


async def test_callers_of_a_killed_worker_come_back_on_another_and_others_notice_nothing(cluster):
    there = await until(two_are_free)
    async with AsyncExitStack() as calls:
        first = second = await calls.enter_async_context(CallClient(cluster.url))
        await first.type("hello")
        lost = worker_with(first)
        while worker_with(second) == lost:  # a full worker takes no more calls
            second = await calls.enter_async_context(CallClient(cluster.url))
        kept = second._call.pc_id
        os.kill(there[lost].pid, signal.SIGKILL)
        await moved(first, lost)
        assert second._call.pc_id == kept
        assert (await second.type("hello")).text == "Hello."
    replaced = await until(two_are_free)
    assert lost not in replaced


PHASES = """
  () => {
    window.phases = [];
    const note = () => {
      const { state } = document.body.dataset;
      if (phases.at(-1)?.[1] !== state) phases.push([Date.now(), state]);
    };
    new MutationObserver(note).observe(document.body, { attributeFilter: ["data-state"] });
    const { fetch } = window;
    window.fetch = async (path, options) => {
      const begun = Date.now();
      const answer = await fetch(path, options);
      phases.push([begun, `${options.method} ${path}: ${answer.status} at ${Date.now()}`]);
      return answer;
    };
  }
"""


BACK = """
  () => phases.some(([, what]) => what === "reconnecting")
    && ["listening", "speaking"].includes(document.body.dataset.state)
"""


async def test_the_page_comes_back_from_a_killed_worker_by_one_new_call(cluster, record_property):
    there = await until(two_are_free)
    async with async_playwright() as playwright, chromium(playwright) as browser:
        caller = Caller(await browser.new_page(**CHEAP))
        await caller.open(cluster.url)
        await caller.call()
        await caller.press("microphone")  # Chromium's beeps would be turns
        await caller.types("hello")
        await expect(caller.page.locator(".line-agent .text").last).to_have_text("Hello.")
        await caller.sees_state("listening")  # an answer that is broken off is given once more
        (lost,) = [one for one in (await workers()).values() if one.calls]
        await caller.page.evaluate(PHASES)
        killed_ms = 1_000 * time.time()
        os.kill(there[lost.name].pid, signal.SIGKILL)
        await caller.page.wait_for_function(BACK)  # polling might miss so short an absence
        phases = await caller.page.evaluate("phases")
        print(*(f"{at - killed_ms:7.0f} ms: {what}" for at, what in phases), sep="\n")
        record_property("back_after_ms", phases[-1][0] - killed_ms)
        # The page does not ask for the call that it knows is gone.
        offers = [what for _, what in phases if what.startswith("POST api/offer")]
        assert [what.split()[2] for what in offers] == ["200"]
        said = caller.page.locator(".line-agent .text")
        before = await said.count()
        await caller.types("hello")
        await expect(said).to_have_count(before + 1)
        await caller.press("hang-up")
    await until(two_are_free)


async def test_a_worker_that_can_not_start_says_why_in_one_sentence(cluster):
    import ray

    from vision_agent.cluster import run
    from vision_agent.cluster.worker import CallWorker

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        settings = cluster.settings.model_copy(update={"udp_ports": f"{port}-{port}"})
        options = ClusterOptions(settings, "g1x", 1, 1, on_loopback=True)
        where = {"name": "worker.g1x.wx", "namespace": NAMESPACE, "lifetime": "detached"}
        ray.remote(CallWorker).options(**where).remote("wx", options)
        why = f"A worker can't start: All UDP ports of {port}-{port} are taken."
        with pytest.raises(run.ClusterError) as refused:
            await asyncio.to_thread(run.wait_until_ready, "g1x")
        assert str(refused.value) == why
    # The fleet has noticed it, too, and ended the worker.
    await until(lambda: "worker.g1x.wx" not in ray.util.list_named_actors())


async def test_a_new_deployment_takes_the_calls_over(cluster):
    old = await until(two_are_free)
    async with CallClient(cluster.url) as client:
        await client.type("hello")
        before = worker_with(client)  # it moves while the deployment still goes on
        await asyncio.to_thread(cluster.deploy, "g2")
        await moved(client, before)
        assert worker_with(client) not in old
    new = await until(two_are_free)
    assert {one.generation for one in new.values()} == {"g2"}


async def test_callers_of_a_node_whose_raylet_is_killed_come_back_on_another_node(cluster):
    there = await until(two_are_free)
    async with CallClient(cluster.url) as client:
        await client.type("hello")
        lost = there[worker_with(client)]
        (node,) = [each for each in cluster.nodes if each.node_id == lost.node]
        os.kill(node.all_processes["raylet"][0].process.pid, signal.SIGKILL)
        await moved(client, lost.name)

    from ray.exceptions import RayError
    from ray.serve.exceptions import RayServeException

    async def two_are_elsewhere() -> bool:
        try:
            there = await two_are_free() or {}
        except (TimeoutError, RayError, RayServeException):
            return False  # the fleet was on the node, too, and is being replaced
        return bool(there) and lost.node not in {one.node for one in there.values()}

    await until(two_are_elsewhere, what="two workers on the nodes that are left")
