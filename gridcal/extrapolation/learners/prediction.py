"""Prediction of parameters over the chunks of a map."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.extrapolation.features.encoder import FeatureEncoder
from gridcal.extrapolation.learners.applicability import Applicability
from gridcal.extrapolation.learners.regressors import Foreign
from gridcal.process.parameters import ParameterTable

Array = npt.NDArray[np.float64]
SPACE = ("lat", "lon", "pixel", "site")


@dataclasses.dataclass(frozen=True)
class Predictor:
    """What a chunk needs: everything fitted, nothing of the training apart from it.

    Parameters
    ----------
    encoder : FeatureEncoder
        Features to matrix.
    model : Regressor
        Matrix to unit cube.
    table : ParameterTable
        Unit cube to parameters.
    learnt : tuple of str
        Parameters the model predicts, in its order.
    constants : dict of str to float
        The other parameters of the table.
    applicability : Applicability or None
        For the layer ``dissimilarity``.
    """

    encoder: FeatureEncoder
    model: Any
    table: ParameterTable
    learnt: tuple[str, ...]
    constants: dict[str, float]
    applicability: Applicability | None

    def rows(
        self, columns: list[Any], readings: tuple[Any, ...]
    ) -> tuple[Array, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
        """Parameters (n, parameter of the table), missing, unseen and dissimilarity (n,) of flat feature columns."""
        matrix, missing, unseen, empty = self.encoder.encode(columns, readings)
        n, use = matrix.shape[0], ~empty
        out = np.full((n, len(self.table)), np.nan)
        distance = np.full(n, np.nan, dtype=np.float32)
        if use.any():
            x = matrix if use.all() else np.ascontiguousarray(matrix[use])
            learnt = self.table.select(self.learnt)
            found = np.clip(learnt.from_unit(np.clip(self._predict(x), 0.0, 1.0)), learnt.lower, learnt.upper)
            for k, p in enumerate(self.table):
                out[use, k] = found[:, self.learnt.index(p.name)] if p.name in self.learnt else self.constants[p.name]
            if self.applicability is not None:
                distance[use] = self.applicability.dissimilarity(x).astype(np.float32)
        return out, missing, unseen, distance

    def _predict(self, x: Array) -> Array:
        if not isinstance(self.model, Foreign):
            return np.asarray(self.model.predict(x))
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1):
            return self.model.predict(x)


def is_lazy(features: xr.Dataset, names: Iterable[str]) -> bool:
    """Whether any of the named features is in chunks."""
    return any(features[n].chunks is not None for n in names)


def predict_lazily(predictor: Predictor, features: xr.Dataset, fingerprint: str) -> xr.Dataset:
    """Parameters and layers over the features' space; see :meth:`gridcal.Extrapolator.predict`."""
    encoder = predictor.encoder
    encoder.check(features)
    readings = encoder.readings(features)
    data = _chunked_alike(features[list(encoder.inputs_)].reset_coords(drop=True))
    dims = [d for d in SPACE if d in data.dims] + [str(d) for d in data.dims if d not in SPACE]
    lazy = is_lazy(data, encoder.inputs_)
    kinds: list[Any] = [np.float64] * len(predictor.table) + [np.int8, np.int8, np.float32]
    found = xr.apply_ufunc(
        _predict_block,
        _boxed((predictor, readings), fingerprint, lazy),
        *(data[n] for n in encoder.inputs_),
        join="exact",
        dask="parallelized",
        output_core_dims=[[]] * len(kinds),
        output_dtypes=kinds,
        keep_attrs=False,
    )
    out = xr.Dataset(coords={c: v for c, v in features.coords.items() if v.dims and set(v.dims) <= set(dims)})
    for p, x in zip(predictor.table, found, strict=False):
        out[p.name] = x.transpose(*dims)
        out[p.name].attrs = {"units": p.units, "long_name": p.description}
        if p.name not in predictor.learnt:
            out[p.name].attrs["comment"] = "the same at all training samples, not learnt"
    missing, unseen, distance = (x.transpose(*dims) for x in found[len(predictor.table) :])
    out["n_missing"] = missing.assign_attrs(units="1", long_name="features without a value, taken as the training mean")
    if encoder.categorical_:
        out["n_unseen"] = unseen.assign_attrs(units="1", long_name="features of a class that no training sample has")
    if predictor.applicability is not None:
        out["dissimilarity"] = distance.assign_attrs(
            units="1",
            long_name="distance to the nearest training sample over the mean distance of training samples",
            threshold=predictor.applicability.threshold_,
            references="Meyer and Pebesma 2021, 10.1111/2041-210X.13650",
        )
    out.attrs = {"fingerprint": fingerprint}
    return out


def _chunked_alike(data: xr.Dataset) -> xr.Dataset:
    """Give every variable the same chunks, in-memory ones too, if any is chunked."""
    if all(x.chunks is None for x in data.data_vars.values()):
        return data
    data = data.unify_chunks()
    sizes = data.chunksizes
    return data.assign(
        {n: x.chunk({d: sizes[d] for d in x.dims}) for n, x in data.data_vars.items() if x.chunks is None and x.dims}
    )


def _boxed(value: Any, fingerprint: str, lazy: bool) -> xr.DataArray:
    """Make a scalar that holds the fitted model, so that a graph carries it once and a worker fetches it once."""
    box = np.empty((), dtype=object)
    box[()] = value
    if not lazy:
        return xr.DataArray(box)
    import dask.array as da
    from dask.base import tokenize

    predictor, readings = value
    token = tokenize(fingerprint, repr(readings), predictor.applicability is None)
    return xr.DataArray(da.from_array(box, chunks=(), name=f"learner-{token}"))


def _predict_block(box: Any, *columns: Any) -> tuple[npt.NDArray[Any], ...]:
    """Parameters and layers of one block; columns broadcast against each other."""
    predictor, readings = box.item() if isinstance(box, np.ndarray) else box
    arrays = [np.asarray(c) for c in columns]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    theta, missing, unseen, distance = predictor.rows([np.broadcast_to(a, shape).ravel() for a in arrays], readings)
    parts = [np.ascontiguousarray(theta[:, k]).reshape(shape) for k in range(theta.shape[1])]
    return (*parts, missing.reshape(shape), unseen.reshape(shape), distance.reshape(shape))
