"""On the virtual loop waiting takes no time, and time never skips something that may happen."""

import asyncio
import hashlib
import queue
import selectors
import sys
import threading
import time
import urllib.request
from typing import Any

import pytest

from vision_agent.virtual_time.clock import real_monotonic
from vision_agent.virtual_time.loop import VirtualLoop, VirtualSelector, run_virtually


@pytest.fixture
def slept_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The real times for which the virtual loop waits, in seconds."""
    waits: list[float] = []
    select = selectors.DefaultSelector.select

    def timed(self: selectors.DefaultSelector, timeout: float | None = None) -> Any:
        began_s = real_monotonic()
        ready = select(self, timeout)
        if isinstance(self, VirtualSelector) and timeout != 0:
            waits.append(real_monotonic() - began_s)
        return ready

    monkeypatch.setattr(selectors.DefaultSelector, "select", timed)
    return waits


def loop() -> VirtualLoop:
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualLoop)
    return running


def test_half_a_minute_passes_without_any_sleep_and_timers_fire_in_their_order(
    slept_s: list[float],
):
    async def main() -> None:
        began_s, epoch_s, fired = time.monotonic(), time.time(), []
        for after_s in (20, 0.5, 29.999, 7):
            loop().call_later(after_s, fired.append, after_s)
        await asyncio.sleep(30)
        assert fired == [0.5, 7, 20, 29.999]
        assert 30 <= time.monotonic() - began_s < 31
        assert 30 <= time.time() - epoch_s < 31
        assert loop().clock.skipped_s > 29
        assert sum(slept_s) == 0

    run_virtually(main)


def test_the_clock_never_runs_back_and_afterwards_time_is_the_real_one():
    real, before_s, sleep = time.monotonic, time.monotonic(), time.sleep

    async def main() -> list[float]:
        seen = []
        for _ in range(200):
            seen.append(time.monotonic())
            await asyncio.sleep(0.01)
        time.sleep(5)  # noqa: ASYNC251 - a blocking call takes its time too
        return [*seen, time.monotonic()]

    seen = run_virtually(main)
    assert seen == sorted(seen)
    assert seen[0] >= before_s
    assert seen[-1] - seen[-2] >= 5
    assert (time.monotonic, time.sleep) == (real, sleep)


def test_what_is_sent_on_the_loopback_interface_comes_before_the_next_timer(slept_s: list[float]):
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, sender):
            self.transport.sendto(data, sender)

    class Client(Echo):
        def datagram_received(self, data, sender):
            self.came.set_result(data)

    async def main() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.readline():
                writer.write(data)
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        here = loop().create_datagram_endpoint
        echoing, _ = await here(Echo, ("127.0.0.1", 0))
        asking, client = await here(Client, remote_addr=echoing.get_extra_info("sockname"))
        for number in range(500):
            line = b"%d\n" % number
            writer.write(line)
            assert await asyncio.wait_for(reader.readline(), 0.01) == line
            client.came = loop().create_future()
            asking.sendto(line)
            assert await asyncio.wait_for(client.came, 0.01) == line
            await asyncio.sleep(1)
        assert sum(slept_s) == 0
        assert loop().clock.skipped_s > 490
        for each in (writer, echoing, asking, server):
            each.close()

    run_virtually(main)


def work() -> bytes:
    return hashlib.pbkdf2_hmac("sha256", b"", b"", 100_000)  # some 50 ms, without the GIL


def test_the_work_of_a_thread_is_done_before_time_is_skipped():
    async def main() -> None:
        ten_s = asyncio.create_task(asyncio.sleep(10))
        results = await asyncio.gather(*(asyncio.to_thread(work) for _ in range(5)))
        assert results == [work()] * 5
        own, done = threading.Event(), asyncio.Event()
        here = loop()

        def wait_and_work() -> None:
            own.wait()
            work()
            here.call_soon_threadsafe(done.set)

        threading.Thread(target=wait_and_work).start()
        # While the thread waits for its event, it does not stop the clock.
        await asyncio.sleep(5)
        own.set()
        await done.wait()
        assert not ten_s.done()
        await ten_s

    run_virtually(main)


def test_a_thread_sleeps_on_the_same_clock_and_may_wait_for_the_loop():
    async def main() -> None:
        here, began_s = loop(), time.monotonic()

        def sleep_and_ask() -> float:
            time.sleep(20)
            asyncio.run_coroutine_threadsafe(asyncio.sleep(30), here).result()
            return time.monotonic() - began_s

        short = asyncio.create_task(asyncio.sleep(10))
        assert 50 <= await asyncio.to_thread(sleep_and_ask) < 52
        assert short.done()
        assert here.clock.skipped_s > 48

    run_virtually(main)


def test_a_thread_that_waits_with_a_limit_waits_on_the_same_clock_and_holds_nothing_up():
    async def main() -> None:
        asked, tasks = threading.Event(), queue.Queue()

        def wait() -> list[float]:
            at_s = [time.monotonic()]
            for _ in range(3):
                assert not asked.wait(10)
                at_s.append(time.monotonic())
            assert asked.wait(10)
            at_s.append(time.monotonic())
            assert tasks.get(timeout=1000) == "task"
            with pytest.raises(queue.Empty):
                tasks.get(timeout=10)
            return [*at_s, time.monotonic()]

        loop().call_later(35, asked.set)
        loop().call_later(100, tasks.put, "task")
        at_s = await asyncio.to_thread(wait)
        assert [round(s - at_s[0]) for s in at_s] == [0, 10, 20, 30, 35, 110]
        await asyncio.sleep(2000)  # the limits that were not reached are forgotten
        with pytest.raises(queue.Empty):
            tasks.get(timeout=0.05)  # blocks the loop

    began_s = time.monotonic()
    run_virtually(main)
    assert time.monotonic() - began_s < 100


def test_a_blocking_request_to_a_server_on_the_loop_is_answered_although_that_waits():
    async def main() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.3)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = "http://{}:{}".format(*server.sockets[0].getsockname())

        def ask() -> bytes:
            with urllib.request.urlopen(url) as response:
                return response.read()

        assert await asyncio.to_thread(ask) == b"hi"
        server.close()

    run_virtually(main)


@pytest.mark.parametrize("way", ["pipe", "tcp"])
def test_nothing_is_skipped_while_another_process_may_answer(way: str, slept_s: list[float]):
    program = """
import socket, sys, time
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    connection = listener.accept()[0] if sys.argv[1] == "tcp" else None
    time.sleep(0.3)
    connection.sendall(b"hi\\n") if connection else print("hi", flush=True)
"""

    async def main() -> None:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, way, stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout
        reader, port = child.stdout, int(await asyncio.wait_for(child.stdout.readline(), 30))
        if way == "tcp":
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.readline(), 30) == b"hi\n"
        assert sum(slept_s) > 0.1
        if way == "tcp":
            writer.close()
        await child.wait()

    run_virtually(main)
