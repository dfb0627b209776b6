"""A small neural network from features to the unit cube, trained with any differentiable cost of its outputs.

Rectified hidden layers, a sigmoid at the end, dropout (Srivastava et al. 2014), Adam (Kingma & Ba 2015), an L2 penalty on the
weights, mini-batches. Everything is NumPy in float64: at the size used here (two layers of 16) the process model costs more
than the network.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gridcal.errors import ConfigError, InputError

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Loss = Callable[[Array, Rows], tuple[Array, Array]]
"""``loss(unit (m, output), rows (m,)) -> (cost (m,), gradient (m, output))`` of samples `rows`."""


@dataclasses.dataclass(frozen=True)
class NetworkSettings:
    """Architecture and training, with the values of Bao et al. (2023) as defaults.

    Parameters
    ----------
    hidden : tuple of int
        Neurons of each hidden layer.
    epochs : int
        Most passes over the training samples.
    threshold : float
        Stop when the mean cost of an epoch falls below it.
    learning_rate, l2 : float
        Of Adam, and of the penalty on the weights (not on the biases).
    tether : float
        Penalty on the squared distance, in logits, of each output from where training starts, mean over samples: what the
        cost does not know of stays there, where Adam would let it wander.
    batch : int
        Samples of a mini-batch.
    dropout_input, dropout_hidden : float
        Share of inputs and of hidden neurons switched off in training (not stated in the paper; 0.1).
    patience : int, optional
        Early stopping: end when the cost of the validation samples has not fallen for so many epochs, and go back to the
        best. None trains to the end, as the paper does.
    validation_share : float
        Share of the training samples kept for that.

    Raises
    ------
    ConfigError
        If a value is impossible.
    """

    hidden: tuple[int, ...] = (16, 16)
    epochs: int = 2000
    threshold: float = 1e-2
    learning_rate: float = 1e-3
    l2: float = 1e-4
    tether: float = 0.0
    batch: int = 32
    dropout_input: float = 0.1
    dropout_hidden: float = 0.1
    patience: int | None = None
    validation_share: float = 0.2

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(int(n) for n in self.hidden))
        for name in ("epochs", "batch"):
            if getattr(self, name) < 1:
                raise ConfigError(f"network option {name!r} is {getattr(self, name)}", "Give at least 1")
        if any(n < 1 for n in self.hidden):
            raise ConfigError(f"network option 'hidden' is {self.hidden}", "Give layers of at least one neuron")
        for name in ("dropout_input", "dropout_hidden"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f"network option {name!r} is {getattr(self, name)}", "Give a share below 1")
        if self.learning_rate <= 0.0 or self.l2 < 0.0 or self.tether < 0.0:
            raise ConfigError(
                "network option 'learning_rate', 'l2' or 'tether' has the wrong sign", "Give a rate above 0, penalties >= 0"
            )
        if self.patience is not None and (self.patience < 1 or not 0.0 < self.validation_share < 1.0):
            raise ConfigError("early stopping needs a patience of at least 1 and a validation share between 0 and 1")


class Network:
    """Weights of one network.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, neurons of each hidden layer, outputs.

    Attributes
    ----------
    flat : array
        All weights and biases, one behind the other; ``weights`` and ``biases`` are views of it.
    n_weights : int
        How many of them are weights; the biases follow.
    start : array, shape (output,)
        Logits that training starts around.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes = tuple(int(n) for n in sizes)
        pairs = list(zip(self.sizes[:-1], self.sizes[1:], strict=True))
        self.n_weights = sum(a * b for a, b in pairs)
        self.flat = np.zeros(self.n_weights + sum(self.sizes[1:]))
        self.weights, self.biases = self._views(self.flat)
        self.start = np.zeros(self.sizes[-1])

    @classmethod
    def initial(cls, sizes: Sequence[int], rng: np.random.Generator) -> Network:
        """Glorot-normal weights (Glorot & Bengio 2010) and biases of 0."""
        made = cls(sizes)
        for w in made.weights:
            w[:] = rng.normal(0.0, np.sqrt(2.0 / sum(w.shape)), w.shape)
        return made

    def start_at(self, unit: Array) -> None:
        """Let the output bias alone predict `unit`, kept between 0.03 and 0.97, shape (output,)."""
        u = np.clip(unit, 0.03, 0.97)
        self.start = np.log(u / (1.0 - u))
        self.biases[-1][:] = self.start

    def logits(self, x: Array) -> Array:
        """Outputs before the sigmoid, shape (n, output)."""
        return self.activations(x)[-1]

    def predict(self, x: Array) -> Array:
        """Outputs in the unit cube, shape (n, output)."""
        return _sigmoid(self.logits(x))

    def activations(self, x: Array) -> list[Array]:
        """Input, each hidden layer after its rectifier, and the output before the sigmoid."""
        out = [np.asarray(x, dtype=np.float64)]
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = out[-1] @ w + b
            out.append(np.maximum(z, 0.0) if k < len(self.weights) - 1 else z)
        return out

    def forward(self, x: Array, settings: NetworkSettings, rng: np.random.Generator) -> tuple[Array, list[Any]]:
        """Outputs with dropout, and what :meth:`backward` needs."""
        tape = []
        a = x
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            share = settings.dropout_hidden if k else settings.dropout_input
            kept = None
            if share > 0.0:
                kept = (rng.random(a.shape) >= share) / (1.0 - share)
                a = a * kept
            z = a @ w + b
            tape.append((a, kept, z))
            a = np.maximum(z, 0.0) if k < len(self.weights) - 1 else _sigmoid(z)
        return a, tape

    def backward(self, slope: Array, tape: list[Any], l2: float = 0.0, tether: float = 0.0) -> Array:
        """Gradient of a cost with respect to ``flat``, from its gradient `slope` (n, output) in the unit cube; penalties."""
        out = np.empty_like(self.flat)
        weights, biases = self._views(out)
        delta = slope
        for k in range(len(tape) - 1, -1, -1):
            a, _, z = tape[k]
            if k == len(tape) - 1:
                u = _sigmoid(z)
                delta = delta * u * (1.0 - u) + (2.0 * tether / z.shape[0]) * (z - self.start)
            else:
                delta = delta * (z > 0.0)
            weights[k][:] = a.T @ delta
            biases[k][:] = delta.sum(axis=0)
            if k:
                delta = delta @ self.weights[k].T
                kept = tape[k][1]
                if kept is not None:
                    delta = delta * kept
        out[: self.n_weights] += l2 * self.flat[: self.n_weights]
        return out

    def _views(self, flat: Array) -> tuple[list[Array], list[Array]]:
        weights, biases, at = [], [], 0
        for a, b in zip(self.sizes[:-1], self.sizes[1:], strict=True):
            weights.append(flat[at : at + a * b].reshape(a, b))
            at += a * b
        for b in self.sizes[1:]:
            biases.append(flat[at : at + b])
            at += b
        return weights, biases


@dataclasses.dataclass(frozen=True)
class TrainingRecord:
    """What happened in training: mean cost of each epoch, of the validation samples, and why it ended.

    Parameters
    ----------
    cost, validation : array, shape (epoch,)
        NaN without validation samples.
    best : int
        Epoch the weights are those of.
    ended : {"epochs", "threshold", "patience"}
        Why.
    n_failed : int
        Samples whose gradient was not finite, over all epochs; they did not move the weights.
    """

    cost: Array
    validation: Array
    best: int
    ended: str
    n_failed: int


def train(
    network: Network, x: Array, loss: Loss, rows: Rows, settings: NetworkSettings, seed: np.random.SeedSequence
) -> TrainingRecord:
    """Train a network in place.

    Parameters
    ----------
    network : Network
        Start; changed.
    x : array, shape (n, input)
        Encoded features of all samples.
    loss : callable
        Cost and its gradient in the unit cube, sample by sample.
    rows : int array
        The training samples, as indices of `x`.
    settings : NetworkSettings
        How.
    seed : SeedSequence
        Root of shuffles and dropout.

    Returns
    -------
    TrainingRecord
        Costs without the L2 penalty; those of training with dropout on.

    Raises
    ------
    InputError
        If there is no training sample, or features and network do not fit.
    """
    rows = np.asarray(rows, dtype=np.int64)
    if not rows.size or x.shape[1] != network.sizes[0]:
        raise InputError(
            f"{rows.size} training samples of {x.shape[1]} columns for a network of {network.sizes[0]} inputs",
            "Give at least one sample, and one input a column",
        )
    rng = np.random.default_rng(seed)
    inner = np.empty(0, dtype=np.int64)
    if settings.patience is not None:
        shuffled = rng.permutation(rows)
        count = min(max(1, round(settings.validation_share * rows.size)), rows.size - 1)
        inner, rows = np.sort(shuffled[:count]), np.sort(shuffled[count:])
    moment, square = np.zeros_like(network.flat), np.zeros_like(network.flat)
    costs, checks, step, failed = [], [], 0, 0
    best, kept, ended = -1, network.flat.copy(), "epochs"
    for epoch in range(settings.epochs):
        order = rng.permutation(rows)
        total = 0.0
        for first in range(0, order.size, settings.batch):
            batch = order[first : first + settings.batch]
            unit, tape = network.forward(x[batch], settings, rng)
            cost, slope = loss(unit, batch)
            good = np.isfinite(cost) & np.isfinite(slope).all(axis=1)
            failed += int((~good).sum())
            slope = np.where(good[:, None], slope, 0.0) / batch.size
            total += float(np.where(good, cost, 1.0).sum())
            step += 1
            gradient = network.backward(slope, tape, settings.l2, settings.tether)
            moment += 0.1 * (gradient - moment)
            square += 0.001 * (gradient * gradient - square)
            rate = settings.learning_rate / (1.0 - 0.9**step)
            network.flat -= rate * moment / (np.sqrt(square / (1.0 - 0.999**step)) + 1e-8)
        costs.append(total / order.size)
        if inner.size:
            checks.append(float(np.mean(loss(network.predict(x[inner]), inner)[0])))
            if best < 0 or checks[-1] < checks[best]:
                best, kept = epoch, network.flat.copy()
            elif settings.patience is not None and epoch - best >= settings.patience:
                ended = "patience"
                break
        if costs[-1] < settings.threshold:
            ended = "threshold"
            break
    if inner.size:
        network.flat[:] = kept
    else:
        best = len(costs) - 1
    validation = np.array(checks) if checks else np.full(len(costs), np.nan)
    return TrainingRecord(np.array(costs), validation, best, ended, failed)


class NetworkEnsemble:
    """Several networks; their mean in the unit cube is the prediction, their deviation its spread.

    Parameters
    ----------
    members : sequence of Network
        Of one architecture.
    """

    name = "network"

    def __init__(self, members: Sequence[Network]) -> None:
        self.members = list(members)

    def predict(self, x: Array) -> Array:
        """Mean over the members, shape (n, output); a row's value does not depend on the rows beside it."""
        return self.by_member(x).mean(axis=0)

    def spread(self, x: Array) -> Array:
        """Standard deviation over the members, shape (n, output); 0 for a single one."""
        return self.by_member(x).std(axis=0)

    def by_member(self, x: Array) -> Array:
        """Prediction of each member, shape (member, n, output).

        A matrix product may round differently with the number of rows, so rows go through in blocks of one size.
        """
        x = np.asarray(x, dtype=np.float64)
        out = np.empty((len(self.members), x.shape[0], self.members[0].sizes[-1]))
        for first in range(0, x.shape[0], _ROWS):
            part = x[first : first + _ROWS]
            padded = np.zeros((_ROWS, x.shape[1]))
            padded[: part.shape[0]] = part
            for k, member in enumerate(self.members):
                out[k, first : first + _ROWS] = member.predict(padded)[: part.shape[0]]
        return out

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Weights and biases by name: ``member.layer.weight`` (in, out) and ``member.layer.bias`` (out,)."""
        out = {}
        for m, member in enumerate(self.members):
            for k, (w, b) in enumerate(zip(member.weights, member.biases, strict=True)):
                out[f"{m}.{k}.weight"], out[f"{m}.{k}.bias"] = w, b
        return out

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> NetworkEnsemble:
        """Rebuild the ensemble that :meth:`arrays` gave.

        Raises
        ------
        InputError
            If an array is missing.
        """
        members: list[Network] = []
        while f"{len(members)}.0.weight" in arrays:
            m = len(members)
            depth = sum(1 for n in arrays if n.startswith(f"{m}.") and n.endswith(".weight"))
            try:
                weights = [arrays[f"{m}.{k}.weight"] for k in range(depth)]
                biases = [arrays[f"{m}.{k}.bias"] for k in range(depth)]
            except KeyError as error:
                raise InputError(f"the network lacks the array {error}", "Train and save it again") from error
            made = Network([weights[0].shape[0], *(w.shape[1] for w in weights)])
            for mine, theirs in zip((*made.weights, *made.biases), (*weights, *biases), strict=True):
                mine[:] = theirs
            members.append(made)
        if not members:
            raise InputError("the file holds no network", "Train and save it again")
        return cls(members)


_ROWS = 256


def _sigmoid(z: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(z, -500.0, 500.0))))
