"""`vision-agent serve --https`, as a phone uses it."""

import asyncio
import datetime
import os
import re
import signal
import socket
import ssl

import aiohttp
import cv2
import numpy as np
import pytest
import trustme
from cryptography.hazmat.primitives import serialization as pem
from yarl import URL

from tests.support.serving import run, started
from vision_agent.caller.client import CallClient
from vision_agent.caller.failure import CallRefused
from vision_agent.server.certificate import CertificateError, CertificateFile
from vision_agent.server.lan import reachable_hosts
from vision_agent.server.own_authority import OwnAuthority


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    monkeypatch.setenv("VISION_AGENT_DATA_DIR", str(folder))
    return folder


HALF_A_BODY = "POST /api/offer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\n\r\n{"


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


def drawn(lines: list[str]) -> np.ndarray:
    """The QR code that a terminal shows, with modules of 8 by 8 pixels."""
    upper_and_lower = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}
    rows = np.array([[upper_and_lower[char] for char in line] for line in lines], np.uint8)
    modules = rows.transpose(0, 2, 1).reshape(-1, rows.shape[1])
    return np.kron(modules, np.ones((8, 8), np.uint8))


async def test_a_phone_scans_the_address_and_calls_and_plain_http_is_sent_on(
    data_folder, monkeypatch
):
    process, lines = await started("--https", "--model", "local")
    try:
        port = int(re.search(r"https://localhost:(\d+)", lines[0]).group(1))
        code = [line for line in lines if re.fullmatch("[█▀▄ ]+", line)]
        hosts = reachable_hosts("0.0.0.0")
        assert bool(code) == bool(hosts), "a machine in no network has no address to show"
        if code:
            told = cv2.QRCodeDetector().detectAndDecode(
                cv2.copyMakeBorder(drawn(code), *[16] * 4, cv2.BORDER_CONSTANT, value=255)
            )[0]
            assert told == f"https://{hosts[0]}:{port}"
        trusted = ssl.create_default_context(cafile=data_folder / "https" / "authority.crt")
        async with aiohttp.ClientSession() as session:
            for host in ("localhost", "127.0.0.1", *hosts):
                async with session.get(f"https://{host}:{port}/healthz", ssl=trusted) as health:
                    assert health.status == 200
            plain = f"localhost:{port}/api/offer%2Fx?agent=x"
            raw = URL(f"http://{plain}", encoded=True)
            async with session.post(raw, allow_redirects=False) as sent_on:
                assert (sent_on.status, sent_on.headers["Location"]) == (307, f"https://{plain}")
        with pytest.raises(CallRefused, match="SSL_CERT_FILE"):
            await CallClient(f"https://localhost:{port}").__aenter__()
        monkeypatch.setenv("SSL_CERT_FILE", str(data_folder / "https" / "authority.crt"))
        asked = {"modalities": "TEXT"}
        async with CallClient(f"https://localhost:{port}", asked=asked) as call:
            assert (await call.type("What time is it?")).text
        # Neither a silent connection nor garbage delays the server's end.
        silent, garbage = connected(port), connected(port)
        garbage.sendall(b"\x16\x03\x01 no handshake \r\n\r\n")
        half = [trusted.wrap_socket(connected(port), server_hostname="localhost") for _ in "12"]
        for client, text in zip(half, ("GET / HT", HALF_A_BODY), strict=True):
            client.sendall(text.encode())
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)  # Ctrl-C twice
        assert await asyncio.wait_for(process.wait(), 10) == 0
        assert (await process.stderr.read()).decode() == ""
        silent.close(), garbage.close(), half[0].close(), half[1].close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def given(folder, name="agent.example", days=30, authority=None):
    """Write a certificate and its key; returns both paths."""

    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    issued = (authority or trustme.CA()).issue_cert(name, not_after=until)
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return chain, key


def test_a_renewed_certificate_is_taken_and_a_damaged_one_leaves_the_old_in_use(tmp_path, caplog):
    chain, key = given(tmp_path)
    certificate = CertificateFile(chain, key)
    assert certificate.name() == "agent.example"
    first = certificate.context_for("192.0.2.1", 100.0)

    def changed(days: int, at_s: float) -> ssl.SSLContext:
        os.utime(chain, ns=(days, days))
        return certificate.context_for("192.0.2.1", at_s)

    given(tmp_path)
    assert changed(1, 120.0) is first, "looked at once a minute"
    second = certificate.context_for("192.0.2.1", 161.0)
    assert second is not first
    chain.write_text("half a certif")
    assert changed(2, 230.0) is second
    assert "the old certificate stays in use" in caplog.text


@pytest.mark.parametrize("broken", ["missing", "no PEM", "no key", "another's key", "encrypted"])
def test_a_certificate_that_cannot_be_used_is_said_in_a_sentence(tmp_path, broken):
    chain, key = given(tmp_path)
    if broken == "missing":
        key.unlink()
        words = f"{key}: No such file"
    elif broken == "no PEM":
        chain.write_text("hello")
        words = f"{chain} and {key} are no certificate and private key in PEM format"
    elif broken == "no key":
        words = f"{chain} contains no private key"
    elif broken == "another's key":
        key.write_bytes(trustme.CA().issue_cert("x").private_key_pem.bytes())
        words = f"{key} is not the private key of {chain}"
    else:
        read = pem.load_pem_private_key(key.read_bytes(), None)
        encrypted = pem.BestAvailableEncryption(b"word")
        key.write_bytes(read.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, encrypted))
        words = "encrypted"
    with pytest.raises(CertificateError, match=re.escape(words)) as raised:
        CertificateFile(chain, None if broken == "no key" else key)
    assert "_ssl.c" not in str(raised.value)


async def test_the_command_says_so_too(tmp_path):
    code, text = await run("serve", "--cert", str(tmp_path / "none.pem"))
    assert (code, "Traceback" in text) == (2, False)
    assert f"{tmp_path / 'none.pem'}: No such file" in text
    code, text = await run("serve", "--key", str(tmp_path / "none.pem"))
    assert (code, "Traceback" in text) == (2, False)
    assert "cert" in text


def test_the_authority_is_kept_and_a_damaged_one_is_said(tmp_path):
    first = OwnAuthority.kept_in(tmp_path)
    certificate = first.public.read_bytes()
    assert OwnAuthority.kept_in(tmp_path).public.read_bytes() == certificate
    kept = tmp_path / "https" / "authority.pem"
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "https").iterdir()} == {0o600}
    whole = kept.read_bytes()
    for damaged in whole[:300], certificate + trustme.CA().private_key_pem.bytes():
        kept.write_bytes(damaged)
        with pytest.raises(CertificateError, match=r"authority\.pem is damaged"):
            OwnAuthority.kept_in(tmp_path)
