"""Small inputs that stand for a comparison's own when its stages are measured for a plan."""

from __future__ import annotations

import dataclasses
import functools
import json

import numpy as np
import numpy.typing as npt

from gridcal.comparison.comparison_job import ComparisonJob
from gridcal.comparison.config import parse_comparison
from gridcal.comparison.folds import site_data
from gridcal.comparison.summary import explain_fold
from gridcal.comparison.tiles import Context, calibrate_rows, make_context, places_of, score_rows, training_of
from gridcal.extrapolation.methods import Method, Places, Training, make_methods
from gridcal.extrapolation.methods.by_regression.network_regression import NetworkRegression
from gridcal.extrapolation.methods.network_through_model import NetworkThroughModel
from gridcal.study.measuring import timed

SITES = 4
"""Sites that are calibrated and scored in an estimate."""
EPOCHS = 60
"""Epochs that networks are trained for in an estimate."""
NETWORKS = (NetworkRegression.name, NetworkThroughModel.name)


@functools.lru_cache(maxsize=1)
def _prepared(document: str) -> tuple[ComparisonJob, Context]:
    """Job and context of a comparison without a study folder, where it is called."""
    job = ComparisonJob(parse_comparison(json.loads(document)))
    return job, make_context(job.config, job.model, site_data(job.config, job.sources))


def calibration_seconds(document: str) -> float:
    """Seconds that all sites take to calibrate, from a few of them."""
    _, context = _prepared(document)
    rows = spread(context.n)
    calibrate_rows(context, rows[:1])
    return timed(calibrate_rows, context, rows)[1] / rows.size * context.n


def scoring(document: str) -> tuple[float, int]:
    """Seconds that all sites take to score, from a few of them, and bytes of their scores."""
    job, context = _prepared(document)
    rows = spread(context.n)
    units = np.full((1 + len(job.config.methods), context.n, len(job.searched)), 0.5)
    score_rows(context, units, rows[:1])
    found, seconds = timed(score_rows, context, units, rows)
    share = context.n / rows.size
    return seconds * share, int(sum(x.nbytes for x in found.values()) * share)


def spread(n: int) -> npt.NDArray[np.int64]:
    """A few of `n` sites."""
    return np.unique(np.linspace(0, n - 1, SITES).round().astype(np.int64))


def learning_seconds(document: str) -> float:
    """Seconds that a fold takes: every method fitted once, networks for a few epochs only, their time carried on to all."""
    job, context = _prepared(document)
    rng = np.random.default_rng(np.random.SeedSequence(job.config.seed, spawn_key=(9,)))
    calibrated = rng.random((context.n, len(job.searched)))
    _, x, training = training_of(context, calibrated, 0)
    everywhere = places_of(context, np.arange(context.n), x, context.training_rows(0))
    total = 0.0
    for method in make_methods(job.config.methods, p_model=job.config.p_model.stress):
        if method.name not in NETWORKS:
            total += timed(_fit_predict, method, training, everywhere)[1]
            continue
        epochs = training.network.epochs
        few = min(EPOCHS, epochs)
        spent = []
        for n in (1, few):
            short = dataclasses.replace(training, network=dataclasses.replace(training.network, epochs=n))
            spent.append(timed(_fit_predict, make_methods([method.name])[0], short, everywhere)[1])
        slope = (spent[1] - spent[0]) / max(few - 1, 1)
        total += spent[0] + max(slope, 0.0) * (epochs - 1)
    return total


def explaining_seconds(document: str) -> float:
    """Seconds that the networks of a fold take to explain."""
    job, context = _prepared(document)
    unit = np.full((context.n, len(job.searched)), 0.5)
    encoder, x, training = training_of(context, unit, 0)
    (method,) = make_methods([NetworkThroughModel.name])
    assert isinstance(method, NetworkThroughModel)
    method.fit(dataclasses.replace(training, network=dataclasses.replace(training.network, epochs=1)))
    names, features = list(encoder.names_out_), list(encoder.column_feature_)
    return timed(explain_fold, method.model_, x, context.training_rows(0), names, features, job.config, 0)[1]


def _fit_predict(method: Method, training: Training, places: Places) -> None:
    method.fit(training).predict(places)
