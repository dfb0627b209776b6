"""The embedded demonstration study."""

from __future__ import annotations

from gridcal.synthetic.region import PLANTED
from gridcal.workflow.config import StudyConfig, parse_config


def demo_config(*, small: bool = False) -> StudyConfig:
    """Configuration of ``gridcal demo``: a synthetic twin of a small deciduous region.

    Parameters
    ----------
    small : bool
        A quarter of the region and of the samples.
    """
    return parse_config(
        {
            "title": "gridcal demo: a synthetic deciduous region",
            "seed": 1,
            "model": {"name": "lue"},
            "data": {
                "kind": "twin",
                "lat": 12 if small else 24,
                "lon": 16 if small else 32,
                "samples": 24 if small else 96,
            },
            "calibration": {
                "method": "masm",
                "blocks": [{"fit": list(PLANTED), "to": {"variable": "gpp", "against": "gpp_obs", "every": "8-day"}}],
                "chunk": 6,
            },
            "learn": {"method": "xgboost"},
            "map": {"kind": "same"},
            "compute": {"cluster": "local", "workers": 2},
        },
        "demo",
    )
