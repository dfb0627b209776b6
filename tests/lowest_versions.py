"""Print a constraints file that pins what pyproject.toml asks for directly to the lowest version it allows."""

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
LINT = ("mypy", "pandas-stubs", "ruff", "types-PyYAML")
"""Tools of the test extra that no test imports."""


def lowest_versions() -> dict[str, str]:
    """Give the lower bound of every direct dependency, core and test extra."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    lowest = {}
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        found = re.fullmatch(r"([\w.-]+)>=([\w.]+)", requirement)
        if found is None:
            raise SystemExit(f"pyproject.toml asks for {requirement!r}; give it as name>=version, so that its lowest is known")
        name, version = found.groups()
        if name not in LINT:
            lowest[name] = version
    return lowest


if __name__ == "__main__":
    for name, version in lowest_versions().items():
        print(f"{name}=={version}")  # noqa: T201
