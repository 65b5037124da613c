"""The manifests for Kubernetes, as kustomize builds them, against Kubernetes' own schemas."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.image import settings_of
from vision_agent import Settings

DEPLOY = Path(__file__).parent.parent.parent / "deploy/kubernetes"
VERSION = "1.37"
NAME = {"app.kubernetes.io/name": "vision-agent"}


def built(overlay: str) -> dict[str, Any]:
    """What an overlay deploys, by kind; each one is valid."""
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run(
        [kubectl, "kustomize", DEPLOY / overlay], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    resources = list(yaml.safe_load_all(done.stdout))
    for resource in [*resources, yaml.safe_load((DEPLOY / "secret.example.yaml").read_text())]:
        kubernetes_validate.validate(resource, VERSION, strict=True)
    return {resource["kind"]: resource for resource in resources}


@pytest.mark.parametrize("overlay", ["base", "direct"])
def test_the_manifests_are_valid_and_agree_with_each_other_and_with_the_image(overlay):
    kinds = built(overlay)
    deployment, policy = kinds["Deployment"]["spec"], kinds["NetworkPolicy"]["spec"]
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]

    labels = deployment["template"]["metadata"]["labels"]
    for selector in (
        deployment["selector"]["matchLabels"],
        kinds["Service"]["spec"]["selector"],
        kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        policy["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()

    ports = {port["name"]: port for port in container["ports"]}
    named = [kinds["Service"]["spec"]["ports"][0]["targetPort"]]
    named += [port["port"] for rule in policy["ingress"] for port in rule["ports"]]
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]
    named += [probe["port"] for probe in probes]
    assert set(named) <= ports.keys()

    image = settings_of(DEPLOY.parent.parent / "Dockerfile")
    exposed = [f"{p['containerPort']}/{p['protocol'].lower()}" for p in ports.values()]
    assert exposed == image["EXPOSE"].split()
    user = pod["securityContext"]
    assert f"{user['runAsUser']}:{user['runAsGroup']}" == image["USER"]
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted == {image["VOLUME"], "/tmp"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }
    references = [source for each in container["envFrom"] for source in each.values()]
    assert [each["name"] for each in references] == [
        kinds["ConfigMap"]["metadata"]["name"],
        "vision-agent",
    ]


def test_a_pod_that_is_stopped_has_the_time_that_its_calls_may_take(monkeypatch):
    kinds = built("base")
    options = kinds["ConfigMap"]["data"]
    for name, value in options.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VISION_AGENT_TURN_SECRET", "secret")
    settings = Settings()  # every option is one
    known = {f"VISION_AGENT_{name.upper()}" for name in Settings.model_fields}
    assert options.keys() <= known
    pod = kinds["Deployment"]["spec"]["template"]["spec"]
    program, seconds = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert pod["terminationGracePeriodSeconds"] >= float(seconds) + settings.drain_s + 10


def test_directly_reached_pods_have_the_nodes_port_and_announce_its_address():
    kinds = built("direct")
    (container,) = kinds["Deployment"]["spec"]["template"]["spec"]["containers"]
    (media,) = (port for port in container["ports"] if port["name"] == "media")
    assert media["hostPort"] == media["containerPort"]
    assert {"VISION_AGENT_PUBLIC_IP"} == {each["name"] for each in container["env"]}
    # Two pods can't have it at once.
    assert kinds["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0
    assert "privileged" in kinds["Namespace"]["metadata"]["labels"].values()
