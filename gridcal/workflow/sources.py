"""Where a study's data come from: the synthetic twin, flux sites with the climatological year, or any cube."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import xarray as xr

from gridcal.cube import Cube, open_cube
from gridcal.cube.entry import describe
from gridcal.cube.sampling import sample_pixels
from gridcal.errors import ConfigError
from gridcal.process.model import ProcessModel
from gridcal.workflow.config import CubeSection, FluxSitesSection, StudyConfig, TwinSection


@dataclasses.dataclass(frozen=True)
class Sources:
    """What a study reads.

    Parameters
    ----------
    samples : Cube
        Where parameters are calibrated: (time, pixel) or (time, site).
    grid : Cube
        Where parameters are predicted and the model is run.
    period : (str, str), str or None
        Calibration period, as :func:`gridcal.calibrate` takes it.
    periods : dict or None
        Periods of the evaluation.
    truth : Dataset or None
        Planted parameters of a twin (lat, lon).
    held_out : tuple of str
        Samples never learnt from.
    inputs : list of dict
        Title, licence and citation of everything read.
    caveats : list of str
        What the data do not hold.
    """

    samples: Cube
    grid: Cube
    period: tuple[str, str] | str | None
    periods: dict[str, Any] | None
    truth: xr.Dataset | None = None
    held_out: tuple[str, ...] = ()
    inputs: list[dict[str, str]] = dataclasses.field(default_factory=list)
    caveats: list[str] = dataclasses.field(default_factory=list)


def build_sources(config: StudyConfig, model: ProcessModel) -> Sources:
    """Open everything a study reads; nothing is computed yet.

    Raises
    ------
    GridcalError
        If data are missing or do not fit their declaration; the message names the variable and the repair.
    """
    section = config.data
    if isinstance(section, TwinSection):
        return _twin(section, config, model)
    if isinstance(section, FluxSitesSection):
        return _flux_sites(section, config, model)
    return _cube(section, config, model)


def _twin(section: TwinSection, config: StudyConfig, model: ProcessModel) -> Sources:
    from gridcal.synthetic.region import PLANTED, twin

    made = twin(section.lat, section.lon, section.years, snr_db=section.snr_db, seed=config.seed, model=model)
    pixels = sample_pixels(made.cube, n=section.samples, seed=config.seed)
    samples = made.cube.sel(pixel=pixels)
    samples = dataclasses.replace(samples, data=samples.data.compute())
    period, periods = None, None
    if section.years > 1:
        last = 2000 + section.years
        period = ("2001", str(last - 1))
        periods = {"calibration": period, "validation": (str(last), str(last))}
    return Sources(
        samples,
        made.cube,
        period,
        periods,
        truth=made.truth,
        inputs=[{"title": "synthetic twin", "licence": "none needed", "citation": "made by gridcal"}],
        caveats=[
            "The twin is synthetic: features, weather, parameter fields and noise are generated, and the model that is "
            "calibrated is the model that made the observations.",
            f"{len(PLANTED)} of {len(model.parameters)} parameters vary over the region; the others sit at their true values.",
        ],
    )


def _flux_sites(section: FluxSitesSection, config: StudyConfig, model: ProcessModel) -> Sources:
    from gridcal.ingest import calibration_years, climatological_year_cube, flux_site_cube
    from gridcal.ingest.climatological_year import CAVEATS as GRID_CAVEATS
    from gridcal.ingest.climatological_year import SOURCES as GRID_SOURCES
    from gridcal.ingest.flux_sites import CAVEATS as SITE_CAVEATS
    from gridcal.ingest.flux_sites import SOURCES as SITE_SOURCES

    sites = flux_site_cube(
        sites=section.sites,
        fapar=section.fapar,
        moisture=section.moisture,
        classes=section.classes,
        lag=config.model.lag,
    )
    known = [str(s) for s in sites.data["site"].values]
    stray = [s for s in section.hold_out if s not in known]
    if stray:
        raise ConfigError(f"hold_out names the site {stray[0]!r}, which is not in the cube", f"Sites: {', '.join(known)}")
    calibration = calibration_years(sites, fraction=section.calibration_share)
    data = sites.data.assign(calibration=calibration, validation=~calibration)
    samples = dataclasses.replace(sites, data=data)
    grid = climatological_year_cube(year=config.map.year, lag=config.model.lag, tile=config.map.tile)
    return Sources(
        samples,
        grid,
        "calibration",
        {"calibration": "calibration", "validation": "validation"},
        held_out=tuple(section.hold_out),
        inputs=[*SITE_SOURCES, *GRID_SOURCES],
        caveats=[*SITE_CAVEATS, *GRID_CAVEATS],
    )


def _cube(section: CubeSection, config: StudyConfig, model: ProcessModel) -> Sources:
    cube = open_cube(section.source)
    pixels = sample_pixels(cube, n=section.samples, seed=config.seed, stratify_by=section.stratify_by)
    inputs = [] if cube.entry is None else [describe(cube.entry)]
    periods = {"calibration": section.period} if section.period else None
    return Sources(cube.sel(pixel=pixels), cube, section.period, periods, inputs=inputs)


def sample_labels(cube: Cube) -> np.ndarray:
    """Labels of a cube's samples as strings."""
    (dim,) = cube.space_dims
    return np.array([str(v) for v in cube.data[dim].values])
