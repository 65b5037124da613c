"""The metrics of all workers in one text."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from vision_agent.cluster.metrics import joined


def exported(calls: int) -> str:
    registry = CollectorRegistry()
    Gauge("calls", "Calls.", registry=registry).set(calls)
    Counter("offers", "Offers.", ["status"], registry=registry).labels('4"0\\0').inc(calls)
    Histogram("wait", "Waits.", registry=registry, buckets=(1, 2)).observe(calls)
    return generate_latest(registry).decode()


def test_every_sample_names_its_worker_and_each_metric_is_described_once():
    text = joined({"wa": exported(1), "wb": exported(3)}).decode()
    assert text.count("# TYPE calls gauge") == text.count("# HELP offers_total Offers.") == 1
    samples = {
        (sample.name, sample.labels["worker"], sample.labels.get("le")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["calls", "wa", None] == 1
    assert samples["calls", "wb", None] == 3
    assert samples["offers_total", "wb", None] == 3
    assert samples["wait_bucket", "wa", "1.0"] == 1
    assert samples["wait_bucket", "wb", "2.0"] == 0
    assert samples["wait_bucket", "wb", "+Inf"] == 1
