import dataclasses
import re

import numpy as np
import pytest

from gridcal.errors import ModelError
from gridcal.kernels.lanes.schedule import Accumulate, Clear, Repeat
from gridcal.models import model_named, model_names
from gridcal.models.lue import lue
from gridcal.process import conformance
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


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        ({"tass": (-10.0, 30.0)}, "domain of 'tass', which is no forcing. Name one of: tas"),
        ({"tas": (np.nan, 30.0)}, "domain of 'tas' is nan .. 30"),
        ({"tas": (-10.0, np.nan)}, "domain of 'tas' is -10 .. nan"),
        ({"tas": (30.0, -10.0)}, "domain of 'tas' is 30 .. -10"),
        ({"tas": 30.0}, "domain of 'tas' is 30.0, no pair of numbers"),
        ({"tas": (-10.0, 0.0, 30.0)}, "no pair of numbers"),
        ({"tas": ("cold", "warm")}, "no pair of numbers"),
        ({"tas": (None, 30.0)}, "no pair of numbers"),
    ],
)
def test_a_malformed_domain_is_refused_when_it_is_declared(domain, says):
    with pytest.raises(ModelError, match=re.escape(says)):
        made(domain=domain)


def test_a_domain_may_be_open():
    model = made(domain={"tas": [-np.inf, 30]})
    model.check_forcing([np.array([-300.0, np.nan, 30.0])])
    with pytest.raises(ModelError, match=r"tas = 31 lies outside the domain of model 'toy', -inf \.\. 30"):
        model.check_forcing([np.array([31.0])])


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


SHARE = 2.0


def shared(stock, shade):
    gpp = SHARE * stock * shade
    return gpp


def test_a_constant_changed_between_two_runs_is_seen(monkeypatch):
    model = made(name="shared", processes=(grow, shared))
    theta, tas = np.array([[0.1], [0.5]]), [np.full((1, 1), 10.0)]
    (first,), _ = model.run(theta, tas)
    monkeypatch.setitem(globals(), "SHARE", 6.0)
    (second,), _ = model.run(theta, tas)
    assert (first[0, 0], second[0, 0]) == (1.0, 3.0)


def test_a_process_that_numba_cannot_compile_is_named_with_its_model():
    def odd(stock, shade):
        gpp = stock.nothing * shade
        return gpp

    with pytest.raises(ModelError, match=r"the processes of model 'odd' cannot be compiled: .*nothing"):
        made(name="odd", processes=(grow, odd)).run(np.ones((2, 1)), [np.ones((1, 1))])


def absorb(stock, tas, rate):
    stock = stock + rate * max(tas, 0.0)
    taken = 2.0 * rate * tas
    return stock, taken


def hourly(record):
    body = (absorb, Accumulate((("day_taken", "taken", 0.25),)), produce)
    return made(
        name="hourly",
        processes=(Clear(("day_taken",)), Repeat(4, body, forcing=True, record=record)),
        outputs={"gpp": "gC m-2 d-1", "taken": "1"} if record else {"day_taken": "1"},
        steps=4,
        results=4 if record else 1,
    )


def test_models_with_a_row_an_hour_conform_in_every_record():
    for record in (False, True):
        outcome = check_model(hourly(record), days=12)
        assert not [x for x in outcome.failed if "'shade'" not in x], outcome.failed


def test_conformance_looks_at_every_output(monkeypatch):
    from gridcal.kernels.lanes import schedule

    right = schedule.interpret

    def wrong(items, values, *rest):
        right(items, values, *rest)
        if items:
            values["stock"] = values["stock"] + 1.0

    monkeypatch.setattr(schedule, "interpret", wrong)
    outcome = conformance.check_model(made(extra_outputs={"stock": "1"}))
    assert any("output 'stock' of day 0 differs" in text for text in outcome.failed)
