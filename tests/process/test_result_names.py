import numpy as np
import pytest

from gridcal.calibration import CMAES, MASM
from gridcal.calibration.layout import Layout
from gridcal.calibration.target import Block, Target
from gridcal.errors import ModelError
from gridcal.extrapolation.learners.extrapolator import Extrapolator
from gridcal.models import model_named, model_names
from gridcal.models.lue import lue
from gridcal.process.model import ProcessModel
from gridcal.process.parameters import Parameter, ParameterTable
from gridcal.process.result_names import DIMENSIONS, OF_A_CALIBRATION, OF_A_MAP, OF_A_PARAMETER, check_names
from gridcal.synthetic.region import twin


def warm(tas, rate, base):
    gpp = rate * max(tas - base, 0.0)
    return gpp


def renamed(tas, status, base):
    gpp = status * max(tas - base, 0.0)
    return gpp


def uncertain(tas, k, k_sd):
    gpp = k * max(tas - k_sd, 0.0)
    return gpp


def declared(process, first, second, **changes):
    """A model with two parameters of these names."""
    table = ParameterTable(
        (
            Parameter(first, 0.5, 0.0, 1.0, "gC m-2 d-1 degC-1", "slope", "test"),
            Parameter(second, 0.0, -5.0, 8.0, "degC", "base", "test"),
        )
    )
    values = {"forcing": ("tas",), "site": {}, "state": (), "outputs": {"gpp": "gC m-2 d-1"}, "processes": (process,)}
    return ProcessModel(name="own", title="own", source="test", version=1, parameters=table, **(values | changes))


@pytest.mark.parametrize("name", sorted({*DIMENSIONS, *OF_A_CALIBRATION, *OF_A_MAP}))
def test_a_parameter_called_like_a_variable_or_dimension_of_results_is_refused(name):
    with pytest.raises(ModelError, match=f"parameter '{name}' is called like the .*'{name}'.*Rename it"):
        check_names("own", ("k", name), (), ("gpp",))


@pytest.mark.parametrize("part", OF_A_PARAMETER)
def test_a_parameter_called_like_another_and_an_ending_is_refused(part):
    with pytest.raises(ModelError, match=f"'k_{part}' .*of parameter 'k'. Rename it"):
        check_names("own", (f"k_{part}", "k"), (), ("gpp",))
    check_names("own", ("rate", f"k_{part}"), (), ("gpp",))


@pytest.mark.parametrize("name", sorted(DIMENSIONS))
def test_an_output_or_state_called_like_a_dimension_is_refused(name):
    with pytest.raises(ModelError, match=f"output '{name}'"):
        check_names("own", ("k",), (), ("gpp", name))
    with pytest.raises(ModelError, match=f"state '{name}'"):
        check_names("own", ("k",), (name,), ("gpp",))


def test_a_state_called_like_what_a_steady_state_adds_is_refused():
    with pytest.raises(ModelError, match="state 'spin_up_years'"):
        check_names("own", ("k",), ("spin_up_years",), ("gpp",))


def test_names_are_looked_at_when_a_model_is_declared():
    with pytest.raises(ModelError, match=r"parameter 'status' .* Rename it"):
        declared(renamed, "status", "base")
    with pytest.raises(ModelError, match=r"parameter 'k_sd' .* Rename it"):
        declared(uncertain, "k", "k_sd")
    with pytest.raises(ModelError, match="output 'lat'"):
        declared(warm, "rate", "base", extra_outputs={"lat": "1"})


def test_other_names_are_free():
    assert declared(warm, "rate", "base").parameters.names == ("rate", "base")
    check_names("own", ("nan", "theta", "sd", "median", "n", "b"), ("stock",), ("gpp", "k_sd", "nse"))


@pytest.mark.parametrize("name", model_names())
def test_shipped_models_keep_their_names(name):
    model = model_named(name)
    check_names(model.name, model.parameters.names, tuple(s.name for s in model.state), (*model.outputs, *model.extra_outputs))


@pytest.mark.parametrize("method", [MASM(), CMAES()])
def test_a_calibration_writes_no_name_that_is_not_reserved(method):
    layout = Layout(lue, (Block(fit=("eps_max", "Topt"), to=Target("gpp")),), method, timing=True)
    names = lue.parameters.names
    endings = {f"{n}_{part}" for n in names for part in OF_A_PARAMETER}
    assert set(layout.variables()) <= {*names, *endings, *OF_A_CALIBRATION}
    assert set(layout.sizes) <= set(DIMENSIONS)


def test_a_prediction_writes_no_name_that_is_not_reserved():
    rng = np.random.default_rng(1)
    cube = twin(4, 6, years=1).cube
    features = cube.features.compute()
    theta = features[[next(iter(features))]].rename({next(iter(features)): "eps_max"})
    theta["eps_max"] = theta.eps_max * 0.0 + rng.uniform(1.0, 2.0, theta.eps_max.shape)
    learner = Extrapolator("linear").fit(theta.drop_attrs(), features)
    assert set(learner.predict(features).data_vars) <= {"eps_max", *OF_A_MAP}
    assert set(learner.cv_.coords) <= {*DIMENSIONS, *theta.coords}
