import math
import re

import numpy as np
import pytest

from gridcal.errors import ModelError
from gridcal.kernels.elementary import vexp, vlog
from gridcal.kernels.jit import kernel
from gridcal.kernels.lanes import Rows, compile_lanes, lane_source, read_write

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


def test_processes_name_what_they_read_and_write():
    assert read_write(decay) == (["stock", "rate", "inflow"], ["stock"])


def test_lane_loops_equal_plain_python_at_every_block_shape():
    module = compile_lanes("decaying", (decay, loss), ROWS, 8)
    for n in (1, 7, 8, 9, 20):
        rng = np.random.default_rng(n)
        theta, inflow = rng.uniform(0.01, 0.5, (1, n)), rng.uniform(0.0, 2.0, (30, n))
        state = np.full((1, n), 5.0)
        respired, stock = np.empty((30, n)), np.empty((30, n))
        module.run(theta, np.empty((0, n)), state, inflow, respired, stock)
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


def test_constants_are_written_into_the_generated_file_and_its_name():
    source, _ = lane_source((decay, loss), ROWS, 8)
    assert "FACTOR = 3.0" in source
    assert re.search(r"from gridcal\.kernels\.elementary import vexp", source)
