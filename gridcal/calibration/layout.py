"""The variables a calibration returns: names, dimensions, attributes, and how one pixel's outcome fills them."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from gridcal.calibration.pixel import PixelOutcome
from gridcal.calibration.result import Flag
from gridcal.calibration.status import Status
from gridcal.calibration.target import Block
from gridcal.process.model import ProcessModel
from gridcal.process.result_names import BLOCK_VARIABLES, DRAWS, PARTS


class Layout:
    """Result variables of a model, blocks and method.

    Parameters
    ----------
    model, blocks
        What is calibrated.
    method : object
        Its ``draw_shape`` and ``trace_length``, where it has them, give the sizes of draws and traces.
    timing : bool
        Whether processor seconds are stored.
    """

    def __init__(self, model: ProcessModel, blocks: tuple[Block, ...], method: Any, timing: bool = False) -> None:
        self.model, self.blocks = model, blocks
        self.draw_shape: tuple[int, int] | None = getattr(method, "draw_shape", None)
        self.trace_length: int = getattr(method, "trace_length", 0)
        self.timing = timing

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of the dimensions beside the sample's."""
        sizes = {"block": len(self.blocks)}
        if self.draw_shape is not None:
            sizes |= {"chain": self.draw_shape[0], "draw": self.draw_shape[1]}
        if self.trace_length:
            sizes["iteration"] = self.trace_length
        return sizes

    def variables(self) -> dict[str, tuple[tuple[str, ...], Any, dict[str, Any]]]:
        """Name -> (dimensions beside the sample's, dtype, attributes) of every variable."""
        layout: dict[str, tuple[tuple[str, ...], Any, dict[str, Any]]] = {}
        fitted = {n for b in self.blocks for n in b.fit}
        for p in self.model.parameters:
            attrs = {"units": p.units, "long_name": p.description}
            layout[p.name] = ((), np.float64, attrs | ({} if p.name in fitted else {"comment": "not calibrated"}))
            if p.name not in fitted:
                continue
            for part, meaning in PARTS.items():
                units = "1" if part.startswith("edge") else p.units
                layout[f"{p.name}_{part}"] = (
                    (),
                    np.float64,
                    {"units": units, "long_name": f"{p.description}: {meaning}"},
                )
            if self.draw_shape is not None:
                long_name = f"{p.description}: draws"
                layout[f"{p.name}_{DRAWS}"] = (("chain", "draw"), np.float32, {**attrs, "long_name": long_name})
        for name, meaning in BLOCK_VARIABLES.items():
            layout[name] = (("block",), np.float64, {"units": "1", "long_name": meaning})
        if self.timing:
            long_name = "processor time of the method and its model runs"
            layout["seconds"] = (("block",), np.float64, {"units": "s", "long_name": long_name})
        if self.trace_length:
            long_name = "error of the surrogate's cost at the runs of an iteration, before it learnt them"
            layout["surrogate_rmse_trace"] = (("block", "iteration"), np.float32, {"units": "1", "long_name": long_name})
        codes = {
            "flag_values": np.array([int(s) for s in Status], dtype=np.int8),
            "flag_meanings": " ".join(s.name for s in Status),
            "long_name": "calibration status",
        }
        layout["block_status"] = (("block",), np.int8, codes)
        layout["status"] = ((), np.int8, codes)
        bits = {
            "flag_masks": np.array([int(f) for f in Flag], dtype=np.int16),
            "flag_meanings": " ".join(str(f.name) for f in Flag),
            "long_name": "what to know of the result",
        }
        layout["flags"] = (("block",), np.int16, bits)
        for name, meaning in (("diso", "DISO"), ("nse", "Nash-Sutcliffe efficiency")):
            attrs = {"units": "1", "long_name": f"{meaning} at the estimate, worst block"}
            layout[name] = ((), np.float64, attrs)
        layout["n_obs"] = ((), np.int32, {"units": "1", "long_name": "observed periods, fewest of any block"})
        return layout

    def template(self, data: xr.Dataset, dim: str) -> xr.Dataset:
        """The lazy result: right names, shapes, chunks and attributes."""
        import dask.array as da

        sizes = {dim: data.sizes[dim], **self.sizes}
        out = xr.Dataset(coords={dim: data[dim]})
        for name, (dims, dtype, attrs) in self.variables().items():
            chunks = (data.chunksizes[dim], *((sizes[d],) for d in dims))
            zeros = da.zeros((sizes[dim], *(sizes[d] for d in dims)), chunks=chunks, dtype=dtype)
            out[name] = ((dim, *dims), zeros, attrs)
        return out

    def empty(self, data: xr.Dataset, dim: str) -> xr.Dataset:
        """The result of one chunk before anything was run: NaN and 0."""
        sizes = self.sizes
        out = xr.Dataset(coords={dim: data[dim]})
        for name, (dims, dtype, attrs) in self.variables().items():
            fill = np.nan if np.issubdtype(dtype, np.floating) else 0
            shape = (data.sizes[dim], *(sizes[d] for d in dims))
            out[name] = ((dim, *dims), np.full(shape, fill, dtype=dtype), attrs)
        return out

    def store(self, out: xr.Dataset, i: int, outcome: PixelOutcome) -> None:
        """Write one pixel's outcome into row `i`."""
        for name, value in zip(self.model.parameters.names, outcome.theta, strict=True):
            out[name].values[i] = value
        for k, (block, part) in enumerate(zip(self.blocks, outcome.blocks, strict=True)):
            out["block_status"].values[i, k] = int(part.status)
            result = part.result
            if result is None:
                continue
            for name in BLOCK_VARIABLES:
                out[name].values[i, k] = getattr(result, name)
            out["flags"].values[i, k] = result.flags
            if self.timing:
                out["seconds"].values[i, k] = result.seconds
            if self.trace_length and result.rmse_trace is not None:
                trace = result.rmse_trace[: self.trace_length]
                out["surrogate_rmse_trace"].values[i, k, : trace.size] = trace
            for j, name in enumerate(block.fit):
                for suffix in PARTS:
                    values = getattr(result, suffix)
                    if values is not None:
                        out[f"{name}_{suffix}"].values[i] = values[j]
                if f"{name}_{DRAWS}" in out and result.draws is not None:
                    out[f"{name}_{DRAWS}"].values[i] = result.draws[:, :, j]
        out["status"].values[i] = int(outcome.status)
        good = [b for b in outcome.blocks if b.result is not None]
        out["n_obs"].values[i] = min((b.n_obs for b in outcome.blocks), default=0)
        if good:
            out["diso"].values[i] = max(b.diso for b in good)
            out["nse"].values[i] = min(b.nse for b in good)
