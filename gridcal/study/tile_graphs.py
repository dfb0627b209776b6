"""The pieces of a lazy data set: for each tile its variables, with the part of the graph and of the data that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import xarray as xr

from gridcal.study import store
from gridcal.study.tiles import Region


class Pieces:
    """A lazy data set taken apart, once, into what each tile needs.

    Dask lays out the whole graph each time a part of it is asked for; a map of many tiles would spend longer on that than on
    the values. Here it is laid out once.

    Parameters
    ----------
    bare : Dataset
        As :func:`gridcal.study.store.storable` gives it, without coordinates. Its chunks along the dimensions of space are the
        tiles.
    """

    def __init__(self, bare: xr.Dataset) -> None:
        import dask

        self._bare = bare
        (laid_out,) = dask.optimize(bare)
        self._lazy = {str(n): x.data for n, x in laid_out.data_vars.items() if x.chunks is not None}
        self._graph: Mapping[Any, Any] = dict(laid_out.__dask_graph__() or {})

    def of(self, region: Region) -> xr.Dataset:
        """A tile's variables, lazy where they were."""
        import dask.array as da
        from dask.delayed import Delayed
        from dask.optimization import cull

        found: dict[str, Any] = {}
        keys = {}
        for name in store.owned(self._bare, region):
            x = self._bare[name]
            if name not in self._lazy:
                found[name] = x.variable.isel({d: s for d, s in region.items() if d in x.dims})
                continue
            array = self._lazy[name]
            sizes = dict(zip(x.dims, array.chunksize, strict=True))
            keys[name] = (array.name, *(region[str(d)].start // sizes[d] if d in region else 0 for d in x.dims))
        graph, _ = cull(self._graph, list(keys.values())) if keys else ({}, None)
        for name, key in keys.items():
            x = self._bare[name]
            shape = tuple(region[str(d)].stop - region[str(d)].start if d in region else x.sizes[d] for d in x.dims)
            values = da.from_delayed(Delayed(key, graph), shape, meta=self._lazy[name]._meta)
            found[name] = xr.Variable(x.dims, values, x.attrs)
        ordered = {name: found[name] for name in map(str, self._bare.data_vars) if name in found}
        return xr.Dataset(ordered, attrs=self._bare.attrs)
