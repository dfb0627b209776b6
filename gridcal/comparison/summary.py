"""What a comparison found: skill by method and class, likelihood of being the best, parameters, importance, headline."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from gridcal.comparison.config import ComparisonConfig
from gridcal.comparison.tiles import CALIBRATED, QUALITIES, network_file, unit_where_tested
from gridcal.errors import InputError
from gridcal.extrapolation.assessment.likelihood_of_best import COMBINATIONS, likelihood_of_best
from gridcal.extrapolation.assessment.site_scores import METRICS, SCALES, nnse, spatial_metrics
from gridcal.extrapolation.explanation.attribution import (
    agreement,
    dependence_importance,
    normalised,
    relevance,
    shapley_values,
)
from gridcal.extrapolation.features.classes import class_of
from gridcal.extrapolation.spie.network import NetworkEnsemble
from gridcal.extrapolation.spie.optimum import EDGE
from gridcal.extrapolation.spie.tensor_file import load_tensors
from gridcal.study.folder import Study
from gridcal.study.progress import progress

Array = npt.NDArray[np.float64]
SUMMARIES = ("median", "q25", "q75", "share_above_0", "share_above_0.5", "mean_nnse", "n")
APPROACHES = ("shap", "lrp", "dependence")


def assessment(study: Study, config: ComparisonConfig) -> xr.Dataset:
    """Tables of a scored comparison.

    Returns
    -------
    Dataset
        ``skill`` (quality, method, scale, metric, summary) over the sites every method has a score at; ``by_class`` (class,
        method, scale) median NSE by vegetation type and climate class, with ``class_size``; ``spatial`` (quality, method,
        metric) of site means; ``better`` (quality, method, scale) share of sites at which SPIE has the higher NSE;
        ``likelihood`` (method, combination) and ``likelihood_overall`` (method,); ``parameter_skill`` (method, parameter,
        statistic) against calibrated ones; ``edge`` (method, parameter) share of sites within 1 % of a bound; ``distance``
        and ``loss`` (method, site), mean distance to the calibrated parameters and loss of daily NSE; on synthetic sites
        ``truth_skill`` (method, parameter, statistic).
    """
    sites = study.open("sites").load()
    scores = study.open("scores").load()
    names = [str(m) for m in scores["method"].values]
    fold = sites["fold_of_site"].values
    out = xr.Dataset(coords={"method": names, "scale": list(SCALES), "metric": list(METRICS), "summary": list(SUMMARIES),
                             "quality": list(QUALITIES), "site": sites["site"].values.astype(str)})  # fmt: skip
    score = scores["score"].values  # site, quality, method, scale, metric
    common = np.isfinite(score).all(axis=2, keepdims=True)
    shared = np.where(common, score, np.nan)
    out["skill"] = (("quality", "method", "scale", "metric", "summary"), _summaries(shared))
    spatial = [
        spatial_metrics(scores["mean_observed"].values[:, q], scores["mean_simulated"].values[:, q])
        for q in range(len(QUALITIES))
    ]
    out["spatial"] = (("quality", "method", "metric"), np.array(spatial))
    nse = shared[..., METRICS.index("nse")]
    if "SPIE" in names:
        mine = nse[:, :, [names.index("SPIE")]]
        with np.errstate(invalid="ignore"):
            ahead = np.where(np.isfinite(nse), mine > nse, np.nan)
        ahead[:, :, names.index("SPIE")] = np.nan
        out["better"] = (("quality", "method", "scale"), _nanmean(ahead))
    _by_class(out, sites, nse[:, QUALITIES.index(config.assessment.quality)])
    _likelihood(out, scores, config, names)
    _parameters(out, study, sites, names, fold, nse[:, 0, :, 0])
    return out


def _nanmean(x: Array) -> Array:
    count = np.isfinite(x).sum(axis=0)
    return np.where(count > 0, np.nansum(x, axis=0) / np.maximum(count, 1), np.nan)


def _summaries(score: Array) -> Array:
    """(site, ...) to (..., summary); mean NNSE of every metric's own column makes sense for NSE alone."""
    shape = score.shape[1:]
    flat = score.reshape(score.shape[0], -1)
    out = np.full((flat.shape[1], len(SUMMARIES)), np.nan)
    for k in range(flat.shape[1]):
        x = flat[:, k]
        x = x[np.isfinite(x)]
        out[k, -1] = x.size
        if x.size:
            out[k, :-1] = (
                np.median(x), np.quantile(x, 0.25), np.quantile(x, 0.75), (x > 0).mean(), (x > 0.5).mean(), nnse(x).mean(),
            )  # fmt: skip
    return out.reshape(*shape, len(SUMMARIES))


def _by_class(out: xr.Dataset, sites: xr.Dataset, nse: Array) -> None:
    labels, rows = [], []
    for kind in ("pft", "climate"):
        values = np.array([str(v) for v in sites[kind].values])
        for v in np.unique(values):
            labels.append(f"{kind}={v}")
            rows.append(values == v)
    table = np.full((len(labels), *nse.shape[1:]), np.nan)
    for k, mask in enumerate(rows):
        for i, j in np.ndindex(*nse.shape[1:]):
            x = nse[mask, i, j]
            if np.isfinite(x).any():
                table[k, i, j] = np.nanmedian(x)
    out["by_class"] = (("class", "method", "scale"), table)
    out["class_size"] = (("class",), np.array([m.sum() for m in rows], dtype=np.int64))
    out.coords["class"] = labels


def _likelihood(out: xr.Dataset, scores: xr.Dataset, config: ComparisonConfig, names: list[str]) -> None:
    """Of the competitors, the reference left out."""
    competitors = [n for n in names if n != CALIBRATED]
    section = config.assessment
    moments = scores["moments"].sel({"quality": section.quality, "method": competitors})
    values = moments.transpose("site", "year", "method", "scale", "moment").values
    out.coords["combination"] = [f"{m} {s}" for m, s in COMBINATIONS]
    p, overall = np.full((len(names), len(COMBINATIONS)), np.nan), np.full(len(names), np.nan)
    try:
        found = likelihood_of_best(
            values, np.random.SeedSequence(config.seed, spawn_key=(42,)), n_groups=section.groups,
            sites_per_group=section.sites_per_group, rule=section.rule, nse_transform=section.nse_transform,
        )  # fmt: skip
    except InputError as error:
        out["likelihood"] = (("method", "combination"), p, {"comment": error.problem})
    else:
        rows = [names.index(n) for n in competitors]
        p[rows], overall[rows] = found.p, found.overall
        attrs = {"eligible_sites": found.n_eligible, "group_size": found.group_size, "groups": found.n_groups}
        out["likelihood"] = (("method", "combination"), p, attrs)
    out["likelihood_overall"] = (("method",), overall)


def _parameters(
    out: xr.Dataset, study: Study, sites: xr.Dataset, names: list[str], fold: npt.NDArray[np.int64], nse: Array
) -> None:
    calibration = study.open("calibration").load()
    predictions = study.open("predictions").load()
    calibrated = calibration["unit"].values
    units = np.concatenate([calibrated[None], unit_where_tested(predictions["unit"].values, fold)])
    parameters = [str(p) for p in calibration["parameter"].values]
    out.coords["parameter"] = parameters
    out.coords["statistic"] = ["r2", "nse"]
    acts = np.ones((len(fold), len(parameters)), dtype=bool)
    for lag, mask in (("aT", "lag_temperature"), ("aW", "lag_moisture")):
        if lag in parameters and mask in sites:
            acts[:, parameters.index(lag)] = sites[mask].values > 0
    out["unit"] = (("method", "site", "parameter"), units)
    out["parameter_skill"] = (("method", "parameter", "statistic"), _parameter_skill(units, calibrated, acts))
    with np.errstate(invalid="ignore"):
        near = np.where(np.isfinite(units), (units < EDGE) | (units > 1.0 - EDGE), np.nan)
    out["edge"] = (("method", "parameter"), np.array([_nanmean(x) for x in near]))
    out["distance"] = (("method", "site"), np.abs(units - calibrated[None]).mean(axis=2))
    out["loss"] = (("method", "site"), (nse[:, [names.index(CALIBRATED)]] - nse).T)
    true = [f"true_{p}" for p in parameters]
    if all(t in sites for t in true):
        truth = np.stack([sites[t].values for t in true], axis=1)
        out["truth_skill"] = (("method", "parameter", "statistic"), _parameter_skill(units, truth, acts))
        out["truth_distance"] = (
            ("method",),
            np.array([np.nanmean(np.abs(u - truth)[acts]) if np.isfinite(u).any() else np.nan for u in units]),
        )


def _parameter_skill(units: Array, target: Array, acts: npt.NDArray[np.bool_]) -> Array:
    """Squared correlation and NSE (method, parameter, 2) of parameters in the unit cube."""
    out = np.full((units.shape[0], units.shape[2], 2), np.nan)
    for m, j in np.ndindex(units.shape[0], units.shape[2]):
        use = np.isfinite(units[m, :, j]) & acts[:, j]
        x, y = units[m, use, j], target[use, j]
        if x.size > 3 and y.std() > 0:
            out[m, j, 1] = 1.0 - ((x - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()
            if x.std() > 1e-12:
                out[m, j, 0] = np.corrcoef(x, y)[0, 1] ** 2
    return out


def explain_fold(
    ensemble: NetworkEnsemble,
    x: Array,
    training: npt.NDArray[np.int64],
    columns: list[str],
    features: list[str],
    config: ComparisonConfig,
    fold: int,
) -> tuple[dict[str, Array], dict[str, Array], dict[str, Array]]:
    """Importance of the features for one fold's networks.

    Parameters
    ----------
    ensemble : NetworkEnsemble
        The networks.
    x : array, shape (site, column)
        Encoded features of all sites.
    training : int array
        Sites trained on.
    columns, features : list of str
        Name of each column, and of the feature it encodes.
    config : ComparisonConfig
        The study file.
    fold : int
        Number of the fold.

    Returns
    -------
    table : dict of str to array, shape (approach, parameter)
        Normalised importance by column.
    signed : dict of str to array, shape (parameter,)
        Mean relevance with its sign, by column.
    grouped : dict of str to array, shape (parameter,)
        Mean absolute Shapley value of a whole class of features.
    """
    rng = np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=(43, fold)))
    section = config.explanation
    shap = np.abs(shapley_values(ensemble.predict, x, x[training], rng, permutations=section.permutations)).mean(axis=0)
    found = [relevance(member, x)[0] for member in ensemble.members]
    lrp = np.mean([np.abs(r).mean(axis=0) for r in found], axis=0)
    dependence = dependence_importance(ensemble.predict, x, np.array(["=" in c for c in columns]))
    scaled = [normalised(v, section.normalise) for v in (shap, lrp, dependence)]
    table = {c: np.stack([v[i] for v in scaled]) for i, c in enumerate(columns)}
    signed = {c: np.mean([r.mean(axis=0)[i] for r in found], axis=0) for i, c in enumerate(columns)}
    kinds = sorted({class_of(f) for f in features})
    blocks = [[i for i, f in enumerate(features) if class_of(f) == kind] for kind in kinds]
    values = shapley_values(ensemble.predict, x, x[training], rng, permutations=section.permutations, blocks=blocks)
    return table, signed, dict(zip(kinds, np.abs(values).mean(axis=0), strict=True))


def importance(study: Study, config: ComparisonConfig, names: list[str], folder: str) -> xr.Dataset:
    """Importance of the features for SPIE's networks, fold by fold and averaged.

    Returns
    -------
    Dataset
        ``importance`` (approach, column, parameter), normalised a parameter and averaged over the folds; ``mean_importance``
        (column, parameter) of the three approaches; ``class_importance`` (class, parameter), mean over the columns of a class;
        ``grouped_shap`` (class, parameter), mean absolute Shapley value of a whole class; ``agreement`` (approach, approach2),
        Spearman's rank correlation; ``signed_relevance`` (column, parameter).
    """
    sites = study.open("sites")
    fold = sites["fold_of_site"].values
    columns: list[str] = []
    feature: dict[str, str] = {}
    tables: list[dict[str, Array]] = []
    signed: list[dict[str, Array]] = []
    grouped: list[dict[str, Array]] = []
    n_folds = int(fold.max()) + 1
    with progress(n_folds, "explaining the networks") as step:
        for k in range(n_folds):
            arrays, about = load_tensors(network_file(folder, k).read_bytes())
            x = arrays.pop("x")
            ensemble = NetworkEnsemble.from_arrays(arrays)
            mine, features = json.loads(about["columns"]), json.loads(about["features"])
            feature |= dict(zip(mine, features, strict=True))
            training = np.flatnonzero((fold != k) & (fold != -2))
            found = explain_fold(ensemble, x, training, mine, features, config, k)
            for parts, part in zip((tables, signed, grouped), found, strict=True):
                parts.append(part)
            columns += [c for c in mine if c not in columns]
            step(1)
    kinds = sorted({class_of(feature[c]) for c in columns})
    nothing = np.zeros((len(APPROACHES), len(names)))
    table = np.mean([[t.get(c, nothing) for c in columns] for t in tables], axis=0)  # column, approach, parameter
    sign = np.mean([[t.get(c, np.zeros(len(names))) for c in columns] for t in signed], axis=0)
    mean = table.mean(axis=1)
    of = np.array([class_of(feature[c]) for c in columns])
    coords = {
        "column": columns,
        "parameter": names,
        "approach": list(APPROACHES),
        "approach2": list(APPROACHES),
        "class": kinds,
    }
    out = xr.Dataset(coords=coords)
    out["importance"] = (("approach", "column", "parameter"), table.transpose(1, 0, 2))
    out["mean_importance"] = (("column", "parameter"), mean)
    out["class_importance"] = (("class", "parameter"), np.array([mean[of == kind].mean(axis=0) for kind in kinds]))
    shape = np.zeros(len(names))
    out["grouped_shap"] = (("class", "parameter"), np.mean([[g.get(kind, shape) for kind in kinds] for g in grouped], axis=0))
    out["agreement"] = (("approach", "approach2"), agreement([table[:, a] for a in range(len(APPROACHES))]))
    out["signed_relevance"] = (("column", "parameter"), sign)
    out["column_class"] = (("column",), of.astype(object))
    return out


def headline(study: Study, config: ComparisonConfig) -> dict[str, Any]:
    """The numbers that answer the question: which way to extrapolate is best, and by how much."""
    table = study.open("assessment").load()
    quality = config.assessment.quality
    skill = table["skill"].sel(quality=quality, scale="daily", metric="nse")
    competitors = [str(m) for m in table["method"].values if str(m) != CALIBRATED]
    out: dict[str, Any] = {}

    def number(value: float, units: str, text: str) -> dict[str, Any]:
        return {"value": float(value), "units": units, "text": text}

    overall = table["likelihood_overall"].sel({"method": competitors})
    if np.isfinite(overall.values).any():
        best = competitors[int(np.nanargmax(overall.values))]
        rest = [m for m in competitors if m != best]
        if rest:
            second = rest[int(np.nanargmax(overall.sel({"method": rest}).values))]
            behind = float(overall.sel({"method": second}))
            text = f"likelihood of being the best of {len(competitors)} ways; next is {second} with {behind:.2f}"
            out[f"{best} is the best"] = number(float(overall.sel({"method": best})), "P", text)
    for name in (CALIBRATED, "SPIE", "OPT-All", "mRF"):
        if name in table["method"].values:
            s = skill.sel({"method": name})
            spatial = float(table["spatial"].sel({"quality": quality, "method": name, "metric": "nse"}))
            above = 100 * float(s.sel(summary="share_above_0"))
            text = (
                f"daily GPP at {int(s.sel(summary='n'))} sites not trained on; positive at {above:.0f} %, "
                f"site means NSE {spatial:.2f}"
            )
            if name == CALIBRATED:
                text = text.replace("not trained on", "calibrated one by one")
            out[f"{name} daily NSE"] = number(float(s.sel(summary="median")), "median", text)
    return out
