import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import gridcal

ROOT = Path(gridcal.__file__).parent
GROUND = {"errors", "version"}
ROOMS = (
    "kernels", "vocabulary", "process", "models", "cube", "study", "simulation", "evaluation", "calibration", "screening",
    "extrapolation", "ingest", "synthetic", "plot", "report", "comparison", "workflow", "reference", "cli",
)  # fmt: skip
"""From the ground up: a room imports only rooms that stand before it."""
LONGEST = 11


def modules():
    """Dotted name of every module -> its file."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        if "_catalogs" not in parts:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def packages_of(name):
    """Packages whose ``__init__`` runs before a module does, the module itself if it is one."""
    parts = name.split(".")
    return {".".join(parts[:k]) for k in range(2, len(parts) + 1)}


def imported(path, known):
    """Modules that a file imports anywhere: at the top, in functions, for the type checker, by ``__init__`` files it runs."""
    own = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write the whole name of what is imported"
            names = [f"{node.module}.{a.name}" if f"{node.module}.{a.name}" in known else node.module for a in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] != "gridcal":
                continue
            assert name in known, f"{path} imports {name}, which is not there"
            run = {p for p in packages_of(name) if p in known} - packages_of(own)
            found |= (run | {name}) - {own, "gridcal"}
    return found


@functools.cache
def graph():
    known = modules()
    return {name: imported(path, known) for name, path in known.items()}


def room(name):
    return [*name.split("."), ""][1]


def circles(edges):
    """Groups of nodes that reach each other (Tarjan's strongly connected components of more than one node)."""
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            group = [stack.pop()]
            while group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(edges):
        if node not in number:
            visit(node)
    return found


def rooms():
    """Room -> rooms it imports, the ground and the doors (`__init__`, `__main__`) left out."""
    out = {}
    for name, others in graph().items():
        mine = room(name)
        if mine in ROOMS:
            out.setdefault(mine, set()).update({room(o) for o in others} - {mine, *GROUND})
    return out


def longest_chain(edges):
    @functools.cache
    def below(node):
        return 1 + max((below(other) for other in edges.get(node, ())), default=0)

    return max(below(node) for node in edges)


def test_only_rooms_and_four_files():
    files = {p.name for p in ROOT.iterdir() if p.is_file()}
    assert files == {"__init__.py", "__main__.py", "errors.py", "version.py"}
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith("_")}
    assert folders == set(ROOMS)


def test_imports_point_down():
    order = {name: k for k, name in enumerate(ROOMS)}
    climbs = [
        f"{name} imports {other}"
        for name, others in graph().items()
        if room(name) in order
        for other in others
        if room(other) not in GROUND and order[room(other)] > order[room(name)]
    ]
    assert not climbs, climbs


def test_the_ground_imports_nothing_and_the_door_only_the_ground():
    for name in GROUND:
        assert not graph()[f"gridcal.{name}"]
    assert graph()["gridcal"] <= {"gridcal.version"}


def test_no_circle():
    assert circles(graph()) == []


def test_no_long_chain_of_rooms():
    assert longest_chain(rooms()) <= LONGEST


def test_a_circle_and_a_climb_are_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert longest_chain({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == 3
    known = {"gridcal.cube": None, "gridcal.cube.dataset": None, "gridcal.plot": None, "gridcal": None}

    class File:
        def __init__(self, name, text):
            self.name, self.text = name, text

        def relative_to(self, _):
            return Path(self.name)

        def read_text(self, encoding):
            return self.text

    inside = File("gridcal/plot/maps.py", "def draw():\n    from gridcal.cube.dataset import Cube\n")
    assert imported(inside, known) == {"gridcal.cube", "gridcal.cube.dataset"}
    door = File("gridcal/cube/__init__.py", "from gridcal.cube.dataset import Cube\n")
    assert imported(door, known) == {"gridcal.cube.dataset"}
    sibling = File("gridcal/cube/ranges.py", "from gridcal.cube import dataset\nfrom gridcal.cube import Cube\n")
    assert imported(sibling, known) == {"gridcal.cube.dataset", "gridcal.cube"}


def test_kernels_and_models_know_no_xarray():
    wrong = []
    for name, path in modules().items():
        if room(name) not in ("kernels", "models"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            wrong += [f"{name} imports {n}" for n in names if n.split(".")[0] == "xarray"]
    assert not wrong


def test_no_module_has_a_name_that_says_nothing():
    vague = {"utils", "util", "helpers", "helper", "core", "base", "common", "misc"}
    assert not [p for p in ROOT.rglob("*.py") if p.stem in vague]


def test_files_can_be_read_in_one_sitting():
    long = {p.name: n for p in ROOT.rglob("*.py") if (n := len(p.read_text(encoding="utf-8").splitlines())) > 450}
    assert not long


def test_no_folder_is_crowded():
    crowded = {
        str(folder.relative_to(ROOT)): count
        for folder in (ROOT, *(p for p in ROOT.rglob("*") if p.is_dir()))
        if (count := sum(1 for p in folder.glob("*.py") if p.name != "__init__.py")) > 16
    }
    assert not crowded


def test_every_room_says_what_it_is():
    for name, path in modules().items():
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{name} has no docstring"


@pytest.mark.parametrize("folder", ["tests", "benchmarks"])
def test_no_file_is_copied_as_a_variant(folder):
    texts = {}
    for path in sorted((ROOT.parent / folder).rglob("*.py")) if (ROOT.parent / folder).is_dir() else ():
        texts.setdefault(path.read_bytes(), []).append(path.name)
    assert not [names for text, names in texts.items() if len(names) > 1 and text.strip()]


def test_import_is_light():
    code = (
        "import sys, gridcal; print([m for m in ('numba', 'xgboost', 'matplotlib', 'sklearn', 'xarray') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
