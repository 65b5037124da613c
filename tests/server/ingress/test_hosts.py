"""Which host names and which pages' origins are served."""

import pytest

from vision_agent.server.ingress.hosts import Hosts, KnownHosts

LOOPBACK = Hosts("127.0.0.1", machine="Desk.lan")
EVERYWHERE = Hosts("0.0.0.0", machine="Desk.lan")


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:7860", "LOCALHOST.", "127.0.0.1:1", "[::1]:7860", "agent.localhost"],
)
def test_the_names_of_this_machine_are_always_served(host):
    assert LOOPBACK.takes(host, "127.0.0.1")
    assert EVERYWHERE.takes(host, "127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:7860",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:80@localhost",
        "localhost@evil.example",
        "localhost/evil.example",
        "localhost:7860:7860",
        "localhost evil.example",
        "192.168.1.2",
        "0.0.0.0:7860",
        "Desk.lan",
        "[::1",
        "localhost:99999",
        "",
    ],
)
def test_on_loopback_no_other_is(host):
    assert not LOOPBACK.takes(host, "127.0.0.1")


@pytest.mark.parametrize(
    "host",
    [
        "desk.lan:7860",
        "desk",
        "desk.local",
        "desk.home.arpa",
        "desk.internal",
        "192.168.1.2",
        "[fd00::2]",
    ],
)
def test_on_every_address_the_machine_s_names_and_any_address_are(host):
    assert EVERYWHERE.takes(host, "192.168.1.2")


@pytest.mark.parametrize(
    "host", ["evil.example", "desk.evil.example", "desk.lan.evil.example", "evil.lan", "lan"]
)
def test_on_every_address_no_name_of_others_is(host):
    assert not EVERYWHERE.takes(host, "192.168.1.2")


def test_the_name_it_is_bound_to_and_those_that_are_allowed_are_served():
    hosts = Hosts("agent.example", ("Shop.example", "*.corp.example"))
    for host in ("agent.example:7860", "shop.example", "a.b.corp.example"):
        assert hosts.takes(host, "10.0.0.1")
    for host in ("corp.example", "evilcorp.example", "evil.example"):
        assert not hosts.takes(host, "10.0.0.1")
    assert Hosts("127.0.0.1", ("*",)).takes("evil.example", "127.0.0.1")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:7860", "localhost:7860"),
        ("https://agent.example", "agent.example"),
        ("https://agent.example", "agent.example:443"),
        ("https://agent.example:443", "Agent.example"),
        ("http://[::1]:7860", "[::1]:7860"),
    ],
)
def test_the_server_s_own_page_may_ask(origin, host):
    assert LOOPBACK.takes_page_of(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "localhost:7860"),
        ("http://localhost:3000", "localhost:7860"),
        ("http://localhost", "localhost:7860"),
        ("http://localhost.evil.example:7860", "localhost:7860"),
        ("null", "localhost:7860"),
        ("file://", ""),
        ("", "localhost:7860"),
        ("http://[", "localhost:7860"),
    ],
)
def test_the_page_of_another_may_not(origin, host):
    assert not LOOPBACK.takes_page_of(origin, host)


def test_pages_of_an_origin_that_is_allowed_may():
    hosts = Hosts("127.0.0.1", origins=("https://shop.example/",))
    assert hosts.takes_page_of("https://shop.example", "localhost:7860")
    assert not hosts.takes_page_of("http://shop.example", "localhost:7860")
    assert Hosts("127.0.0.1", origins=("*",)).takes_page_of("null", "localhost:7860")


@pytest.mark.parametrize(
    ("version", "names", "status"),
    [
        ("1.1", ["localhost"], 200),
        ("1.1", [], 400),
        ("1.1", ["localhost", "evil.example"], 400),
        ("1.1", ["localhost", "localhost"], 400),
        ("1.0", [], 200),
        ("1.0", ["localhost", "evil.example"], 400),
        ("1.1", ["evil.example"], 421),
    ],
)
async def test_a_request_names_one_host(version, names, status):
    sent = []

    async def served(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": version,
        "headers": [(b"host", name.encode()) for name in names],
        "server": ("127.0.0.1", 7860),
    }
    await KnownHosts(served, LOOPBACK)(scope, None, send)
    assert sent[0]["status"] == status
