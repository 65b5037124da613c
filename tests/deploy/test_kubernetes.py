"""The manifests for Kubernetes, as kustomize builds them, against Kubernetes' own schemas."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.deploy.image import settings_of
from vision_agent import Settings

DEPLOY = Path(__file__).parent.parent.parent / "deploy/kubernetes"
VERSION = "1.37"
RAY_SERVICE = json.loads(Path(__file__).with_name("rayservice.schema.json").read_text())


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
        if resource["kind"] == "RayService":
            jsonschema.validate(resource, RAY_SERVICE)
        else:
            kubernetes_validate.validate(resource, VERSION, strict=True)
    return {resource["kind"]: resource for resource in resources}


def settings_with(options: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that a server in a pod reads from a ConfigMap, whose keys are options."""
    known = {f"VISION_AGENT_{name.upper()}" for name in Settings.model_fields}
    assert options.keys() <= known
    image = settings_of(DEPLOY.parent.parent / "Dockerfile")["ENV"]
    for name, value in [*(pair.split("=", 1) for pair in image.split()), *options.items()]:
        if name.startswith("VISION_AGENT_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("VISION_AGENT_TURN_SECRET", "secret")
    return Settings()


@pytest.mark.parametrize("overlay", ["base", "direct", "recorded"])
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
    options = {each["name"]: each.get("value") for each in container.get("env", ())}
    recordings = {options["VISION_AGENT_RECORD"]} if overlay == "recorded" else set()
    assert mounted == {image["VOLUME"], "/tmp"} | recordings
    claims = [each for each in pod["volumes"] if "persistentVolumeClaim" in each]
    assert len(claims) == len(recordings)
    if claims:
        claim = kinds["PersistentVolumeClaim"]
        assert claims[0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        # Pods on several nodes write to it.
        assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }
    references = [source for each in container["envFrom"] for source in each.values()]
    assert [each["name"] for each in references] == [
        kinds["ConfigMap"]["metadata"]["name"],
        "vision-agent",
    ]


def test_a_secret_that_was_not_filled_in_is_none(monkeypatch):
    secret = yaml.safe_load((DEPLOY / "secret.example.yaml").read_text())["stringData"]
    monkeypatch.setenv("VISION_AGENT_TOKEN", secret["VISION_AGENT_TOKEN"])
    with pytest.raises(ValueError, match="token: it is the example's"):
        Settings(_env_file=None)


def test_a_pod_that_is_stopped_has_the_time_that_its_calls_may_take(monkeypatch):
    kinds = built("base")
    options = kinds["ConfigMap"]["data"]
    settings = settings_with(options, monkeypatch)
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


def test_the_ray_service_starts_the_cluster_with_the_options_of_its_pods(monkeypatch):
    # Imported here: it takes seconds.
    from ray.serve import Application
    from ray.serve._private.api import call_user_app_builder_with_args_if_necessary
    from ray.serve.schema import ServeDeploySchema

    from vision_agent.cluster import app, run
    from vision_agent.cluster.options import APPLICATION, read_workers

    kinds = built("ray")
    service = kinds["RayService"]["spec"]
    cluster = service["rayClusterConfig"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        template = group["template"]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, **template}
        kubernetes_validate.validate(pod, VERSION, strict=True)
        (container,) = template["spec"]["containers"]
        assert container["image"] == "registry.example/vision-agent-ray:0.1.0"
        # KubeRay's default probes run a program that the image does not have.
        assert all("httpGet" in container[f"{kind}Probe"] for kind in ("liveness", "readiness"))
        assert {"/data", "/tmp", "/dev/shm"} == {m["mountPath"] for m in container["volumeMounts"]}
        assert (
            container["envFrom"][0]["configMapRef"]["name"]
            in (kinds["ConfigMap"]["metadata"]["name"])
        )

    given = ServeDeploySchema.model_validate(yaml.safe_load(service["serveConfigV2"]))
    assert given.http_options.host == "0.0.0.0"
    said = given.logging_config
    assert {name: getattr(said, name) for name in run.LOGGING} == run.LOGGING
    (application,) = given.applications
    module, _, factory = application.import_path.partition(":")
    assert (application.name, module) == (APPLICATION, app.__name__)
    arguments = app.ClusterArguments.model_validate(application.args)
    least, most = read_workers(arguments.workers, 1)

    (group,) = cluster["workerGroupSpecs"]
    cores = int(group["rayStartParams"]["num-cpus"])
    assert cores == int(group["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"])
    assert least <= cores * group["minReplicas"]
    assert most == cores * group["maxReplicas"]

    options = kinds["ConfigMap"]["data"]
    for_ray = {name: value for name, value in options.items() if name.startswith("RAY_")}
    assert for_ray == run.ENVIRONMENT | {"RAY_USAGE_STATS_ENABLED": "0"}
    ours = {name: value for name, value in options.items() if name not in for_ray}
    settings = settings_with(ours, monkeypatch)
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": cores})
    build = getattr(app, factory)
    assert isinstance(
        call_user_app_builder_with_args_if_necessary(build, application.args), Application
    )
    first, last = settings.port_range()
    (media,) = kinds["NetworkPolicy"]["spec"]["ingress"][-1]["ports"]
    assert (media["port"], media["endPort"]) == (first, last)
    assert last - first + 1 >= cores
    locked = (DEPLOY.parent / "requirements-cluster.txt").read_text().splitlines()
    assert f"ray=={cluster['rayVersion']}" in locked
