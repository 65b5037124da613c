"""On which machine a new worker runs."""

from vision_agent.cluster.placement import emptiest


def node(id: str, cpus: float, alive: bool = True) -> dict:
    return {"NodeID": id, "Alive": alive, "Resources": {"CPU": cpus} if cpus else {}}


NODES = [node("head", 0), node("a", 2), node("b", 4), node("dead", 64, alive=False)]


def test_the_node_with_the_most_free_cores_is_chosen():
    assert emptiest(NODES, {}, (), 1) == "b"
    assert emptiest(NODES, {"b": 3}, (), 1) == "a"


def test_a_node_whose_workers_are_silent_is_left_out():
    assert emptiest(NODES, {}, {"b", None}, 1) == "a"


def test_without_a_free_core_the_choice_is_left_to_ray():
    assert emptiest(NODES, {"a": 2, "b": 4}, (), 1) is None
    assert emptiest([node("a", 2)], {}, (), 3) is None
    assert emptiest([], {}, (), 1) is None
