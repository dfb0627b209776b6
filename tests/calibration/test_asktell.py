import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gridcal.calibration import MASM, Status
from gridcal.calibration.problem import ModelRuns
from gridcal.errors import ConfigError, InputError

spec = importlib.util.spec_from_file_location("test_masm", Path(__file__).parent / "test_masm.py")
fixtures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fixtures)

OBSERVED = fixtures.decay_problem().observations
PROGRAM = """
import math, sys
for line in open(sys.argv[1]):
    a, b, c = map(float, line.split())
    print(*(repr(a * math.exp(-b * t / 79) + c) for t in range(80)), file=open(sys.argv[2], "a"))
"""


def test_asking_and_telling_is_running():
    p = fixtures.decay_problem()
    alone = fixtures.QUICK.run(p, fixtures.seed())
    task = fixtures.QUICK.ask_tell(fixtures.decay_problem(simulate=None, observations=p.observations), fixtures.seed())
    asked = 0
    while (theta := task.ask()) is not None:
        np.testing.assert_array_equal(theta, task.ask())
        asked += len(theta)
        task.tell(fixtures.decay(theta))
    result = task.result()
    np.testing.assert_array_equal(result.draws, alone.draws)
    assert asked == result.n_runs == alone.n_runs


def test_a_program_that_reads_and_writes_files(tmp_path):
    (tmp_path / "model.py").write_text(PROGRAM)
    task = MASM(max_runs=40, min_ess=500).ask_tell(
        fixtures.decay_problem(simulate=None, observations=OBSERVED), fixtures.seed()
    )
    turn = 0
    while (theta := task.ask()) is not None:
        turn += 1
        given, made = tmp_path / f"in{turn}.txt", tmp_path / f"out{turn}.txt"
        np.savetxt(given, theta, fmt="%.17g")
        subprocess.run([sys.executable, tmp_path / "model.py", given, made], check=True)
        task.tell(np.loadtxt(made, ndmin=2))
    np.testing.assert_allclose(task.result().estimate, [2.0, 3.0, 0.5], atol=0.5)


def test_costs_alone_can_be_told():
    p = fixtures.cost_problem(fixtures.banana, [-30.0, -60.0], [30.0, 20.0])
    task = MASM(max_runs=60).ask_tell(p, fixtures.seed())
    while (theta := task.ask()) is not None:
        task.tell(fixtures.banana(theta))
    assert task.result().n_runs <= 60


def test_the_order_of_calls_is_kept():
    task = MASM().ask_tell(fixtures.decay_problem(), fixtures.seed())
    with pytest.raises(InputError, match="nobody asked"):
        task.tell(np.zeros((1, 80)))
    with pytest.raises(InputError, match="not ended"):
        task.result()
    m = len(task.ask())
    with pytest.raises(InputError, match="shape"):
        task.tell(np.zeros((m, 79)))
    task.tell(np.full((m, 80), np.nan))  # failed runs are told too
    assert task.ask() is not None


def test_unusable_observations_end_at_once():
    task = MASM().ask_tell(fixtures.linear_problem(observations=np.full(80, np.nan)), fixtures.seed())
    assert task.ask() is None
    assert task.result().status == Status.insufficient_observations


def test_a_problem_without_a_model_cannot_be_run():
    runs = ModelRuns(fixtures.decay_problem(simulate=None, observations=OBSERVED))
    with pytest.raises(ConfigError, match="ask and tell"):
        runs.run(np.full((1, 3), 0.5))
