"""What identifies a model: gridcal's own by name and version, one's own by what it computes."""

import dataclasses
import textwrap

import numpy as np
import pytest

import gridcal as gc
from gridcal.process.constraint import Constraint
from gridcal.process.identity import of_model
from gridcal.study.folder import Study

MINE = """
import gridcal as gc
from gridcal.process.constraint import Constraint

BASE = 5.0
SHARE = {"leaf": 0.5}
TABLE = gc.ParameterTable((gc.Parameter("rate", 0.1, 0.0, 1.0, "1", "growth", "case"),))


def warmth(tas):
    return max(tas - BASE, 0.0)


def grow(tas, rate):
    '''Growth.'''
    gpp = rate * warmth(tas)
    return gpp


def small(evidence):
    rate = evidence.theta["rate"]
    return rate < SHARE["leaf"], 0.0 * rate


model = gc.ProcessModel(
    name="mine", title="t", source="s", version=1, forcing=("tas",), site={}, parameters=TABLE, state=(),
    outputs={"gpp": "gC m-2 d-1"}, processes=(grow,), constraints=(Constraint("small", "text", "s", small),),
)
"""  # fmt: skip


@pytest.fixture
def mine(tmp_path):
    """Makes the model of an edited file."""
    count = iter(range(99))

    def make(old="", new=""):
        assert old in MINE
        file = tmp_path / f"file{next(count)}.py"
        file.write_text(textwrap.dedent(MINE.replace(old, new) if old else MINE))
        space = {"__name__": "mine", "__file__": str(file)}
        exec(compile(file.read_text(), str(file), "exec"), space)
        return space

    return make


@pytest.mark.parametrize("name", gc.models.model_names())
def test_a_model_of_gridcal_is_known_by_name_and_version(name):
    model = gc.models.model_named(name)
    assert of_model(model) == [model.name, model.version]


def test_a_model_of_ones_own_has_a_digest_that_text_about_it_leaves(mine):
    name, version, digest = of_model(mine()["model"])
    assert (name, version, len(digest)) == ("mine", 1, 12)
    for old, new in [
        ("'''Growth.'''", "'''Something else.'''"),
        ("BASE = 5.0", "\n\nBASE = 5.0  # degC"),
        ('"text"', '"words"'),
    ]:
        assert of_model(mine(old, new)["model"]) == [name, version, digest]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("BASE = 5.0", "BASE = 10.0"),
        ("max(tas", "min(tas"),
        ("rate * warmth(tas)", "rate + warmth(tas)"),
        ('{"leaf": 0.5}', '{"leaf": 0.4}'),
        ("0.0 * rate", "1.0 * rate"),
    ],
)
def test_an_edit_is_another_model(mine, old, new):
    assert of_model(mine(old, new)["model"])[2] != of_model(mine()["model"])[2]


def test_numbers_count_as_they_are_now(mine):
    space = mine()
    before = of_model(space["model"])
    space["BASE"] = 10.0
    assert of_model(space["model"]) != before
    space["BASE"] = 5.0
    assert of_model(space["model"]) == before


def test_tables_count(mine):
    model = mine()["model"]
    others = [dataclasses.replace(model, domain={"tas": (-50.0, top)}) for top in (50.0, 60.0)]
    others.append(dataclasses.replace(model, outputs={"gpp": "kgC m-2 d-1"}))
    assert len({of_model(m)[2] for m in (model, *others)}) == 4


def test_a_process_of_ones_own_in_a_model_of_gridcal_counts():
    lue = gc.models.model_named("lue")

    def after(gpp):
        half = 0.5 * gpp
        return half

    changed = dataclasses.replace(lue, processes=(*lue.processes, after), extra_outputs={**lue.extra_outputs, "half": "1"})
    assert of_model(changed)[:2] == ["lue", lue.version]
    assert len(of_model(changed)) == 3


def test_a_judge_that_is_an_object_counts_with_its_numbers(mine):
    class Below:
        def __init__(self, limit):
            self.limit = limit

        def __call__(self, evidence):
            return evidence.theta["rate"] < self.limit, 0.0 * evidence.theta["rate"]

    model = mine()["model"]
    one, two = (dataclasses.replace(model, constraints=(Constraint("below", "", "", Below(x)),)) for x in (0.5, 0.6))
    assert of_model(one) != of_model(two)


def test_code_without_a_digest_leaves_name_and_version(mine):
    def judge(evidence):
        return later(evidence)

    model = dataclasses.replace(mine()["model"], constraints=(Constraint("later", "", "", judge),))
    assert of_model(model) == ["mine", 1]
    later = np.isfinite
    assert len(of_model(model)) == 3
    assert later


def test_every_verb_names_the_edited_model(mine, tmp_path):
    cube = gc.synthetic.twin(2, 2, years=1).cube
    cube = gc.Cube.from_dataset(cube.sel(pixel=gc.sample_pixels(cube, 2, seed=1)).data.compute())
    block = gc.Block(("rate",), gc.Target("gpp"))
    verbs = {
        "simulate": lambda m: gc.simulate(cube, m),
        "calibrate": lambda m: gc.calibrate(cube, m, [block], gc.CMAES(max_evaluations=20)),
        "screen": lambda m: gc.screen(cube, m, gc.Morris(trajectories=4)),
    }
    one, two = mine()["model"], mine("BASE = 5.0", "BASE = 10.0")["model"]
    study = Study(tmp_path / "s")
    for name, verb in verbs.items():
        study.save(name, verb(one), progress=False)
        study.save(name, verb(mine()["model"]), progress=False)
        with pytest.raises(gc.errors.StudyError, match=r"changed: model: \['mine', 1, '\w+'\] -> \['mine', 1, '\w+'\]"):
            study.save(name, verb(two), progress=False)
    # growing degree days of the file's base, by hand
    tas = cube.data["tas"].values
    np.testing.assert_allclose(gc.simulate(cube, two)["gpp"], 0.1 * np.maximum(tas - 10.0, 0.0), rtol=1e-5, atol=1e-6)
