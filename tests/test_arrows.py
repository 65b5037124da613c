"""Which package of `vision_agent` may import which; no two classes have the same name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "vision_agent"

MAY_IMPORT = {
    "cli": {
        *("cluster", "server", "agents", "live", "caller", "replay", "talk", "local", "doctor"),
        "evaluation",
    },
    "cluster": {"server", "calls", "agents", "live", "rtc"},
    "server": {"calls", "agents", "live", "rtc", "recordings"},
    "calls": {"agents", "live", "rtc", "tools", "recordings"},
    "agents": {"live", "tools"},
    "live": set(),
    "tools": {"detection"},
    "rtc": set(),
    "recordings": set(),
    "replay": {"caller", "recordings"},
    "evaluation": {
        *("server", "live", "replay", "caller", "local", "recordings", "virtual_time"),
    },
    "talk": {"caller"},
    "caller": set(),
    "local": {"detection"},
    "detection": set(),
    "doctor": {"server", "agents", "live", "rtc", "talk", "local"},
    "virtual_time": set(),
}

GROUND = {
    "announced_address",
    "addresses",
    "answer_settings",
    "call_scope",
    "closing",
    "data_folder",
    "malloc_trim",
    "ice_servers",
    "ice_settings",
    "jpeg",
    "libopus",
    "limit_settings",
    "logs",
    "onnx_session",
    "https_settings",
    "own_model_settings",
    "own_models",
    "recording_settings",
    "resampler",
    "resources",
    "server_process",
    "settings",
    "site_settings",
    "terminal",
    "udp_settings",
    "unknown_options",
    "version",
    "weights_file",
    "worker_name",
}
"""Single modules that every room may import, and that import each other alone."""

FACE = {"__init__", "__main__", "pytest_plugin"}
"""What the package shows to others: may import every room, and no room imports it."""

SETTINGS = {
    "settings",
    "answer_settings",
    "https_settings",
    "ice_settings",
    "limit_settings",
    "own_model_settings",
    "recording_settings",
    "site_settings",
    "udp_settings",
}
READ_SETTINGS = {"settings", "cli", "cluster", "evaluation", "server", "doctor", "__init__"}
"""The packages that read options; all others get small options objects."""


def name_of(path: Path) -> str:
    """A module's dotted name below the package; the package's own is `__init__`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts if len(parts) == 1 else [p for p in parts if p != "__init__"])


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


@cache
def statements_of(path: Path) -> list[ast.stmt]:
    """A file's imports, classes and branches at any depth; each file is read once."""
    kinds = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.If)
    return [node for node in _statements(ast.parse(path.read_text())) if isinstance(node, kinds)]


def _statements(within: ast.AST) -> Iterator[ast.AST]:
    """All statements, without walking expressions, which are nine tenths of a tree."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(within, block, ()):
            yield node
            yield from _statements(node)


def imports_of(path: Path, *, for_types: bool = True) -> set[str]:
    """The package's modules that a file imports, at any depth.

    Args:
        path: The file.
        for_types: Count imports under `if TYPE_CHECKING` too.
    """
    found: set[str] = set()
    left_out = set()
    for node in statements_of(path):
        if isinstance(node, ast.If) and not for_types:
            if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                left_out |= {inner for each in node.body for inner in ast.walk(each)}
        elif isinstance(node, ast.ImportFrom) and node not in left_out:
            assert not node.level, f"a relative import in {path}"
            for each in node.names:
                of_folder = _below(f"{node.module}.{each.name}")
                found.add(of_folder if of_folder in MODULES else _below(node.module))
        elif isinstance(node, ast.Import) and node not in left_out:
            found |= {_below(each.name) for each in node.names}
    return found & MODULES.keys()


def _below(name: str) -> str:
    return name.removeprefix("vision_agent.")


def room_of(module: str) -> str:
    return module.partition(".")[0]


@pytest.fixture(scope="module")
def arrows() -> dict[str, set[tuple[str, str]]]:
    """For each package, its imports from other packages."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for module, path in MODULES.items():
        for imported in imports_of(path):
            if room_of(imported) != room_of(module):
                found[room_of(module)].add((module, imported))
    return found


def test_every_module_stands_in_a_room_or_is_named_here():
    assert {room_of(module) for module in MODULES} == MAY_IMPORT.keys() | GROUND | FACE


def test_rooms_import_only_what_they_may(arrows):
    wrong = [
        arrow
        for room, allowed in MAY_IMPORT.items()
        for arrow in arrows[room]
        if room_of(arrow[1]) not in allowed | GROUND
    ]
    assert wrong == []


def test_rooms_import_all_that_they_may(arrows):
    imported = {room: {room_of(to) for _, to in arrows[room]} for room in MAY_IMPORT}
    assert {room: allowed - imported[room] for room, allowed in MAY_IMPORT.items()} == {
        room: set() for room in MAY_IMPORT
    }


def test_modules_of_the_ground_import_each_other_alone(arrows):
    assert [arrow for one in GROUND for arrow in arrows[one] if arrow[1] not in GROUND] == []


def test_options_are_read_at_the_top_and_handed_down_in_parts(arrows):
    readers = {room for room, found in arrows.items() for arrow in found if arrow[1] in SETTINGS}
    assert readers <= READ_SETTINGS


def test_no_arrow_points_up_and_nothing_goes_in_a_circle():
    # Raises for a circle.
    order = list(TopologicalSorter(MAY_IMPORT).static_order())
    assert order.index("live") < order.index("agents") < order.index("calls")
    assert order.index("calls") < order.index("server") < order.index("cli")
    modules = {module: imports_of(path, for_types=False) for module, path in MODULES.items()}
    list(TopologicalSorter(modules).static_order())


def test_an_import_is_seen_wherever_it_stands(tmp_path):
    file = tmp_path / "example.py"
    file.write_text(
        "from vision_agent import settings\n"
        "import vision_agent.jpeg\n"
        "if TYPE_CHECKING:\n    from vision_agent.rtc import Peer\n"
        "def later():\n    from vision_agent.rtc.speaker import Speaker\n"
    )
    assert imports_of(file, for_types=False) == {"settings", "jpeg", "rtc.speaker"}
    assert imports_of(file) == {"settings", "jpeg", "rtc.speaker", "rtc"}


def test_no_two_classes_of_the_package_have_the_same_name():
    homes = defaultdict(list)
    for name, path in MODULES.items():
        for node in statements_of(path):
            if isinstance(node, ast.ClassDef):
                homes[node.name].append(name)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}
