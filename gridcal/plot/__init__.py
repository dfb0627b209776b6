"""Figures worth looking at; each function returns a matplotlib Figure."""

from gridcal.plot.calibration import diagnostic_maps, traces
from gridcal.plot.maps import flux_maps, parameter_maps, sample_map
from gridcal.plot.posterior import contraction, posterior_pixels, recovery
from gridcal.plot.screening import screening_boxes, screening_maps, screening_scatter
from gridcal.plot.skill import default_against_calibrated, importance, skill_by_run

__all__ = [
    "contraction",
    "default_against_calibrated",
    "diagnostic_maps",
    "flux_maps",
    "importance",
    "parameter_maps",
    "posterior_pixels",
    "recovery",
    "sample_map",
    "screening_boxes",
    "screening_maps",
    "screening_scatter",
    "skill_by_run",
    "traces",
]
