"""Fitted learners in files: JSON, plain arrays and Universal Binary JSON; nothing that runs when it is read."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import math
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import GridcalError, InputError
from gridcal.extrapolation.features.encoder import FeatureEncoder
from gridcal.extrapolation.learners.applicability import Applicability
from gridcal.extrapolation.learners.regressors import REGRESSORS, Foreign, make_regressor
from gridcal.process.parameters import Parameter, ParameterTable
from gridcal.version import __version__
from gridcal.vocabulary.fingerprint import canonical

SCHEMA = 1
DOCUMENT = "learner.json"
ARRAYS = "arrays.npz"


@dataclasses.dataclass(frozen=True)
class LearnerState:
    """What a fitted learner consists of.

    Parameters
    ----------
    method : object
        Name of the regressor, or the object that was given.
    settings : dict
        Further arguments the learner was made with, but for `options`.
    options : dict
        Settings of the regressor.
    table : ParameterTable
        Bounds, scales and units.
    parameters : tuple of str
        Parameters that are learnt.
    constants : dict of str to float
        The others.
    encoder : FeatureEncoder
        Features.
    applicability : Applicability
        Distance to the training samples.
    model : object
        The fitted regressor.
    training : dict
        Counts of samples.
    skill, importance, cv : Dataset
        Scores, importance and predictions of unseen samples.
    fingerprint : str
        What predictions depend on, as :func:`state_hash` gave it when the learner was fitted.
    """

    method: Any
    settings: dict[str, Any]
    options: dict[str, Any]
    table: ParameterTable
    parameters: tuple[str, ...]
    constants: dict[str, float]
    encoder: FeatureEncoder
    applicability: Applicability
    model: Any
    training: dict[str, int]
    skill: xr.Dataset
    importance: xr.Dataset
    cv: xr.Dataset
    fingerprint: str = ""


def state_hash(state: LearnerState) -> str:
    """sha256 of everything a prediction depends on; the model's bytes carry the version of the library that made them."""
    about = {
        "encoder": state.encoder.to_dict(), "parameters": state.parameters, "constants": state.constants,
        "table": [dataclasses.asdict(p) for p in state.table], "applicability": state.applicability.to_dict(),
        "regressor": state.model.name,
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(canonical(about), sort_keys=True).encode())
    if isinstance(state.model, Foreign):
        width = len(state.encoder.names_out_)
        probe = np.random.default_rng(0).standard_normal((256, width))
        digest.update(repr(state.model.estimator).encode())
        digest.update(np.ascontiguousarray(state.model.predict(probe)).tobytes())
        parts: dict[str, bytes] = {}
        arrays = {f"applicability.{k}": v for k, v in state.applicability.arrays().items()}
    else:
        parts, arrays = state.model.blobs(), _arrays(state)
    for name in sorted(arrays):
        digest.update(f"{name}{arrays[name].dtype}{arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    for name in sorted(parts):
        digest.update(name.encode() + parts[name])
    return digest.hexdigest()


def write(state: LearnerState, folder: Path) -> Path:
    """Write a fitted learner; the document that names the other files comes last."""
    if isinstance(state.model, Foreign):
        raise GridcalError(
            f"a learner of {type(state.model.estimator).__name__} cannot be saved: its state has no open format",
            f"Save its predictions, or use one of {', '.join(REGRESSORS)}",
        )
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, **_arrays(state))  # type: ignore[arg-type]
    files = {ARRAYS: buffer.getvalue(), **state.model.blobs()}
    document = {
        "schema": SCHEMA,
        "method": state.method,
        "settings": _plain(state.settings),
        "options": _plain(state.options),
        "parameters": list(state.parameters),
        "constants": state.constants,
        "table": [dataclasses.asdict(p) for p in state.table],
        "encoder": state.encoder.to_dict(),
        "applicability": _plain(state.applicability.to_dict()),
        "training": state.training,
        "skill": _dataset(state.skill),
        "importance": _dataset(state.importance),
        "cv": _dataset(state.cv),
        "fingerprint": state.fingerprint,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "versions": _versions(state),
    }  # fmt: skip
    text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
    for name, data in files.items():
        _replace(folder / name, data)
    _replace(folder / DOCUMENT, text.encode())
    for stale in folder.glob("model-*.ubj"):
        if stale.name not in files:
            stale.unlink()
    return folder


def read(folder: Path) -> LearnerState:
    """Read a learner; every file must have the checksum that the document names.

    Its fingerprint is the one it was written with: another version of a library writes the same model in other bytes.
    """
    path = folder / DOCUMENT
    if not path.is_file():
        raise InputError(f"{str(folder)!r} holds no learner", "Give the folder that Extrapolator.save wrote")
    try:
        d = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{str(path)!r} is damaged ({error})", "Fit and save the learner again") from error
    if d.get("schema") != SCHEMA:
        raise InputError(
            f"{str(path)!r} has schema {d.get('schema')!r}, not {SCHEMA}", "Read it with the gridcal that wrote it"
        )
    files = {name: _checked(folder, name, digest) for name, digest in d["files"].items()}
    with np.load(io.BytesIO(files.pop(ARRAYS)), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    about = {**d["applicability"], "threshold": _number(d["applicability"]["threshold"])}
    return LearnerState(
        method=d["method"],
        settings=d["settings"],
        options=d["options"],
        table=ParameterTable(tuple(Parameter(**p) for p in d["table"])),
        parameters=tuple(d["parameters"]),
        constants={k: float(v) for k, v in d["constants"].items()},
        encoder=FeatureEncoder.from_dict(d["encoder"]),
        applicability=Applicability.restore(about, _under(arrays, "applicability.")),
        model=make_regressor(d["method"], d["settings"]["seed"], d["options"]).restore(_under(arrays, "model."), files),
        training=d["training"],
        skill=_as_dataset(d["skill"]),
        importance=_as_dataset(d["importance"]),
        cv=_as_dataset(d["cv"]),
        fingerprint=d["fingerprint"],
    )


def _arrays(state: LearnerState) -> dict[str, npt.NDArray[Any]]:
    found = {f"model.{k}": v for k, v in state.model.arrays().items()}
    return found | {f"applicability.{k}": v for k, v in state.applicability.arrays().items()}


def _under(arrays: dict[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    os.replace(partial, path)


def _checked(folder: Path, name: str, digest: str) -> bytes:
    if Path(name).name != name:
        raise InputError(f"the learner names a file outside its folder: {name!r}", "Fit and save the learner again")
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise InputError(f"the learner's file {name!r} cannot be read ({error})", "Fit and save the learner again") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise InputError(f"the learner's file {name!r} is damaged: its checksum differs", "Fit and save the learner again")
    return data


def _versions(state: LearnerState) -> dict[str, str]:
    found = {"gridcal": __version__, "numpy": np.__version__, "python": platform.python_version()}
    if state.model.name == "xgboost":
        import xgboost

        found["xgboost"] = xgboost.__version__
    return found


def _number(value: Any) -> float:
    return math.inf if value is None else float(value)


def _plain(value: Any) -> Any:
    """JSON-ready: numpy scalars and arrays as numbers and lists, a number that is not finite as null."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def _dataset(ds: xr.Dataset) -> dict[str, Any]:
    def one(x: xr.DataArray) -> dict[str, Any]:
        kind = x.dtype.str if x.dtype.kind in "fiub" else "text"
        return {
            "dims": list(map(str, x.dims)),
            "dtype": kind,
            "attrs": _plain(dict(x.attrs)),
            "values": _plain(x.values),
        }

    coords = {str(c): one(v) for c, v in ds.coords.items() if v.dtype.kind not in "mM"}
    return {
        "coords": coords,
        "variables": {str(n): one(x) for n, x in ds.data_vars.items()},
        "attrs": _plain(dict(ds.attrs)),
    }


def _as_dataset(d: dict[str, Any]) -> xr.Dataset:
    def one(v: dict[str, Any]) -> Any:
        kind = str if v["dtype"] == "text" else np.dtype(v["dtype"])
        return (v["dims"], np.array(v["values"], dtype=kind), v["attrs"])

    coords = {n: one(v) for n, v in d["coords"].items()}
    return xr.Dataset({n: one(v) for n, v in d["variables"].items()}, coords=coords, attrs=d["attrs"])
