import numpy as np
import pytest

import gridcal as gc
import gridcal.process.model as model_module
from gridcal.errors import ModelError
from gridcal.kernels.lanes.schedule import Accumulate, Clear, Layers, Repeat, WhereAny, interpret, steps_of
from gridcal.process.model import ProcessModel, State
from gridcal.process.parameters import Parameter, ParameterTable

TABLE = ParameterTable((Parameter("k", 0.1, 0.0, 1.0, "1", "share that moves", "made up"),))


def flow(x_k, x_below, k, hdepth_k):
    moved = k * x_k * hdepth_k
    x_k = x_k - moved
    x_below = x_below + moved
    return x_k, x_below


def rise(x_k, x_above, k):
    moved = 0.5 * k * x_k
    x_k = x_k - moved
    x_above = x_above + moved
    return x_k, x_above


def rain(x1, pr, weight):
    x1 = x1 + pr * weight
    top = x1
    return x1, top


def halve(left):
    left = left - 1.0
    return left


def countdown(pr):
    left = pr
    passes = 0.0
    return left, passes


def counted(passes):
    passes = passes + 1.0
    return passes


SCHEDULE = (
    Clear(("total",)),
    Repeat(
        4,
        (
            rain,
            Layers(flow, 1, 2),
            Layers(rise, 3, 2),
            Accumulate((("total", "top", 0.25),)),
        ),
        tables={"weight": (0.1, 0.2, 0.3, 0.4)},
    ),
    countdown,
    WhereAny("left", (Repeat(5, (halve, counted), while_any="left"),)),
)


def toy(steps=1, results=1):
    body = SCHEDULE
    if steps > 1:
        body = (Clear(("total",)), Repeat(steps, (rain_plain, *SCHEDULE[1].body[1:]), forcing=True, record=results > 1))
    return ProcessModel(
        name=f"toy{steps}{results}",
        title="water moving through three layers",
        source="made up",
        version=1,
        forcing=("pr",),
        site={},
        parameters=TABLE,
        state=tuple(State(f"x{j}", "mm", "water") for j in (1, 2, 3)),
        outputs={"total": "mm"},
        extra_outputs={"passes": "1"},
        processes=body,
        constants={"hdepth": (1.0, 0.5, 0.25)},
        steps=steps,
        results=results,
        width=8,
    )


def rain_plain(x1, pr):
    x1 = x1 + pr
    top = x1
    return x1, top


def test_lanes_agree_with_the_plain_interpreter():
    model = toy()
    rng = np.random.default_rng(0)
    pr = rng.integers(0, 4, (7, 5)).astype(float)
    theta = rng.uniform(0.05, 0.5, (1, 5))
    (total,), state = model.run(theta, [pr])
    for lane in range(5):
        values = {"x1": 0.0, "x2": 0.0, "x3": 0.0, "k": theta[0, lane]}
        for day in range(7):
            values["pr"] = pr[day, lane]
            interpret(model.processes, values, model.constants)
            assert total[day, lane] == pytest.approx(values["total"], rel=1e-14)
        assert state[:, lane] == pytest.approx([values[f"x{j}"] for j in (1, 2, 3)], rel=1e-14)


def test_water_is_conserved_over_layers_and_tables():
    pr = np.full((3, 4), 2.0)
    _, state = toy().run(np.full((1, 4), 0.3), [pr])
    assert state.sum(axis=0) == pytest.approx(6.0, rel=1e-14)


def test_a_loop_stops_when_no_lane_needs_it():
    (passes,), _ = toy().run(np.full((1, 2), 0.3), [np.array([[0.0, 0.0], [3.0, 1.0], [9.0, 0.0]])], outputs=("passes",))
    assert passes.tolist() == [[0.0, 0.0], [3.0, 3.0], [5.0, 5.0]]


def test_any_row_can_be_recorded_without_declaring_it():
    (top, x2), _ = toy().run(np.full((1, 1), 0.3), [np.ones((2, 1))], outputs=("top", "x2"))
    assert top.shape == x2.shape == (2, 1)
    with pytest.raises(ModelError, match="no output 'tpo'"):
        toy().run(np.full((1, 1), 0.3), [np.ones((2, 1))], outputs=("tpo",))


def test_forcing_of_each_pass_and_results_of_each_pass():
    pr = np.arange(12.0).reshape(12, 1)
    daily, end = toy(steps=4).run(np.full((1, 1), 0.2), [pr])
    hourly, same = toy(steps=4, results=4).run(np.full((1, 1), 0.2), [pr], outputs=("top",))
    assert daily[0].shape == (3, 1)
    assert hourly[0].shape == (12, 1)
    assert daily[0][:, 0] == pytest.approx(hourly[0].reshape(3, 4).sum(axis=1) * 0.25)
    assert np.array_equal(end, same)


def test_read_only_and_transposed_inputs_compile_nothing_anew():
    model = toy()
    rng = np.random.default_rng(1)
    theta, pr = rng.uniform(0.05, 0.5, (1, 6)), rng.uniform(0.0, 4.0, (7, 6))
    (expected,), end = model.run(theta, [pr])
    module = model_module._compiled_schedule(
        model.name, model.setup, model.processes, model._rows(()), model.width, tuple(model.constants.items()), model.steps
    )
    count = len(module.run.signatures)
    frozen = pr.copy()
    frozen.flags.writeable = False
    column = np.broadcast_to(theta[:, :1], (1, 6))
    for th, x in ((theta, frozen), (np.asfortranarray(theta), np.asfortranarray(pr)), (theta[:, ::-1], pr[:, ::-1])):
        (found,), state = model.run(th, [x], state=np.zeros((3, 6)))
        back = slice(None, None, -1) if th.strides[1] < 0 else slice(None)
        assert np.array_equal(found[:, back], expected)
        assert np.array_equal(state[:, back], end)
    model.run(column, [pr.astype(np.float32)])
    assert len(module.run.signatures) == count == 1


def test_rows_of_forcing_must_make_whole_days():
    with pytest.raises(ModelError, match="no whole number of days"):
        toy(steps=4).run(np.full((1, 1), 0.2), [np.ones((5, 1))])


def test_steps_name_the_rows_of_each_layer():
    names = [reads for name, reads, _ in steps_of((Layers(rise, 3, 2),))]
    assert names == [["x3", "x2", "k"], ["x2", "x1", "k"]]


def test_a_row_that_nothing_writes_is_named():
    with pytest.raises(ModelError, match="reads 'x1', which no table declares"):
        ProcessModel("bad", "t", "s", 1, (), {}, TABLE, (), {"top": "1"}, (Repeat(2, (rain_plain,)),))


def test_spin_up_is_offered_at_the_top():
    assert callable(gc.spin_up)
