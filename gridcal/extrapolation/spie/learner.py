"""SPIE: a network that predicts parameters from features, trained through the process model (Bao et al. 2023).

No calibrated parameter is needed: the cost of a prediction is the error of the model that runs with it, so that sites share
what they know about the parameters, and parameters that no site identifies are left alone.
10.1029/2022MS003464
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.features.encoder import NEVER, FeatureEncoder
from gridcal.extrapolation.learners.applicability import Applicability
from gridcal.extrapolation.learners.lacking import warn_of_lacking
from gridcal.extrapolation.learners.prediction import Predictor, is_lazy, predict_lazily
from gridcal.extrapolation.spie.network import Network, NetworkEnsemble, NetworkSettings, TrainingRecord, train
from gridcal.extrapolation.spie.objective import Objective
from gridcal.extrapolation.spie.optimum import SearchSettings, optimum
from gridcal.extrapolation.spie.tensor_file import dump_tensors, load_tensors
from gridcal.process.parameters import Parameter, ParameterTable
from gridcal.vocabulary.given import need_dataset

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
SCHEMA = 1


def train_members(
    x: Array,
    loss: Any,
    rows: Rows,
    n_output: int,
    settings: NetworkSettings,
    members: int,
    seed: np.random.SeedSequence,
    start: Array | None = None,
) -> tuple[NetworkEnsemble, list[TrainingRecord]]:
    """Train several networks that differ in their random streams; member k's stream depends on the seed and k alone.

    Parameters
    ----------
    x : array, shape (n, input)
        Encoded features.
    loss : callable
        See :func:`gridcal.extrapolation.spie.network.train`.
    rows : int array
        Training samples.
    n_output : int
        Outputs.
    settings : NetworkSettings
        Architecture and training.
    members : int
        Networks.
    seed : SeedSequence
        Root.
    start : array, shape (output,), optional
        Point of the unit cube the output biases start at.
    """
    if members < 1:
        raise ConfigError(f"an ensemble of {members} networks", "Use at least one")
    made, records = [], []
    for k in range(members):
        stream = np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, k))
        first, second = stream.spawn(2)
        network = Network.initial((x.shape[1], *settings.hidden, n_output), np.random.default_rng(first))
        if start is not None:
            network.start_at(start)
        records.append(train(network, x, loss, rows, settings, second))
        made.append(network)
    return NetworkEnsemble(made), records


class SPIE:
    """Parameters from features, learnt through the process model, in scikit-learn's manner.

    Parameters
    ----------
    members : int
        Networks with different seeds, averaged in the unit cube.
    start : {"optimum", "middle"}
        Output biases start at the best single parameter set of all training sites, or at the middle of the ranges.
    search : SearchSettings, optional
        How that set is found; L-BFGS-B from two starts without it.
    features, exclude, categorical, max_missing
        See :class:`gridcal.extrapolation.features.encoder.FeatureEncoder`.
    seed : int
        Root of all random streams.
    **network
        Options of :class:`gridcal.extrapolation.spie.network.NetworkSettings`.

    Attributes
    ----------
    table_ : ParameterTable
        The parameters predicted.
    encoder_ : FeatureEncoder
        Features; ``encoder_.dropped_`` says which were left out, and why.
    model_ : NetworkEnsemble
        The networks.
    records_ : list of TrainingRecord
        Costs epoch by epoch, one record a network.
    applicability_ : Applicability
        Distance of a pixel to the training sites.
    training_ : dict
        Counts: sites used, gradients that were not finite.

    Examples
    --------
    >>> SPIE(epochs=500, members=2).settings.epochs
    500
    """

    def __init__(
        self,
        *,
        members: int = 1,
        start: str = "optimum",
        search: SearchSettings | None = None,
        features: Sequence[str] | None = None,
        exclude: Sequence[str] = NEVER,
        categorical: Sequence[str] = (),
        max_missing: float = 0.4,
        seed: int = 0,
        **network: Any,
    ) -> None:
        if start not in ("optimum", "middle"):
            raise ConfigError(f"unknown start {start!r}", "Use 'optimum' or 'middle'")
        try:
            self.settings = NetworkSettings(**network)
        except TypeError as error:
            raise ConfigError(f"SPIE: {error}", "Remove or rename the option") from error
        self.members = members
        self.start = start
        self.search = search or SearchSettings(optimiser="lbfgs", starts=2)
        self.features = features
        self.exclude = exclude
        self.categorical = categorical
        self.max_missing = max_missing
        self.seed = seed

    def fit(self, features: xr.Dataset, objective: Objective, rows: Sequence[int] | Rows | None = None) -> SPIE:
        """Train on sites.

        Parameters
        ----------
        features : Dataset, dims (site,) or (pixel,)
            Features of the objective's sites, in its order.
        objective : Objective
            From :func:`gridcal.extrapolation.spie.objective.site_objective`, with its weight of the constraint.
        rows : int array, optional
            The training sites; all without it. Nothing of the others is used.

        Raises
        ------
        InputError
            If features and objective hold different numbers of sites, or there are fewer than two.
        """
        need_dataset(features, "features")
        (dim,) = [d for d in ("site", "pixel", "sample") if d in features.dims] or ["site"]
        n = features.sizes.get(dim, 0)
        rows = np.arange(n) if rows is None else np.asarray(rows, dtype=np.int64)
        if n != objective.n or rows.size < 2:
            raise InputError(
                f"features of {n} sites, an objective of {objective.n} and {rows.size} training sites do not fit",
                "Give the features of the objective's sites, and at least two of them to train on",
            )
        training = features.isel({dim: rows})
        self.encoder_ = FeatureEncoder(
            features=self.features, exclude=self.exclude, categorical=self.categorical, max_missing=self.max_missing
        ).fit(training)
        self.table_ = objective.table
        columns = [training[name].values for name in self.encoder_.inputs_]
        encoded = self.encoder_.encode(columns, self.encoder_.readings(training))[0]
        x = np.zeros((n, encoded.shape[1]))
        x[rows] = encoded
        root = np.random.SeedSequence(self.seed, spawn_key=(22,))
        searching, learning = root.spawn(2)
        begin = optimum(objective, rows, self.search, searching).unit if self.start == "optimum" else None
        self.model_, self.records_ = train_members(
            x, objective.cost_gradient, rows, len(self.table_), self.settings, self.members, learning, begin
        )
        blocks = [[j for j, f in enumerate(self.encoder_.column_feature_) if f == name] for name in self.encoder_.inputs_]
        self.applicability_ = Applicability().fit(encoded, blocks, np.ones(len(blocks)))
        self.training_ = {"used": int(rows.size), "failed": sum(r.n_failed for r in self.records_)}
        return self

    def predict(self, features: xr.Dataset, *, applicability: bool = True, spread: bool = False) -> xr.Dataset:
        """Parameters over any grid or set of sites; lazy if the features are.

        Parameters
        ----------
        features : Dataset
            The features trained on, over (lat, lon), (pixel,) or (site,).
        applicability : bool
            Add the layer ``dissimilarity`` (Meyer & Pebesma 2021, all features with equal weights).
        spread : bool
            Add ``<name>_spread``, the standard deviation over the networks, in the parameter's units.

        Returns
        -------
        Dataset
            As :meth:`gridcal.Extrapolator.predict`.
        """
        self._fitted()
        need_dataset(features, "features")
        names = self.table_.names
        area = self.applicability_ if applicability else None
        out = predict_lazily(Predictor(self.encoder_, self.model_, self.table_, names, {}, area), features, self.fingerprint)
        if not is_lazy(features, self.encoder_.inputs_):
            warn_of_lacking(self.encoder_, features, out[names[0]].notnull(), stacklevel=2)
        if spread:
            widths = ParameterTable(
                tuple(Parameter(p.name, 0.0, 0.0, _width(p), p.units, f"spread of {p.name}", p.source) for p in self.table_)
            )
            model = _Spread(self.model_)
            mark = hashlib.sha256(f"{self.fingerprint} spread".encode()).hexdigest()
            found = predict_lazily(Predictor(self.encoder_, model, widths, names, {}, None), features, mark)
            for p in self.table_:
                x = found[p.name] if p.scale == "linear" else abs(out[p.name]) * found[p.name]
                attrs = {"units": p.units, "long_name": f"standard deviation of {p.name} over the networks"}
                out[f"{p.name}_spread"] = x.assign_attrs(attrs)
        out.attrs["method"] = "spie"
        out.attrs["n_training"] = self.training_["used"]
        return out

    @property
    def fingerprint(self) -> str:
        """sha256 of encoder, table and networks."""
        self._fitted()
        return hashlib.sha256(self._bytes()).hexdigest()

    def save(self, file: str | Path) -> Path:
        """Write networks, encoder and area of applicability to one safetensors file."""
        self._fitted()
        path = Path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.partial")
        part.write_bytes(self._bytes())
        part.replace(path)
        return path

    @classmethod
    def load(cls, file: str | Path) -> SPIE:
        """Read what :meth:`save` wrote; its predictions are the same to the bit.

        Raises
        ------
        InputError
            If the file is missing or damaged, or was written by another version.
        """
        path = Path(file)
        if not path.is_file():
            raise InputError(f"{str(path)!r} is no file", "Give the file that SPIE.save wrote")
        arrays, metadata = load_tensors(path.read_bytes())
        about = json.loads(metadata.get("spie", "{}"))
        if about.get("schema") != SCHEMA:
            raise InputError(
                f"{str(path)!r} holds no SPIE network of schema {SCHEMA}", "Read it with the gridcal that wrote it"
            )
        made = cls(members=about["members"], start=about["start"], seed=about["seed"], **about["settings"])
        made.encoder_ = FeatureEncoder.from_dict(about["encoder"])
        for name in ("features", "exclude", "categorical", "max_missing"):
            setattr(made, name, getattr(made.encoder_, name))
        made.table_ = ParameterTable(tuple(Parameter(**p) for p in about["table"]))
        network = {k.removeprefix("network."): v for k, v in arrays.items() if k.startswith("network.")}
        area = {k.removeprefix("applicability."): v for k, v in arrays.items() if k.startswith("applicability.")}
        made.model_ = NetworkEnsemble.from_arrays(network)
        made.applicability_ = Applicability.restore(about["applicability"], area)
        made.training_, made.records_ = about["training"], []
        return made

    def _bytes(self) -> bytes:
        arrays = {f"network.{k}": v for k, v in self.model_.arrays().items()}
        arrays |= {f"applicability.{k}": v for k, v in self.applicability_.arrays().items()}
        area = self.applicability_.to_dict()
        about = {
            "schema": SCHEMA, "members": self.members, "start": self.start, "seed": self.seed,
            "settings": dataclasses.asdict(self.settings), "encoder": self.encoder_.to_dict(),
            "table": [dataclasses.asdict(p) for p in self.table_], "training": self.training_,
            "applicability": {**area, "threshold": float(area["threshold"])},
        }  # fmt: skip
        return dump_tensors(arrays, {"spie": json.dumps(about)})

    def _fitted(self) -> None:
        if not hasattr(self, "model_"):
            raise InputError("SPIE has not been trained", "Call fit(features, objective) first, or SPIE.load")


class _Spread:
    """The deviation of an ensemble in place of its mean."""

    def __init__(self, ensemble: NetworkEnsemble) -> None:
        self.ensemble = ensemble

    def predict(self, x: Array) -> Array:
        return self.ensemble.spread(x)


def _width(p: Parameter) -> float:
    """Range of a parameter, of its logarithm where its scale is log10."""
    return float(np.log(p.upper / p.lower)) if p.scale == "log10" else p.upper - p.lower
