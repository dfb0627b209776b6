import dataclasses

import numpy as np
import pytest

import gridcal as gc
import gridcal.process.model as model_module
from gridcal.errors import ModelError
from gridcal.kernels.lanes.lane_loops import Rows, compile_lanes, lane_source
from gridcal.kernels.lanes.schedule import Accumulate, Clear, Layers, Repeat, WhereAny, interpret, steps_of
from gridcal.kernels.lanes.schedule_loops import schedule_source
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


def gain(share):
    """Two makers of processes: each makes one called `step`."""

    def step(x1, pr):
        x1 = x1 + share * pr
        return x1

    return step


def taking(share):
    def step(x1, pr):
        x1 = x1 - share * pr
        taken = share * pr
        return x1, taken

    return step


def layered(share):
    def step(x_k, k):
        x_k = x_k + share * k
        return x_k

    return step


def step(x1):
    top = 10.0 * x1
    return top


def named_like_the_loops(pr, x1, weight1):
    B = pr + 1.0
    W = 2.0
    ROWS = 3.0
    _i = 4.0
    _c = 5.0
    _k = 6.0
    range = 7.0
    float = 8.0
    top = B + W + ROWS + _i + _c + _k + range + float + 0.0 * x1 + weight1
    return top


NAMES = Rows(("k",), ("pr",), (), ("x1", "x2", "x3"), ())


def test_processes_of_one_name_all_run():
    processes = (gain(1.0), gain(0.5), taking(0.25), Layers(layered(2.0), 1, 3), Layers(layered(3.0), 1, 3), step)
    model = dataclasses.replace(toy(), name="same", processes=processes, outputs={"top": "mm", "taken": "mm"}, extra_outputs={})
    (top, taken), state = model.run(np.full((1, 2), 0.5), [np.full((1, 2), 8.0)])
    assert taken[0].tolist() == [2.0, 2.0]
    assert state[:, 0].tolist() == [8.0 + 4.0 - 2.0 + 2.5, 2.5, 2.5]
    assert top[0, 0] == 125.0


def test_processes_of_one_name_all_run_in_plain_lanes():
    table = Rows((), ("pr",), (), ("x1",), ("top", "taken"))
    module = compile_lanes("same", (gain(1.0), gain(0.5), taking(0.25), step), table, 8)
    state, out = np.zeros((1, 1)), np.empty((2, 1, 1))
    module.run(np.empty((0, 1)), np.empty((0, 1)), state, out, np.full((1, 1), 8.0))
    assert out[:, 0, 0].tolist() == [100.0, 2.0]
    assert state[0, 0] == 10.0


def test_one_process_in_two_places_is_written_once():
    one = gain(1.0)
    source, _, _ = schedule_source((), (one, Repeat(2, (one,))), NAMES, 8, {}, 1)
    assert source.count("def l_step") == 1
    source, _ = lane_source((one, one), NAMES._replace(state=("x1",), outputs=("x1",)), 8)
    assert source.count("def s_step") == 1


def test_local_variables_may_be_called_what_the_loops_call_theirs():
    model = dataclasses.replace(
        toy(), name="local", processes=(Repeat(1, (named_like_the_loops,)),), outputs={"top": "mm"}, extra_outputs={},
        constants={"weight": (9.0,)}, parameters=ParameterTable(()), state=(State("x1", "mm", "water"),),
    )  # fmt: skip
    (top,), _ = model.run(np.empty((0, 1)), [np.zeros((1, 1))])
    assert top[0, 0] == 1.0 + 2.0 + 3.0 + 4.0 + 5.0 + 6.0 + 7.0 + 8.0 + 9.0
    values = {"pr": 0.0, "x1": 0.0}
    interpret(model.processes, values, model.constants)
    assert values["top"] == 45.0


B, i, c, k, C_hdepth, T_weight, N = 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0


def from_globals(x_k, hdepth_k, weight):
    x_k = B + i + c + k + C_hdepth + T_weight + N + hdepth_k + 0.0 * x_k + weight
    return x_k


def test_constants_may_be_called_what_the_loops_call_theirs():
    model = dataclasses.replace(
        toy(), name="global", processes=(Repeat(1, (Layers(from_globals, 1, 3),), tables={"weight": (0.125,)}), counted_rain),
        outputs={"top": "mm"}, extra_outputs={}, parameters=ParameterTable(()),
    )  # fmt: skip
    (top,), state = model.run(np.empty((0, 1)), [np.zeros((1, 1))])
    assert state[:, 0].tolist() == [128.125, 127.625, 127.375]
    assert top[0, 0] == 128.125


def counted_rain(x1, pr):
    top = x1 + pr
    return top


def test_tables_of_one_name_keep_their_numbers():
    processes = (
        Repeat(2, (rain,), tables={"weight": (1.0, 2.0)}),
        Repeat(2, (rain,), tables={"weight": (10.0, 20.0)}),
        WhereAny("x1", ()),
        Clear(()),
        Accumulate(()),
    )
    model = dataclasses.replace(
        toy(), name="tables", processes=processes, outputs={"top": "mm"}, extra_outputs={}, parameters=ParameterTable(())
    )
    (top,), _ = model.run(np.empty((0, 1)), [np.ones((1, 1))])
    assert top[0, 0] == 33.0


def deep(x_k, x1_k):
    x_k = x_k + 1.0
    x1_k = x1_k + 1.0
    return x_k, x1_k


@pytest.mark.parametrize(
    ("processes", "constants", "message"),
    [
        ((Repeat(2, (rain,), tables={"weight": (1.0,)}),), {}, "'weight' has 1 numbers for 2 passes"),
        ((Layers(deep, 1, 11),), {}, "both called 'x1"),
        ((gain(1.0),), {"x": (1.0, 2.0)}, "'x1' is a row of the model and a number of its constants 'x'"),
    ],
)
def test_names_that_mean_two_things_are_refused(processes, constants, message):
    with pytest.raises(ModelError, match=message):
        schedule_source((), processes, NAMES._replace(state=()), 8, constants, 1)


def test_layers_are_counted_from_one():
    with pytest.raises(ModelError, match="'flow' runs over layers 0 to 2"):
        Layers(flow, 0, 2)


def test_the_plain_interpreter_gives_every_recorded_pass():
    model = toy(steps=4, results=4)
    pr = np.arange(4.0).reshape(4, 1)
    (top,), _ = model.run(np.full((1, 1), 0.2), [pr], outputs=("top",))
    values, hours = {"x1": 0.0, "x2": 0.0, "x3": 0.0, "k": 0.2, "pr": 0.0}, []
    interpret(model.processes, values, model.constants, [{"pr": x} for x in pr[:, 0]], hours)
    assert [h["top"] for h in hours] == pytest.approx(top[:, 0].tolist(), rel=1e-14)
