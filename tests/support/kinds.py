"""Kinds of tests that take long, by their place in the tree. Each is a marker of pytest, which
single tests of other places have too.

`make test-fast` runs the tests of no kind.
"""

from __future__ import annotations

KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "browser": ("Chromium shows the page", ("tests/browser/",)),
    "clients": (
        "clients that others wrote call",
        ("tests/clients/", "tests/javascript/", "tests/python/"),
    ),
    "cluster": (
        "Ray clusters on this machine",
        ("tests/cluster/test_cluster.py", "tests/cluster/test_command.py"),
    ),
    "networks": (
        "calls between network namespaces",
        ("tests/networks/", "tests/deploy/test_compose.py"),
    ),
    "programs": (
        "commands, deployments and receivers beside the product: whole programs, not forks",
        (
            "tests/calls/test_local_restart.py",
            "tests/calls/test_model_failures.py",
            "tests/cli/test_live_server.py",
            "tests/contract/test_contract.py",
            "tests/deploy/test_kubernetes.py",
            "tests/deploy/test_monitoring.py",
            "tests/deploy/test_proxies.py",
            "tests/deploy/test_systemd.py",
            "tests/evaluation/test_asked_models.py",
            "tests/evaluation/test_run.py",
            "tests/evaluation/test_servers.py",
            "tests/evaluation/test_virtual_calls.py",
            "tests/server/test_run.py",
            "tests/server/test_tracing.py",
            "tests/test_server_process.py",
        ),
    ),
    "soak": ("calls for minutes or by the hundred", ("tests/soak/", "tests/calls/test_endings.py")),
    "wheel": (
        "the package as it is installed, and the tutorials, from beginning to end",
        (
            "tests/test_wheel.py",
            "tests/test_tutorial.py",
            "tests/test_setup.py",
            "tests/deploy/test_image.py",
        ),
    ),
    "engine": (
        "the local engine hears, sees and speaks",
        (
            "tests/agents/test_bring_your_own.py",
            "tests/agents/test_fit.py",
            "tests/agents/test_memory.py",
            "tests/caller/test_client.py",
            "tests/calls/test_call.py",
            "tests/calls/test_call_rtvi.py",
            "tests/calls/test_caller_input.py",
            "tests/calls/test_cutting_in.py",
            "tests/calls/test_limits.py",
            "tests/calls/test_resume.py",
            "tests/doctor/test_doctor.py",
            "tests/evaluation/test_small_model.py",
            "tests/local/brain/test_brain_call.py",
            "tests/local/brain/test_brain_conversation.py",
            "tests/local/engine/",
            "tests/local/test_sample_clock.py",
            "tests/local/test_server_conversation.py",
            "tests/local/test_server_process.py",
            "tests/replay/test_product.py",
            "tests/replay/test_scenario.py",
            "tests/samples/",
            "tests/server/ingress/test_embedding.py",
            "tests/server/ingress/test_termination.py",
            "tests/server/test_drain.py",
            "tests/server/test_identification.py",
            "tests/talk/test_display.py",
            "tests/talk/test_talk.py",
            "tests/test_benchmarks.py",
            "tests/test_data_folder.py",
            "tests/test_logs.py",
            "tests/test_pytest_plugin.py",
        ),
    ),
}
"""The markers with their meanings and places: beginnings of paths from the root."""


def kind_of(nodeid: str) -> str | None:
    """The marker of a test, by its node id; None for those of no kind."""
    for kind, (_, places) in KINDS.items():
        if nodeid.startswith(places):
            return kind
    return None
