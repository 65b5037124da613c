from vision_agent.rtc import Network
from vision_agent.rtc.probes import (
    MAX_PRIVATE,
    MAX_PROBED,
    MAX_RELAYED,
    PRIVATE_BURST,
    PRIVATE_PER_S,
    Probes,
    private_budget,
)

ELSEWHERE = Network(caller_is_local=False)


def allowed(probes: Probes, hosts: list[str], port: int = 50_000) -> int:
    return sum(probes.allow(host, port, 0.0) for host in hosts)


def test_a_caller_is_checked_at_few_addresses_and_at_fewer_of_our_own_network():
    private = [f"10.0.0.{n}" for n in range(1, 20)]
    public = [f"9.0.0.{n}" for n in range(1, 20)]
    probes = Probes(ELSEWHERE)
    assert allowed(probes, private) == MAX_PRIVATE
    assert allowed(probes, ["fd00::7", "192.168.1.1", "172.16.0.1", "100.64.0.1"]) == 0
    assert allowed(probes, public) == MAX_PROBED - MAX_PRIVATE
    # An address that is named again, e.g. for another section, counts once.
    assert allowed(probes, private + public) == MAX_PROBED


def test_no_service_of_our_network_is_checked():
    probes = Probes(ELSEWHERE)
    assert not any(probes.allow("10.0.0.1", port, 0.0) for port in (22, 53, 123, 161, 443, 1023))
    assert probes.allow("10.0.0.1", 1024, 0.0)


def test_all_callers_together_name_few_private_addresses_a_second():
    network = Network(caller_is_local=False, private_budget=private_budget())

    def named(now_s: float) -> int:
        hosts = [f"10.0.0.{n}" for n in range(1, 5)]
        callers = [Probes(network) for _ in range(100)]
        return sum(caller.allow(host, 50_000, now_s) for caller in callers for host in hosts)

    assert named(0.0) == PRIVATE_BURST
    assert named(5.0) == 5 * PRIVATE_PER_S
    # Public addresses get their checks nevertheless.
    assert Probes(network).allow("9.9.9.9", 50_000, 5.0)
    # So does the loopback of a caller on this machine, which is no other machine's.
    here = Network(caller_is_local=True, private_budget=network.private_budget)
    assert Probes(here).allow("127.0.0.1", 50_000, 5.0)


def test_a_callers_relays_get_checks_beside_its_other_addresses_where_this_side_has_one():
    probes = Probes(Network())
    for number in range(20):
        probes.allow(f"10.0.0.{number + 1}", 5000, 0.0)
    assert not probes.allow("10.1.0.1", 5000, 0.0)
    allowed = [probes.allow("10.1.0.1", 5000 + n, 0.0, relayed=True) for n in range(5)]
    assert allowed == [True] * MAX_RELAYED + [False] * (5 - MAX_RELAYED)
