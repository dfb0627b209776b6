"""The small network: gradients, training, dropout, early stopping, storage."""

import numpy as np
import pytest

from gridcal.errors import ConfigError, InputError
from gridcal.extrapolation.spie.network import Network, NetworkEnsemble, NetworkSettings, train
from gridcal.extrapolation.spie.tensor_file import dump_tensors, load_tensors

PLAIN = NetworkSettings(dropout_input=0.0, dropout_hidden=0.0, epochs=300, threshold=0.0)


def network(seed=0, sizes=(5, 16, 16, 3)):
    return Network.initial(sizes, np.random.default_rng(seed))


def squares(target):
    def loss(unit, rows):
        error = unit - target[rows]
        return (error**2).mean(axis=1), 2.0 * error / error.shape[1]

    return loss


def test_backward_agrees_with_differences():
    rng = np.random.default_rng(1)
    net, x, target = network(), rng.normal(size=(7, 5)), rng.random((7, 3))
    net.biases[0][:] = rng.normal(size=16) * 0.1
    net.start_at(np.array([0.2, 0.5, 0.9]))

    def cost(flat):
        net.flat[:] = flat
        away = 0.1 * ((net.logits(x) - net.start) ** 2).sum() / 7
        return float(((net.predict(x) - target) ** 2).sum() + 0.5e-2 * (net.flat[: net.n_weights] ** 2).sum() + away)

    start = net.flat.copy()
    unit, tape = net.forward(x, PLAIN, rng)
    gradient = net.backward(2.0 * (unit - target), tape, l2=1e-2, tether=0.1)
    step = 1e-6
    for k in range(0, start.size, 7):
        up, down = start.copy(), start.copy()
        up[k] += step
        down[k] -= step
        assert gradient[k] == pytest.approx((cost(up) - cost(down)) / (2 * step), rel=1e-5, abs=1e-8)


def test_dropout_keeps_the_expected_input():
    rng = np.random.default_rng(2)
    net = Network((4, 2))
    net.weights[0][:] = 0.3
    settings = NetworkSettings(hidden=(), dropout_input=0.4)
    tape = net.forward(np.ones((200_000, 4)), settings, rng)[1]
    assert tape[0][0].mean() == pytest.approx(1.0, abs=0.01)
    assert set(np.unique(tape[0][0])) == {0.0, 1.0 / 0.6}


def test_an_output_the_cost_does_not_know_stays_at_the_start():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(60, 5))
    target = 1.0 / (1.0 + np.exp(-x[:, :3]))

    def loss(unit, rows):  # of the last output nothing is known but noise
        error = unit - target[rows]
        error[:, 2] = 1e-6 * (1.0 + rng.normal(size=rows.size))
        return (error**2).mean(axis=1), 2.0 * error / 3.0

    found = []
    for tether in (0.0, 1e-3):
        net = network(4)
        net.start_at(np.full(3, 0.3))
        settings = NetworkSettings(dropout_input=0.0, dropout_hidden=0.0, epochs=300, threshold=0.0, tether=tether)
        train(net, x, loss, np.arange(60), settings, np.random.SeedSequence(2))
        unit = net.predict(x)
        found.append((np.abs(unit[:, 2] - 0.3).mean(), np.abs(unit - target)[:, :2].mean()))
    assert found[1][0] < 0.03 < 0.06 < found[0][0]
    assert found[1][1] < 0.05


def test_learns_a_function_and_depends_on_the_seed_alone():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(120, 5))
    target = 1.0 / (1.0 + np.exp(-np.stack([x[:, 0], x[:, 1] * 0.5, -x[:, 2]], axis=1)))
    results = []
    for _ in range(2):
        net = network(4)
        record = train(net, x, squares(target), np.arange(120), PLAIN, np.random.SeedSequence(5))
        results.append(net.flat.copy())
    assert record.cost[-1] < 0.05 * record.cost[0]
    assert record.ended == "epochs"
    np.testing.assert_array_equal(results[0], results[1])


def test_only_training_rows_are_read():
    rng = np.random.default_rng(6)
    x, target = rng.normal(size=(40, 5)), rng.random((40, 3))
    first, second = network(), network()
    rows = np.arange(0, 40, 2)
    train(first, x, squares(target), rows, PLAIN, np.random.SeedSequence(1))
    x[1::2], target[1::2] = np.nan, np.nan
    train(second, x, squares(target), rows, PLAIN, np.random.SeedSequence(1))
    np.testing.assert_array_equal(first.flat, second.flat)


def test_threshold_and_patience_end_the_training():
    rng = np.random.default_rng(7)
    x, target = rng.normal(size=(60, 5)), rng.random((60, 3))
    soon = train(network(), x, squares(target), np.arange(60), NetworkSettings(threshold=1.0), np.random.SeedSequence(1))
    assert (soon.ended, soon.cost.size) == ("threshold", 1)
    net = network()
    settings = NetworkSettings(epochs=2000, threshold=0.0, patience=20, learning_rate=1e-2)
    record = train(net, x, squares(target), np.arange(60), settings, np.random.SeedSequence(1))
    assert record.ended == "patience"
    assert record.best == np.argmin(record.validation)
    assert record.cost.size == record.best + 21


def test_a_gradient_that_is_not_finite_does_not_move_the_weights():
    rng = np.random.default_rng(8)
    x, target = rng.normal(size=(30, 5)), rng.random((30, 3))
    broken = target.copy()
    broken[4] = np.nan
    first, second = network(), network()
    record = train(first, x, squares(broken), np.arange(30), PLAIN, np.random.SeedSequence(1))
    assert record.n_failed == PLAIN.epochs
    assert np.isfinite(first.flat).all()
    still = squares(target)

    def zeroed(unit, rows):
        cost, slope = still(unit, rows)
        slope[rows == 4] = 0.0
        return cost, slope

    train(second, x, zeroed, np.arange(30), PLAIN, np.random.SeedSequence(1))
    np.testing.assert_array_equal(first.flat, second.flat)


def test_output_bias_starts_where_it_is_told():
    net = Network((4, 6, 3))
    net.start_at(np.array([0.2, 0.99, 0.5]))
    np.testing.assert_allclose(net.predict(np.ones((1, 4))), [[0.2, 0.97, 0.5]])


def test_ensemble_averages_in_the_unit_cube_whatever_rows_stand_beside():
    members = [network(k) for k in range(3)]
    ensemble = NetworkEnsemble(members)
    x = np.random.default_rng(9).normal(size=(700, 5))
    expected = np.stack([m.predict(x) for m in members])
    np.testing.assert_allclose(ensemble.predict(x), expected.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(ensemble.spread(x), expected.std(axis=0), atol=1e-12)
    np.testing.assert_array_equal(ensemble.predict(x)[301:305], ensemble.predict(x[301:305]))


def test_tensors_come_back_and_other_readers_understand_them():
    arrays = NetworkEnsemble([network(1), network(2)]).arrays() | {"n": np.array(7), "flags": np.array([True, False])}
    data = dump_tensors(arrays, {"made": "by a test"})
    back, metadata = load_tensors(data)
    assert metadata == {"made": "by a test"}
    assert set(back) == set(arrays)
    for name, x in arrays.items():
        np.testing.assert_array_equal(back[name], x)
    again = NetworkEnsemble.from_arrays(back)
    x = np.random.default_rng(1).normal(size=(4, 5))
    np.testing.assert_array_equal(again.predict(x), NetworkEnsemble([network(1), network(2)]).predict(x))
    numpy_reader = pytest.importorskip("safetensors.numpy")
    theirs = numpy_reader.load(data)
    for name, x in arrays.items():
        np.testing.assert_array_equal(theirs[name], x)


@pytest.mark.parametrize("cut", [4, 40, -8])
def test_damaged_tensors_are_an_error(cut):
    with pytest.raises(InputError, match="safetensors"):
        load_tensors(dump_tensors({"a": np.arange(9.0)})[:cut])


def test_impossible_settings_are_named():
    with pytest.raises(ConfigError, match="dropout_input"):
        NetworkSettings(dropout_input=1.0)
    with pytest.raises(ConfigError, match="epochs"):
        NetworkSettings(epochs=0)
    with pytest.raises(ConfigError, match="patience"):
        NetworkSettings(patience=0)
