"""Who can reach the server by the addresses that it announces, and the advice where nobody can."""

import socket

import pytest

from vision_agent import Settings
from vision_agent.doctor.media_checks import check_media, in_container, judge_addresses

LOOPBACK = "127.0.0.1"
PRIVATE = ["172.17.0.2", "fd00::2", LOOPBACK]


@pytest.mark.parametrize(
    ("addresses", "public", "has_turn", "container", "status", "words"),
    [
        ([LOOPBACK], [], False, False, "ok", "this machine only"),
        (["1.1.1.1", "10.0.0.2", LOOPBACK], [], False, True, "ok", "are told 1.1.1.1."),
        (PRIVATE, ["203.0.113.5"], False, True, "ok", "are told 203.0.113.5."),
        (PRIVATE, [], True, True, "ok", "through the TURN server"),
        (PRIVATE, [], False, True, "warning", "docker run -p 7860:7860 -p 7861:7861/udp"),
        (PRIVATE, [], False, False, "note", "only addresses of its private network (172.17.0.2, f"),
    ],
)
def test_who_can_reach_the_server_is_said(addresses, public, has_turn, container, status, words):
    found = judge_addresses(addresses, public, has_turn=has_turn, in_container=container)
    assert (found.status, words in f"{found.text} {found.advice}") == (status, True), found


async def test_a_udp_port_that_is_taken_is_a_problem_where_it_was_chosen():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((LOOPBACK, 0))
        taken = other.getsockname()[1]
        (problem,) = await check_media(Settings(_env_file=None, udp_port=taken), {})
        assert (problem.status, str(taken) in problem.text) == ("problem", True)
    port, addresses = await check_media(Settings(_env_file=None, udp_port=taken), {})
    assert (port.status, addresses.status) == ("ok", "ok")


def test_a_pod_is_a_container():
    assert in_container({"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
