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
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.errors import GridcalError, InputError
from gridcal.extrapolation.applicability import Applicability
from gridcal.extrapolation.encoder import FeatureEncoder
from gridcal.extrapolation.regressors import REGRESSORS, Foreign, make_regressor
from gridcal.fingerprint import canonical
from gridcal.parameters import Parameter, ParameterTable
from gridcal.version import __version__

if TYPE_CHECKING:
    from gridcal.extrapolation.extrapolator import Extrapolator

SCHEMA = 1
DOCUMENT = "learner.json"
ARRAYS = "arrays.npz"


def state_hash(learner: Extrapolator) -> str:
    """sha256 of everything a prediction depends on."""
    about = {
        "encoder": learner.encoder_.to_dict(), "parameters": learner.parameters_, "constants": learner.constants_,
        "table": [dataclasses.asdict(p) for p in learner.table_], "applicability": learner.applicability_.to_dict(),
        "regressor": learner.model_.name,
    }  # fmt: skip
    digest = hashlib.sha256(json.dumps(canonical(about), sort_keys=True).encode())
    if isinstance(learner.model_, Foreign):
        width = len(learner.encoder_.names_out_)
        probe = np.random.default_rng(0).standard_normal((256, width))
        digest.update(repr(learner.model_.estimator).encode())
        digest.update(np.ascontiguousarray(learner.model_.predict(probe)).tobytes())
        parts: dict[str, bytes] = {}
        arrays = {f"applicability.{k}": v for k, v in learner.applicability_.arrays().items()}
    else:
        parts, arrays = learner.model_.blobs(), _arrays(learner)
    for name in sorted(arrays):
        digest.update(f"{name}{arrays[name].dtype}{arrays[name].shape}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    for name in sorted(parts):
        digest.update(name.encode() + parts[name])
    return digest.hexdigest()


def write(learner: Extrapolator, folder: Path) -> Path:
    """Write a fitted learner; the document that names the other files comes last."""
    if isinstance(learner.model_, Foreign):
        raise GridcalError(
            f"a learner of {type(learner.model_.estimator).__name__} cannot be saved: its state has no open format",
            f"Save its predictions, or use one of {', '.join(REGRESSORS)}",
        )
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, **_arrays(learner))  # type: ignore[arg-type]
    files = {ARRAYS: buffer.getvalue(), **learner.model_.blobs()}
    document = {
        "schema": SCHEMA,
        "method": learner.method,
        "settings": {
            "features": _listed(learner.features), "exclude": list(learner.exclude),
            "categorical": list(learner.categorical),
            "n_folds": learner.n_folds, "groups": learner.groups if isinstance(learner.groups, str) else None,
            "test_fraction": learner.test_fraction, "permutations": learner.permutations, "seed": learner.seed,
        },
        "options": _plain(learner.options),
        "parameters": list(learner.parameters_),
        "constants": learner.constants_,
        "table": [dataclasses.asdict(p) for p in learner.table_],
        "encoder": learner.encoder_.to_dict(),
        "applicability": _plain(learner.applicability_.to_dict()),
        "training": learner.training_,
        "skill": _dataset(learner.skill_),
        "importance": _dataset(learner.importance_),
        "cv": _dataset(learner.cv_),
        "fingerprint": learner.fingerprint,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        "versions": _versions(learner),
    }  # fmt: skip
    text = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
    for name, data in files.items():
        _replace(folder / name, data)
    _replace(folder / DOCUMENT, text.encode())
    for stale in folder.glob("model-*.ubj"):
        if stale.name not in files:
            stale.unlink()
    return folder


def read(kind: type[Extrapolator], folder: Path) -> Extrapolator:
    """Read a learner; every file must have the checksum that the document names."""
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
    made = kind(d["method"], **d["settings"], **d["options"])
    made.table_ = ParameterTable(tuple(Parameter(**p) for p in d["table"]))
    made.parameters_ = tuple(d["parameters"])
    made.constants_ = {k: float(v) for k, v in d["constants"].items()}
    made.encoder_ = FeatureEncoder.from_dict(d["encoder"])
    about = {**d["applicability"], "threshold": _number(d["applicability"]["threshold"])}
    made.applicability_ = Applicability.restore(about, _under(arrays, "applicability."))
    made.model_ = make_regressor(made.method, made.seed, made.options).restore(_under(arrays, "model."), files)
    made.training_ = d["training"]
    made.skill_, made.importance_, made.cv_ = (_as_dataset(d[k]) for k in ("skill", "importance", "cv"))
    return made


def _arrays(learner: Extrapolator) -> dict[str, npt.NDArray[Any]]:
    found = {f"model.{k}": v for k, v in learner.model_.arrays().items()}
    return found | {f"applicability.{k}": v for k, v in learner.applicability_.arrays().items()}


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


def _versions(learner: Extrapolator) -> dict[str, str]:
    found = {"gridcal": __version__, "numpy": np.__version__, "python": platform.python_version()}
    if learner.model_.name == "xgboost":
        import xgboost

        found["xgboost"] = xgboost.__version__
    return found


def _listed(value: Any) -> list[str] | None:
    return None if value is None else list(value)


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
