"""Calibrations as ArviZ sees them: groups of a data tree, in its names of groups and dimensions."""

from __future__ import annotations

import numpy as np
import xarray as xr

from gridcal.errors import InputError
from gridcal.process.result_names import BLOCK_VARIABLES


def to_arviz(posterior: xr.Dataset) -> xr.DataTree:
    """Posterior draws and diagnostics as ArviZ groups.

    Parameters
    ----------
    posterior : Dataset
        Result of :func:`gridcal.calibrate` with a method that samples.

    Returns
    -------
    DataTree
        ``posterior``: each calibrated parameter over (chain, draw, sample). ``pixel_stats``: estimates and diagnostics of
        every sample. ArviZ 1 takes it as it is; ``arviz.InferenceData.from_datatree`` turns it into the form of older ones.

    Raises
    ------
    InputError
        If there are no draws.
    """
    names = [str(n).removesuffix("_draws") for n in posterior.data_vars if str(n).endswith("_draws")]
    if not names:
        raise InputError("the calibration holds no draws", "Use a method that samples, such as MASM() or AdaptiveMCMC()")
    coords = {"chain": np.arange(posterior.sizes["chain"]), "draw": np.arange(posterior.sizes["draw"])}
    draws = xr.Dataset(
        {n: posterior[f"{n}_draws"].transpose("chain", "draw", ...) for n in names},
        attrs={"inference_library": "gridcal", **{k: posterior.attrs[k] for k in ("model", "method") if k in posterior.attrs}},
    ).assign_coords(coords)
    stats = posterior.drop_vars([f"{n}_draws" for n in names])
    kept = [v for v in stats.data_vars if v in BLOCK_VARIABLES or v in names or "chain" not in stats[v].dims]
    return xr.DataTree.from_dict({"/posterior": draws, "/pixel_stats": stats[kept]})
