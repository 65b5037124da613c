"""The dashboard and the alert rules ask for what a server exports after a call."""

import asyncio
import json
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import serving
from tests.support.dialling import Dialled
from tests.support.messages import said

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "vision_agent.rules.yml"
SCENARIO = """
engine: false
voice: tone
otherwise: {say: Hello.}
"""
FIRES = """
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: vision_agent_calls{{instance="a"}}
        values: 20x60
      - series: vision_agent_max_calls{{instance="a"}}
        values: 20x60
      - series: vision_agent_model_failures_total{{instance="a", kind="key"}}
        values: 0x30 1x30
      - series: vision_agent_first_sound_seconds_bucket{{instance="a", asked="spoken", le="3.0"}}
        values: 0x60
      - series: vision_agent_first_sound_seconds_bucket{{instance="a", asked="spoken", le="5.0"}}
        values: 0+3x60
      - series: vision_agent_first_sound_seconds_bucket{{instance="a", asked="spoken", le="+Inf"}}
        values: 0+3x60
    alert_rule_test:
      - {{alertname: VisionAgentAway, eval_time: 35m}}
      - alertname: VisionAgentFull
        eval_time: 35m
        exp_alerts:
          - exp_labels: &slow {{severity: warning, instance: a}}
            exp_annotations: {{summary: "a: nine of ten lines are busy (20 calls)."}}
      - alertname: VisionAgentAnswersLate
        eval_time: 35m
        exp_alerts:
          - exp_labels: *slow
            exp_annotations:
              summary: "a: one caller in twenty waits 4.9s for the first sound of an answer."
      - {{alertname: VisionAgentModelRefuses, eval_time: 25m}}
      - alertname: VisionAgentModelRefuses
        eval_time: 35m
        exp_alerts:
          - exp_labels: {{severity: critical, instance: a, kind: key}}
            exp_annotations:
              summary: "a: the model service refuses calls (key); the log says why."
  - interval: 1m
    alert_rule_test:
      - alertname: VisionAgentAway
        eval_time: 5m
        exp_alerts:
          - exp_labels: {{severity: critical}}
            exp_annotations: {{summary: No server is scraped.}}
"""


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def expressions() -> list[str]:
    """The rules' expressions, and the dashboard's with its variables filled in."""
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    dashboard = json.loads((DEPLOY / "grafana" / "vision_agent.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    values = {"$__rate_interval": "5m", "$job": "vision_agent", "$instance": "a:1"}
    for variable, value in values.items():
        shown = [expression.replace(variable, value) for expression in shown]
    return [rule["expr"] for rule in group["rules"]] + shown


@pytest.fixture
def exported(tmp_path) -> dict[str, set[str]]:
    """The labels of each sample that a server exports after a call, by the sample's name."""

    async def called() -> str:
        (tmp_path / "scenario.yaml").write_text(SCENARIO)
        async with serving("--scenario", str(tmp_path / "scenario.yaml")) as server:
            caller = Dialled(server.url)
            await caller.connect()
            caller.send("send-text", {"content": "hello"})
            await caller.wait_for(lambda m: said(m) == "Hello.")
            await caller.wait_for(lambda m: (m.get("data") or {}).get("kind") == "usage")
            await caller.hang_up()
            return await asyncio.to_thread(_read, f"{server.url}/metrics")

    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(asyncio.run(called())):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as response:
        return response.read().decode()


def test_every_metric_and_label_of_the_dashboard_and_the_rules_is_exported(exported):
    asked = expressions()
    assert len(asked) > 40
    everywhere = {"job", "instance"}
    for expression in asked:
        names = set(re.findall(r"vision_agent_\w+", expression))
        assert names, expression
        assert names <= exported.keys(), expression
        grouped = re.findall(r"by \(([^)]*)\)", expression)
        labels = {label.strip() for group in grouped for label in group.split(",")}
        labels |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression))
        known = set().union(*(exported[name] for name in names))
        assert labels <= known | everywhere, expression


def test_prometheus_reads_every_expression_and_the_alerts_fire(tmp_path):
    promtool("check", "config", DEPLOY / "prometheus" / "prometheus.yml")
    rules = [{"record": f"shown:{n}", "expr": text} for n, text in enumerate(expressions())]
    shown = tmp_path / "shown.yml"
    shown.write_text(yaml.safe_dump({"groups": [{"name": "shown", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", shown)
    (tmp_path / "fires.yml").write_text(FIRES.format(rules=RULES))
    promtool("test", "rules", tmp_path / "fires.yml")
