"""What the text of a process says is what is computed: whatever its names are, and whatever happened to them since."""

import importlib.util
import itertools
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from gridcal.errors import ModelError
from gridcal.kernels.lanes.lane_loops import Rows, check_rows, compile_lanes, compiled_lanes, lane_source

ROWS = Rows(("rate",), ("x",), (), (), ("y",))
START = "import math\nimport numpy as np\nfrom gridcal.kernels.jit import lane\n"
_number = itertools.count()


@pytest.fixture
def written(tmp_path):
    """A module made of a text."""

    def make(text):
        file = tmp_path / f"user{next(_number)}.py"
        file.write_text(START + text)
        spec = importlib.util.spec_from_file_location(file.stem, file)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return make


def process(expression, before=""):
    return f"def q(x, rate):\n{before}    y = {expression}\n    return y\n"


def run(module, x=1.0, rate=0.0):
    """What the process of a generated module gives, compiled without the loops around it."""
    found = compile_lanes("user", (module.q,), ROWS, 8).s_q
    return njit(lambda a, b: found(a, b))(x, rate)


def test_names_of_the_generator_are_free_for_constants_helpers_and_local_variables(written):
    helpers = ("daily", "days", "take", "give", "fixed", "weather", "forced", "spread", "run", "s_q", "njit", "cached")
    text = "".join(f"@lane\ndef {name}(x):\n    return {2**k}.0 * x\n" for k, name in enumerate(helpers))
    text += "W = 0.5\nROWS = 0.25\nNAMES = 0.125\n\ndef max(a, b):\n    return 1000.0 * a\n"
    before = "    B = 10000.0\n    i = 20000.0\n    range = 40000.0\n"
    total = " + ".join(f"{name}(x)" for name in helpers)
    module = written(text + process(f"W * x + ROWS + NAMES + {total} + max(x, 9.0) * 100.0 + B + i + range + rate", before))
    assert run(module) == 0.875 + (2 ** len(helpers) - 1) + 100000.0 + 70000.0
    with pytest.raises(ModelError, match="begin with '_gc_'"):
        lane_source((written(process("_gc_z + rate", "    _gc_z = x\n")).q,), ROWS, 8)


def test_a_helper_is_the_function_that_the_process_calls(written):
    text = """
def make(k):
    @lane
    def helper(x):
        return k * x
    return helper


half = make(0.5)
double = make(2.0)
START = 3.0


def plain(x, more=START):
    return more * x


START = 9.0


@lane
def helper(x):
    return 100.0 * x


"""
    module = written(text + process("half(x) + double(10.0 * x) + helper(100.0 * x) + plain(x) + rate"))
    assert run(module) == 0.5 + 20.0 + 10000.0 + 3.0


def test_a_process_may_be_made_by_a_function(written):
    module = written(
        "def make(k):\n    def q(x, rate):\n        y = k * x + rate\n        return y\n    return q\nk = 50.0\nq = make(0.5)\n"
    )
    assert run(module) == 0.5


def test_constants_of_every_kind_are_what_they_are(written):
    text = (
        "import enum\nfrom typing import NamedTuple\n"
        "PAIR = (1.0, (2, 3.0))\nWHOLE = np.int64(3)\nSINGLE = np.float32(0.1)\nDOUBLE = np.float64(5.0)\n"
        "YES = np.bool_(True)\nINF = math.inf\nLESS = -np.inf\nNAN = float('nan')\n"
        "ARRAY = np.array([[7.0, 8.0]])\nMASK = np.array([True, False])\n"
        "class Level(enum.IntEnum):\n    HIGH = 11\n"
        "class Both(NamedTuple):\n    one: float = 13.0\n"
        "BOTH = Both()\nCHOSEN = Level.HIGH\nbiggest = max\nroot = math.sqrt\n"
    )
    parts = {
        "PAIR[0] + PAIR[1][0] + PAIR[1][1]": 6.0, "WHOLE * x": 3.0, "SINGLE": float(np.float32(0.1)), "DOUBLE": 5.0,
        "(1.0 if YES else 0.0)": 1.0, "min(INF, x)": 1.0, "max(LESS, x)": 1.0, "(1.0 if NAN != NAN else 0.0)": 1.0,
        "ARRAY[0, 1] + ARRAY.sum() + ARRAY.shape[1]": 25.0, "(1.0 if MASK[1] else 0.0)": 0.0, "Level.HIGH + CHOSEN": 22.0,
        "BOTH.one": 13.0, "biggest(x, 17.0)": 17.0, "root(4.0) + math.pi - np.pi": 2.0,
    }  # fmt: skip
    assert run(written(text + process(" + ".join(parts) + " + rate"))) == pytest.approx(sum(parts.values()), rel=1e-15)


@pytest.mark.parametrize(
    ("text", "expression", "message"),
    [
        ("S = 'a'\n", "x * len(S) + rate", "'S', which is a str"),
        ("S = [1.0]\n", "x * S[0] + rate", "'S', which is a list"),
        ("S = {1: 1.0}\n", "x * S[1] + rate", "'S', which is a dict"),
        ("S = 1j\n", "x * abs(S) + rate", "'S', which is a complex"),
        ("S = np.zeros(100_000)\n", "x * S[0] + rate", "an array of 100000 values"),
        ("S = np.array(['a'])\n", "x * S.size + rate", "an array of 1 values of type <U1"),
        ("import functools\nS = functools.partial(max, 1.0)\n", "S(x) + rate", "'S', which is a partial"),
        ("S = lambda x: x\n", "S(x) + rate", "is a lambda"),
        ("", "x * S + rate", "'S', which is defined nowhere"),
        ("import os\n", "os.S + rate", "attribute 'S' of 'os', which has none"),
        ("k = 1.0\n", "x * sum([k for k in (1.0, 2.0)]) + rate", "binds 'k'"),
    ],
)
def test_what_cannot_be_a_constant_is_an_error_that_names_it(written, text, expression, message):
    with pytest.raises(ModelError, match=message):
        lane_source((written(text + process(expression)).q,), ROWS, 8)


def test_what_is_no_straight_process_is_an_error_that_names_it(written):
    module = written(
        "import functools\n"
        "def twice(f):\n    @functools.wraps(f)\n    def inner(*a):\n        return 2.0 * f(*a)\n    return inner\n"
        "@twice\ndef wrapped(x, rate):\n    y = x + rate\n    return y\n"
        "def early(x, rate):\n    y = x\n    if x > rate:\n        return y\n"
        "def starred(x, *, rate):\n    y = x + rate\n    return y\n"
        "class Thing:\n    def __call__(self, x, rate):\n        return x\nthing = Thing()\n"
        "anonymous = lambda x, rate: x\n"
        "exec('def typed(x, rate):\\n    y = x + rate\\n    return y')\n"
    )
    for name, message in {
        "wrapped": "takes arguments that are no plain names",
        "early": "returns before its end",
        "starred": "takes arguments that are no plain names",
        "thing": "is no Python function",
        "anonymous": "is a lambda",
        "typed": "cannot be read",
    }.items():
        with pytest.raises(ModelError, match=message):
            check_rows("m", (getattr(module, name),), ROWS)


def test_a_constant_changed_at_run_time_is_seen(written):
    module = written(
        "FACTOR = 3.0\nARRAY = np.array([1.0])\n@lane\ndef helper(x):\n    return FACTOR * x * ARRAY[0]\n"
        + process("helper(x) + rate")
    )
    assert run(module) == 3.0
    _, names = compiled_lanes("user", (module.q,), ROWS, 8)
    assert names.unchanged()
    module.FACTOR = 5.0
    assert not names.unchanged()
    assert run(module) == 5.0
    _, names = compiled_lanes("user", (module.q,), ROWS, 8)
    module.ARRAY[0] = 10.0
    assert not names.unchanged()
    assert run(module) == 50.0


@pytest.mark.parametrize("change", ["module.K = 2.0", "module.h = module.g", "module.h.__code__ = module.g.__code__",
                                    "module.C.k = 3.0", "module.h.__defaults__ = (7.0,)", "module.abs = module.g"])  # fmt: skip
def test_every_kind_of_change_is_noticed(written, change):
    module = written(
        "K = 1.0\nclass C:\n    k = 1.0\ndef g(x, k=1.0):\n    return -x\ndef h(x, k=1.0):\n    return k * x\n"
        + process("h(x) * K * C.k + abs(rate)")
    )
    text, names = lane_source((module.q,), ROWS, 8)
    assert names.unchanged()
    exec(change, {"module": module})
    assert not names.unchanged()
    assert lane_source((module.q,), ROWS, 8)[0] != text


def test_a_file_edited_since_its_import_is_never_taken_for_the_code(written):
    edits = [("4.0", "7.0"), ("def helper", "def more(x):\n    return x\n\n\ndef helper"), (" * x", " * x + 1.0"), (START, "")]
    for k, (old, new) in enumerate(edits):
        module = written(f"def helper(x):\n    return {k + 4}.0 * x\n" + process("helper(x) + rate"))
        file = Path(module.__file__)
        file.write_text(file.read_text().replace(old, new))
        with pytest.raises(ModelError, match="has changed since it was imported"):
            lane_source((module.q,), ROWS, 8)


def test_the_text_of_a_declared_model_is_kept_through_an_edit(written):
    module = written("def helper(x):\n    return 2.0 * x\n" + process("helper(x) + rate"))
    check_rows("m", (module.q,), ROWS)
    Path(module.__file__).write_text("edited")
    source, _ = lane_source((module.q,), ROWS, 8)
    assert "2.0 * x" in source


LATER = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import user
from gridcal.kernels.lanes.lane_loops import Rows, compile_lanes


def run():
    lanes = compile_lanes("user", (user.q,), Rows(("rate",), ("x",), (), (), ("y",)), 8)
    out = np.empty((1, 1, 1))
    lanes.run(np.zeros((1, 1)), np.empty((0, 1)), np.empty((0, 1)), out, np.ones((1, 1)))
    return float(out[0, 0, 0])


if len(sys.argv) > 2:
    assert user.helper(1.0) == 103.0  # numba has compiled it
    user.FACTOR = 5.0
print(run())
"""


def test_a_constant_changed_at_run_time_does_not_reach_later_processes(tmp_path):
    user = tmp_path / "user.py"
    text = "import other\nFACTOR = 3.0\nARRAY = np.array([100.0])\n@lane\ndef helper(x):\n    return FACTOR * x + ARRAY[0]\n"
    user.write_text(START + text + process("helper(x) + other.response(x) + other.K * x + rate"))
    (tmp_path / "other.py").write_text("K = 1000.0\ndef response(x):\n    return 20000.0 * x\n")

    def printed(*more):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        command = [sys.executable, "-c", LATER, str(tmp_path), *more]
        return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)

    assert printed("change") == 21105.0
    user.write_text(user.read_text().replace("FACTOR = 3.0", "FACTOR = 5.0"))
    assert printed() == 21105.0


def test_negative_whole_powers_of_zero_are_infinite_and_end_nothing(written):
    text = "N = -2\nM = np.int64(-1)\n@lane\ndef raised(x, n):\n    return x ** n\n"
    forms = ("x ** -1", "x ** N", "x ** M", "x ** n", "math.pow(x, -1)", "pow(x, -2)", "np.power(x, -1)", "raised(x, -1)", "z")
    before = "    n = -1\n    z = x + 0.0\n    z **= -3\n"
    module = written(text + process(" + ".join(f"min({form}, 1e9)" for form in forms) + " + rate", before))
    found = compile_lanes("user", (module.q,), ROWS, 8).s_q
    values = njit(error_model="numpy")(lambda a: (found(0.0, a), found(2.0, a), found(math.nan, a)))(0.0)
    assert values[0] == 9e9
    assert values[1] == 6 * 0.5 + 2 * 0.25 + 0.125
    assert math.isnan(values[2])


def test_other_powers_are_left_as_they_are(written):
    expression = "x ** 2 + x ** 2.0 + x ** 0.5 + x ** P + x ** n + rate"
    source, _ = lane_source((written("P = 3\n" + process(expression, "    n = 4\n")).q,), ROWS, 8)
    assert "x ** 2 + x ** 2.0 + x ** 0.5 + x ** _gc_P + x ** n + rate" in source
