"""The Serve application, for `vision-agent cluster`, `serve deploy` and KubeRay's RayService.

In a Serve configuration the import path is `vision_agent.cluster.app:build`, and its arguments are
those of `ClusterArguments`; everything else is read from the environment, as `serve` reads it.
"""

from __future__ import annotations

import time

import ray
from pydantic import BaseModel
from ray import serve
from ray.serve import Application

from vision_agent.cluster.fleet import Fleet
from vision_agent.cluster.ingress import Ingress
from vision_agent.cluster.options import ClusterOptions, read_workers
from vision_agent.settings import Settings

FLEET, INGRESS = "fleet", "ingress"
"""The names of the deployments."""

STOP_S = 30.0


class ClusterArguments(BaseModel):
    """The arguments of `build`.

    Attributes:
        workers: The number of workers: `4`, or `1-8`; empty for one up to one per core.
        cpus: Cores that Ray counts for a worker.
        ingresses: Replicas of the ingress.
    """

    workers: str = ""
    cpus: float = 1.0
    ingresses: int = 2


def build(given: dict[str, str | float]) -> Application:
    """The application, with the settings of the environment.

    Args:
        given: The fields of `ClusterArguments`. Serve passes a dictionary, because it does not
            resolve an annotation that is a string.
    """
    arguments = ClusterArguments.model_validate(given)
    cores = int(ray.cluster_resources().get("CPU", 1) / arguments.cpus)
    least, most = read_workers(arguments.workers, cores)
    options = ClusterOptions(Settings(), new_generation(), least, most, arguments.cpus)
    return application(options, arguments.ingresses)


def application(options: ClusterOptions, ingresses: int) -> Application:
    """The application of a deployment.

    Args:
        options: The deployment.
        ingresses: Replicas of the ingress.
    """
    fleet = serve.deployment(
        name=FLEET,
        num_replicas=1,
        max_ongoing_requests=1000,
        ray_actor_options={"num_cpus": 0},
        health_check_period_s=2,
    )(Fleet)
    ingress = serve.deployment(
        name=INGRESS,
        num_replicas=ingresses,
        max_ongoing_requests=1000,
        ray_actor_options={"num_cpus": 0},
        health_check_period_s=2,
        graceful_shutdown_wait_loop_s=0.5,
    )(Ingress)
    bound: Application = ingress.bind(options, fleet.bind(options))
    return bound


def new_generation() -> str:
    """Names a deployment; a later one sorts higher."""
    return f"g{time.time_ns() // 1_000_000:012x}"
