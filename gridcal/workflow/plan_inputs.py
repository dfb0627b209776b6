"""Small inputs that stand for a study's own when its stages are measured for a plan."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.workflow.sources import Sources
from gridcal.workflow.study_job import StudyJob


def few_samples(sources: Sources, n: int) -> Sources:
    """The same sources with `n` samples spread over all."""
    cube = sources.samples
    (dim,) = cube.space_dims
    size = cube.data.sizes[dim]
    rows = np.unique(np.linspace(0, size - 1, min(n, size)).round().astype(int))
    return dataclasses.replace(sources, samples=dataclasses.replace(cube, data=cube.data.isel({dim: rows})))


def drawn_parameters(job: StudyJob) -> xr.Dataset:
    """Parameters of the samples as a calibration might find them: those that are fitted at random within their bounds."""
    cube = job.sources.samples
    (dim,) = cube.space_dims
    size = cube.data.sizes[dim]
    table = job.model.parameters
    rng = np.random.default_rng(np.random.SeedSequence(job.config.seed, spawn_key=(9,)))
    names = [name for block in job.blocks for name in block.fit]
    theta = table.from_unit(rng.random((size, len(table.names))))
    values = {p.name: (dim, theta[:, k] if p.name in names else np.full(size, p.default)) for k, p in enumerate(table)}
    return xr.Dataset(values, coords={dim: cube.data[dim]}, attrs={"model": job.model.name})


def mapped(job: StudyJob) -> npt.NDArray[np.bool_] | None:
    """Pixels of the grid that are predicted and run, or None where all are."""
    mask = job.sources.grid.mask
    return None if mask is None else np.asarray(mask.transpose(*job.sources.grid.space_dims).values, dtype=bool)
