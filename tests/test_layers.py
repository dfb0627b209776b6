import ast
from pathlib import Path

import gridcal

ROOT = Path(gridcal.__file__).parent
LAYERS = (
    {"errors", "version", "parameters", "variables", "units", "fingerprint", "progress", "kernels"},
    {"constraint", "model"},
    {"models"},
    {
        "cube", "catalog", "validate", "ingest", "simulation", "target", "calibration", "extrapolation", "evaluation",
        "periods", "sampling", "screening", "synthetic", "synthetic_sites", "conformance", "calendar", "spinup", "steady",
        "reference",
    },
    {
        "study", "ledger", "tiles", "store", "cluster", "config", "sources", "pipeline", "headline", "cli", "plot",
        "report", "demo", "comparison",
        "comparison_config", "comparison_sources", "comparison_summary", "comparison_tiles", "__init__", "__main__",
    },
)  # fmt: skip


def layer(part):
    for number, names in enumerate(LAYERS):
        if part in names:
            return number
    raise AssertionError(f"module {part!r} has no layer: add it to this test and to CONTRIBUTING.md")


def imports():
    for path in sorted(ROOT.rglob("*.py")):
        part = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if part.startswith("_") and part != "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            for name in names:
                yield path, part, name


def test_imports_point_down():
    wrong = []
    for path, part, name in imports():
        pieces = name.split(".")
        if pieces[0] == "gridcal" and len(pieces) > 1 and layer(pieces[1]) > layer(part):
            wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong, wrong


def test_kernels_know_no_xarray():
    wrong = [
        str(path.relative_to(ROOT))
        for path, part, name in imports()
        if part in ("kernels", "models") and name.split(".")[0] == "xarray"
    ]
    assert not wrong


def test_no_module_has_a_name_that_says_nothing():
    vague = {"utils", "util", "helpers", "helper", "core", "base", "common", "misc"}
    assert not [p for p in ROOT.rglob("*.py") if p.stem in vague]


def test_files_can_be_read_in_one_sitting():
    long = {p.name: n for p in ROOT.rglob("*.py") if (n := len(p.read_text(encoding="utf-8").splitlines())) > 450}
    assert not long


def test_import_is_light():
    import subprocess
    import sys

    code = (
        "import sys, gridcal; print([m for m in ('numba', 'xgboost', 'matplotlib', 'sklearn', 'xarray') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
