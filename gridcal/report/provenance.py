"""Section on provenance: what the data do not hold, and how the study was made."""

from __future__ import annotations

from html import escape
from typing import Any

from gridcal.report.page import absent, table


def provenance(record: dict[str, Any] | None, caveats: list[str] | None) -> str:
    """What the data do not hold, and how the study was made."""
    html = ""
    if caveats:
        html += "<h3>What the data do not hold</h3><ul>" + "".join(f"<li>{escape(c)}</li>" for c in caveats) + "</ul>"
    if not record:
        return html + absent("Provenance", "The study was made from Python, stage by stage.")
    rows = [["gridcal", record["gridcal"]], ["created", record["created"]], ["python", record["python"]]]
    rows += [["platform", record["platform"]], ["seed", record["seed"]]]
    rows += [["model", f"{record['model']['name']} version {record['model']['version']}, {record['model']['source']}"]]
    rows += [[k, v] for k, v in record["libraries"].items()]
    html += table(["", ""], rows)
    html += "<h3>Inputs</h3>" + table(
        ["data", "licence", "citation"], [[i["title"], i["licence"], i["citation"]] for i in record["inputs"]]
    )
    return html + f"<h3>Configuration</h3><pre>{escape(record['config'])}</pre>"
