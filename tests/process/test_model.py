import dataclasses

import numpy as np
import pytest

from gridcal.errors import ModelError
from gridcal.models import model_named, model_names
from gridcal.models.lue import lue
from gridcal.process.conformance import check_model
from gridcal.process.model import ProcessModel, State
from gridcal.process.parameters import Parameter, ParameterTable


def grow(stock, tas, rate):
    stock = stock + rate * max(tas, 0.0)
    return stock


def produce(stock, shade):
    gpp = stock * shade
    return gpp


def made(**changes):
    table = ParameterTable(
        (
            Parameter("rate", 0.1, 0.0, 1.0, "degC-1 d-1", "growth", "test"),
            Parameter("shade", 0.5, 0.0, 1.0, "1", "light share", "test"),
        )
    )
    values = {
        "name": "toy",
        "title": "a toy",
        "source": "test",
        "version": 1,
        "forcing": ("tas",),
        "site": {},
        "parameters": table,
        "state": (State("stock", "1", "stock"),),
        "outputs": {"gpp": "gC m-2 d-1"},
        "processes": (grow, produce),
    }
    return ProcessModel(**(values | changes))


def test_every_registered_model_conforms():
    for name in model_names():
        outcome = check_model(model_named(name))
        assert outcome, outcome.failed


def test_a_users_model_passes_the_same_check():
    outcome = check_model(made())
    assert outcome, outcome.failed


def test_conformance_names_an_inert_parameter_that_is_not_declared():
    def still(stock, tas, rate):
        stock = stock + 0.0 * rate + tas
        return stock

    outcome = check_model(made(processes=(still, produce)))
    assert any("'rate' changes no output" in text for text in outcome.failed)


def test_conformance_names_wrong_units():
    outcome = check_model(made(outputs={"gpp": "W m-2"}))
    assert any("'gpp' has units" in text for text in outcome.failed)


def test_a_state_that_starts_from_nothing_known_is_refused():
    with pytest.raises(ModelError, match="'pr'"):
        made(state=(State("stock", "1", "stock", initial="pr"),))


def test_shapes_are_checked_by_name():
    with pytest.raises(ModelError, match="theta"):
        lue.run(np.ones((3, 2)), [np.ones((5, 2))] * 7)
    with pytest.raises(ModelError, match="'vpd'"):
        lue.run(np.ones((13, 2)), [np.ones((5, 2)), np.ones((5, 3)), *[np.ones((5, 2))] * 5])


def test_unknown_model_lists_the_known_ones():
    with pytest.raises(ModelError, match="lue"):
        model_named("ibiss")


def test_with_parameters_keeps_names_and_order():
    table = dataclasses.replace(lue.parameters, entries=lue.parameters.entries[::-1])
    with pytest.raises(ModelError, match="not those of model"):
        lue.with_parameters(table)


def test_outputs_on_request_and_their_units():
    assert lue.output_units("fT") == "1"
    with pytest.raises(ModelError, match="no output 'lai'"):
        lue.output_units("lai")
