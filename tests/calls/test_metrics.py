"""The labels of the metrics are bounded."""

from vision_agent.calls.metrics import MAX_MODELS, Metrics


def test_a_service_that_names_models_as_it_likes_makes_no_more_counters():
    metrics = Metrics()
    for number in range(2 * MAX_MODELS):
        metrics.count_tokens(f"model-{number}", "prompt", "text", 1)
    (counted,) = metrics.model_tokens.collect()
    totals = [sample for sample in counted.samples if sample.name.endswith("_total")]
    assert len(totals) == MAX_MODELS + 1
    assert sum(sample.value for sample in totals) == 2 * MAX_MODELS
