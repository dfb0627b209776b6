import importlib.util
import math
import re

import numpy as np
import pytest

from gridcal.errors import ModelError
from gridcal.kernels.elementary import vacos, vexp, vlog, vsin
from gridcal.kernels.jit import kernel
from gridcal.kernels.lanes.lane_loops import Rows, compile_lanes, lane_source, plan, read_write

FACTOR = 3.0


def decay(stock, rate, inflow):
    left = stock * vexp(-rate)
    stock = left + FACTOR * inflow
    return stock


def loss(stock, rate):
    respired = stock * rate
    return respired


ROWS = Rows(("rate",), ("inflow",), (), ("stock",), ("respired", "stock"))


@kernel
def exp_of(x, out):
    for i in range(x.size):
        out[i] = vexp(x[i])


@kernel
def log_of(x, out):
    for i in range(x.size):
        out[i] = vlog(x[i])


def test_vexp_agrees_with_the_library_to_rounding():
    x = np.linspace(-700.0, 700.0, 20001)
    out = np.empty_like(x)
    exp_of(x, out)
    np.testing.assert_allclose(out, np.exp(x), rtol=5e-16 * 2)


def test_vlog_agrees_with_the_library_to_rounding():
    x = np.concatenate([np.geomspace(1e-300, 1e300, 20001), np.linspace(0.9, 1.1, 2001)])
    out = np.empty_like(x)
    log_of(x, out)
    np.testing.assert_allclose(out, np.log(x), rtol=4e-16, atol=1e-17)


@pytest.mark.parametrize("function", [exp_of, log_of])
def test_not_a_number_stays_one_whatever_its_sign_and_payload(function):
    # 0 / 0 of the processor has the sign set, numpy's nan has not
    bits = np.array([0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8123456789ABC, 0xFFFFFFFFFFFFFFFF] * 4, dtype=np.uint64)
    out = np.empty(bits.size)
    function(bits.view(np.float64), out)
    assert np.isnan(out).all()


@kernel
def sine_of(x, out):
    for i in range(x.size):
        out[i] = vsin(x[i])


@kernel
def angle_of(x, out):
    for i in range(x.size):
        out[i] = vacos(x[i])


def test_vsin_agrees_with_the_library_to_rounding():
    x = np.concatenate([np.linspace(-400.0, 400.0, 20001), np.linspace(-1e5, 1e5, 2001), np.linspace(-1e-3, 1e-3, 101)])
    out = np.empty_like(x)
    sine_of(x, out)
    np.testing.assert_allclose(out, np.sin(x), rtol=0.0, atol=3e-16)


def test_vacos_agrees_with_the_library_to_rounding():
    x = np.concatenate([np.linspace(-1.0, 1.0, 20001), [-0.5, 0.5, 0.0]])
    out = np.empty_like(x)
    angle_of(x, out)
    np.testing.assert_allclose(out, np.arccos(x), rtol=0.0, atol=1e-15)
    assert out[20000] == 0.0


def steepness(rate):
    slope = 2.0 * rate
    return slope


def place_of(lat):
    tilt = 0.5 * lat
    return tilt


def light(sun, tilt):
    beam = sun * tilt
    return beam


def growth(stock, slope, beam):
    gained = slope * beam
    stock = stock + gained
    return stock, gained


def remark(gained, rate):
    rich = gained * rate
    return rich


def test_processes_run_no_more_often_than_they_must():
    rows = Rows(("rate",), ("sun",), ("lat",), ("stock",), ("gained",))
    processes = (steepness, place_of, light, growth, remark)
    stages = {s.process.__name__: s.stage for s in plan(processes, rows)}
    assert stages == {"steepness": "fixed", "place_of": "place", "light": "weather", "growth": "daily"}
    module = compile_lanes("staged", processes, rows, 8)
    rng = np.random.default_rng(0)
    n, days = 19, 21
    rate, lat, sun = rng.uniform(1.0, 2.0, (1, n)), rng.uniform(1.0, 2.0, (1, n)), rng.uniform(1.0, 2.0, (days, n))
    for place, forcing in ((lat, sun), (lat, sun[:, :1]), (lat * 0.0 + 3.0, sun[:, :1]), (lat * 0.0 + 3.0, sun)):
        state, out = np.full((1, n), 5.0), np.empty((1, days, n))
        module.run(rate, place, state, out, np.ascontiguousarray(forcing))
        np.testing.assert_allclose(out[0], 2.0 * rate * forcing * 0.5 * place, rtol=1e-15)
        np.testing.assert_allclose(state[0], 5.0 + out[0].sum(axis=0), rtol=1e-14)


def test_a_name_in_two_tables_is_an_error_that_names_it():
    with pytest.raises(ModelError, match="'rate' stands in two tables"):
        compile_lanes("twice", (decay, loss), ROWS._replace(site=("rate",)), 8)


def test_a_gap_in_shared_forcing_is_a_gap_in_every_lane_from_then_on():
    module = compile_lanes("decaying", (decay, loss), ROWS, 8)
    inflow = np.ones((20, 1))
    inflow[11] = np.nan
    state, out = np.full((1, 9), 5.0), np.empty((2, 20, 9))
    module.run(np.full((1, 9), 0.1), np.empty((0, 9)), state, out, inflow)
    assert np.isfinite(out[:, :11]).all()
    assert np.isnan(out[:, 11:]).all()
    assert np.isnan(state).all()


def test_processes_name_what_they_read_and_write():
    assert read_write(decay) == (["stock", "rate", "inflow"], ["stock"])


def test_lane_loops_equal_plain_python_at_every_block_shape():
    module = compile_lanes("decaying", (decay, loss), ROWS, 8)
    for n in (1, 7, 8, 9, 20):
        rng = np.random.default_rng(n)
        theta, inflow = rng.uniform(0.01, 0.5, (1, n)), rng.uniform(0.0, 2.0, (30, n))
        state = np.full((1, n), 5.0)
        respired, stock = out = np.empty((2, 30, n))
        module.run(theta, np.empty((0, n)), state, out, inflow)
        for i in range(n):
            x = 5.0
            for t in range(30):
                x = x * math.exp(-theta[0, i]) + 3.0 * inflow[t, i]
                assert stock[t, i] == pytest.approx(x, rel=1e-12)
                assert respired[t, i] == pytest.approx(x * theta[0, i], rel=1e-12)
        np.testing.assert_array_equal(state[0], stock[-1])


def test_a_missing_name_is_an_error_that_names_it():
    with pytest.raises(ModelError, match=r"'decay' reads 'rate'"):
        compile_lanes("broken", (decay,), ROWS._replace(parameters=()), 8)


def test_an_output_nobody_writes_is_an_error_that_names_it():
    with pytest.raises(ModelError, match=r"output 'gpp'"):
        compile_lanes("broken", (decay, loss), ROWS._replace(outputs=("gpp",)), 8)


def test_an_input_nobody_reads_is_an_error_that_names_it():
    with pytest.raises(ModelError, match=r"no process reads 'slope'"):
        compile_lanes("broken", (decay, loss), ROWS._replace(parameters=("rate", "slope")), 8)


def test_a_process_may_not_write_an_input():
    def wrong(rate):
        rate = rate + 1.0
        return rate

    with pytest.raises(ModelError, match="is an input"):
        compile_lanes("broken", (wrong,), ROWS, 8)


def test_a_process_returns_plain_names():
    def wrong(rate):
        return rate + 1.0

    with pytest.raises(ModelError, match="returns an expression"):
        read_write(wrong)


def test_constants_and_helpers_are_written_into_the_generated_file():
    source, _ = lane_source((decay, loss), ROWS, 8)
    assert "FACTOR = 3.0" in source
    assert "def _gc_vexp(x):" in source
    assert re.search(r"from gridcal\.kernels\.elementary import as_float as \w+  # [0-9a-f]{64}", source)


def test_one_global_name_may_mean_two_things(tmp_path):
    def process(stem, factor, reads, writes):
        file = tmp_path / f"{stem}.py"
        file.write_text(f"FACTOR = {factor}\n\n\ndef {stem}({reads}):\n    {writes} = FACTOR * {reads}\n    return {writes}\n")
        spec = importlib.util.spec_from_file_location(stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return getattr(module, stem)

    rows = Rows((), ("x",), (), (), ("z",))
    first = process("first", 2.0, "x", "y")
    source, _ = lane_source((first, process("second", 2.0, "y", "z")), rows, 8)
    assert source.count("FACTOR = 2.0") == 1
    module = compile_lanes("both", (first, process("third", 3.0, "y", "z")), rows, 8)
    out = np.empty((1, 1, 1))
    module.run(np.empty((0, 1)), np.empty((0, 1)), np.empty((0, 1)), out, np.ones((1, 1)))
    assert out[0, 0, 0] == 6.0


@pytest.mark.parametrize("shared", [False, True])
def test_many_blocks_that_take_turns_give_the_bits_of_one_lane_alone(shared):
    module = compile_lanes("decaying", (decay, loss), ROWS, 8)
    rng = np.random.default_rng(5)
    n, days = 141, 29  # three rounds of eight blocks, the last not full; a span of days that is cut short
    theta, state = rng.uniform(0.01, 0.2, (1, n)), rng.uniform(1.0, 50.0, (1, n))
    inflow = rng.random((days, 1 if shared else n))
    inflow[11, 0] = np.nan
    out, end = np.empty((2, days, n)), state.copy()
    module.run(theta, np.empty((0, n)), end, out, inflow)
    for k in (0, 7, 8, 63, 64, 100, 127, 128, 140):
        one, last = np.empty((2, days, 1)), state[:, [k]].copy()
        module.run(theta[:, [k]].copy(), np.empty((0, 1)), last, one, inflow if shared else inflow[:, [k]].copy())
        np.testing.assert_array_equal(one[:, :, 0], out[:, :, k])
        np.testing.assert_array_equal(last[:, 0], end[:, k])
    assert np.isnan(out[:, 11:, 0]).all()
    assert np.isfinite(out[:, :11]).all()
