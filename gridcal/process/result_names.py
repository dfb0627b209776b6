"""Names that results have beside those of a model, which its parameters, states and outputs must not take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gridcal.errors import ModelError

DIMENSIONS = {
    "time": "of days",
    "hour": "of hours",
    "lat": "of a grid, or the latitude of samples",
    "lon": "of a grid, or the longitude of samples",
    "pixel": "of samples",
    "site": "of sites",
    "block": "of a calibration",
    "parameter": "of a calibration",
    "chain": "of a calibration",
    "draw": "of a calibration",
    "iteration": "of a calibration",
    "fold": "of a cross-validation",
}
BLOCK_VARIABLES = {
    "cost": "-2 log likelihood of the model at the estimate",
    "cost_best": "lowest -2 log likelihood of any model run",
    "cost_mean": "mean -2 log likelihood of the draws, by the surrogate where there is one",
    "n_runs": "model runs",
    "n_failed": "model runs without a finite output",
    "rhat": "rank-normalised split R-hat, largest over the parameters",
    "gelman_rubin": "Gelman-Rubin factor, largest over the parameters",
    "ess": "effective sample size of the posterior, smallest over the parameters",
    "acceptance": "share of accepted steps of the reported chain",
    "surrogate_rmse": "error of the surrogate's cost at model runs it had not seen",
    "ess_ratio": "effective share of verification draws under importance weights",
    "khat": "Pareto shape of the verification draws' importance weights",
}
PARTS = {
    "median": "posterior median",
    "map": "best model run",
    "sd": "posterior standard deviation",
    "q05": "posterior 5 % quantile",
    "q95": "posterior 95 % quantile",
    "edge_hit": "share of draws within 1 % of a bound",
    "edge_lower": "share of draws within 1 % of the lower bound",
    "edge_upper": "share of draws within 1 % of the upper bound",
}
DRAWS = "draws"
OF_A_PARAMETER = (*PARTS, DRAWS, "spread")
"""What follows a parameter's name and an underscore."""
OF_A_CALIBRATION = frozenset(
    {*BLOCK_VARIABLES, "seconds", "surrogate_rmse_trace", "block_status", "status", "flags", "diso", "nse", "n_obs"}
)
OF_A_MAP = frozenset({"n_missing", "n_unseen", "dissimilarity"})
OF_A_STEADY_STATE = frozenset({"spin_up_years", "cycle_change", "steady"})


def check_names(model: str, parameters: Sequence[str], state: Sequence[str], outputs: Sequence[str]) -> None:
    """Raise :class:`ModelError` for the first name that results use for something else.

    Parameters
    ----------
    model : str
        Name of the model, for the message.
    parameters, state, outputs : sequence of str
        Names of its tables; of outputs, those on request too.
    """
    for role, name, taken in _meetings(parameters, state, outputs):
        raise ModelError(f"model {model!r}: {role} {name!r} is called like {taken}", "Rename it")


def _meetings(parameters: Sequence[str], state: Sequence[str], outputs: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Role and name of what meets another name, and that other in words."""
    kinds: Mapping[str, tuple[Sequence[str], frozenset[str], str]] = {
        "parameter": (parameters, OF_A_CALIBRATION | OF_A_MAP, "the variable {!r} that calibration or prediction adds"),
        "state": (state, OF_A_STEADY_STATE, "the variable {!r} that a steady state adds"),
        "output": (outputs, frozenset(), ""),
    }
    for role, (names, added, text) in kinds.items():
        for name in names:
            if name in DIMENSIONS:
                yield role, name, f"the dimension or coordinate {name!r} {DIMENSIONS[name]}"
            elif name in added:
                yield role, name, text.format(name)
    for name in parameters:
        for part in OF_A_PARAMETER:
            if f"{name}_{part}" in parameters:
                yield "parameter", f"{name}_{part}", f"what calibration or prediction adds of parameter {name!r}"
