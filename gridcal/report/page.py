"""The report's page: one HTML file without any outside reference."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CSS = """
:root{--ink:#23272f;--soft:#5d6673;--line:#e2e5ea;--paper:#fff;--ground:#f6f7f9;--accent:#1f6b3a}
@media (prefers-color-scheme:dark){
:root{--ink:#e6e8ec;--soft:#a3abb8;--line:#343a45;--paper:#1d2129;--ground:#14171d;--accent:#7cc58f}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main,footer{max-width:1100px;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.2rem}h1{font-size:1.75rem;line-height:1.25;margin:.2rem 0}
h2{font-size:1.25rem;margin:0 0 .5rem}.lead{color:var(--soft);margin:.2rem 0 1rem}
nav{display:flex;flex-wrap:wrap;gap:.35rem .9rem;margin:1rem 0 1.4rem;font-size:.92rem}
a{color:var(--accent)}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:1.2rem 1.3rem;margin:0 0 1.2rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(225px,1fr));gap:.8rem;margin:0 0 1.2rem}
.card{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:.85rem 1rem}
.card .label{color:var(--soft);font-size:.82rem}.card .value{font-size:1.6rem;font-weight:650;line-height:1.2}
.card .value small{font-size:.85rem;font-weight:400;color:var(--soft)}.card .text{font-size:.82rem;color:var(--soft)}
figure{margin:.8rem 0;overflow-x:auto}figure img{max-width:100%;height:auto;background:#fff;border-radius:6px}
figcaption{font-size:.86rem;color:var(--soft)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.86rem;margin:.6rem 0}
th,td{padding:.28rem .7rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:600}
pre{background:var(--ground);border-radius:6px;padding:.8rem;overflow-x:auto;font-size:.8rem;line-height:1.4}
ul{padding-left:1.2rem}footer{color:var(--soft);font-size:.85rem;padding-bottom:2rem}
@media print{body{background:#fff}section,.card{break-inside:avoid}nav{display:none}}
"""


def absent(what: str, why: str) -> str:
    """A sentence for what a study does not hold."""
    return f"<p>{escape(what)}: not in this study. {escape(why)}</p>"


def image(figure: Figure, alt: str, caption: str = "") -> str:
    """A figure as an embedded PNG with its alternative text."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=140)
    data = base64.b64encode(buffer.getvalue()).decode()
    text = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="data:image/png;base64,{data}" alt="{escape(alt)}">{text}</figure>'


def table(header: list[str], rows: list[list[Any]]) -> str:
    """An HTML table; numbers are shown with three significant digits."""

    def cell(value: Any) -> str:
        if isinstance(value, float):
            return "–" if value != value else f"{value:.3g}"
        return escape(str(value))

    head = "".join(f"<th scope='col'>{escape(h)}</th>" for h in header)
    body = "".join("<tr>" + "".join(f"<td>{cell(v)}</td>" for v in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def cards(headline: dict[str, dict[str, Any]]) -> str:
    """Headline numbers."""
    out = []
    for label, number in headline.items():
        value = float(number["value"])
        shown = "–" if value != value else f"{value:.3g}"
        out.append(
            f'<div class="card"><div class="label">{escape(label)}</div>'
            f'<div class="value">{shown} <small>{escape(str(number["units"]))}</small></div>'
            f'<div class="text">{escape(str(number["text"]))}</div></div>'
        )
    return f'<div class="cards">{"".join(out)}</div>'


def page(title: str, lead: str, top: str, sections: list[tuple[str, str, str]], foot: str) -> str:
    """The whole document.

    Parameters
    ----------
    title, lead, top, foot : str
        Heading, sentence below it, HTML above the sections, line at the end.
    sections : list of (anchor, heading, html)
        The sections in order.
    """
    links = "".join(f'<a href="#{escape(a)}">{escape(h)}</a>' for a, h, _ in sections)
    body = "".join(f'<section id="{escape(a)}"><h2>{escape(h)}</h2>{html}</section>' for a, h, html in sections)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{CSS}</style></head><body>"
        f'<header><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p><nav aria-label="sections">{links}</nav></header>'
        f"<main>{top}{body}</main><footer>{escape(foot)}</footer></body></html>"
    )
