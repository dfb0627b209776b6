"""The look of gridcal's figures: perceptual colours, quiet axes, units everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEQUENTIAL = "viridis"
GREEN = "YlGn"
DIVERGING = "RdBu_r"
RUN_COLOURS = {"default": "#9a9a9a", "calibrated": "#0072b2", "extrapolated": "#d55e00", "observed": "#111111"}
INK = "#2b2f36"

_RC: Any = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 8.5,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f98",
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": False,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@contextmanager
def style() -> Iterator[None]:
    """Use gridcal's settings inside the block only."""
    import matplotlib as mpl

    with mpl.rc_context(_RC):
        yield


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own, without pyplot's global state; sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=160)
    FigureCanvasAgg(figure)
    return figure


def label_of(name: str, attrs: dict[str, Any]) -> str:
    """Name and units for an axis."""
    units = str(attrs.get("units", "")).strip()
    return f"{name} ({units})" if units not in ("", "1") else name
