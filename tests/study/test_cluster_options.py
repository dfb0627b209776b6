import json

import pytest

from gridcal.errors import ConfigError
from gridcal.study.cluster import _seconds
from gridcal.study.safety.cluster_options import checked_options
from gridcal.study.study_file import ComputeSection, validated


def section(**keys):
    return validated(keys, ComputeSection, "a.yml")


@pytest.mark.parametrize(
    ("cluster", "options"),
    [
        ("local", {"memory_limit": "4GiB", "processes": False, "threads_per_worker": 2}),
        ("local", {"memory_limit": "auto"}),
        ("slurm", {"queue": "normal", "account": "my-project_1", "cores": 8, "memory": "16 GiB", "walltime": "1-12:00:00"}),
        ("slurm", {"walltime": 120, "job_mem": "16GB", "interface": "ib0", "death_timeout": 60}),
        ("slurm", {"job_extra_directives": ["--qos=high", "--constraint=haswell&avx2", "--gres=gpu:1", "--exclusive"]}),
        ("gateway", {"worker_cores": 2, "worker_memory": 4.0, "profile": "small"}),
        ("none", {"memory_limit": "4GiB", "queue": "normal"}),
    ],
)
def test_what_a_cluster_is_asked_for_is_taken(cluster, options):
    assert section(cluster=cluster, options=options).options == options


LOADS_CODE = [
    ("local", "preload", ["evil.py"]), ("local", "preload_nanny", "evil.py"), ("local", "env", {"LD_PRELOAD": "evil.so"}),
    ("local", "plugins", ["evil"]), ("local", "worker_class", "evil.Worker"),
    ("local", "scheduler_kwargs", {"preload": "evil.py"}),
    ("local", "local_directory", "/etc"), ("local", "host", "0.0.0.0"), ("local", "dashboard_address", ":80"),
    ("local", "security", False), ("local", "n_workers", 9999), ("local", "memory_limit", {"a": 1}),
    ("local", "processes", "no"),
    ("slurm", "job_script_prologue", ["touch evil"]), ("slurm", "env_extra", ["touch evil"]), ("slurm", "python", "./evil"),
    ("slurm", "shebang", "#!./evil"), ("slurm", "worker_extra_args", ["--preload", "evil.py"]),
    ("slurm", "extra", ["--preload"]),
    ("slurm", "job_cls", "evil"), ("slurm", "config_name", "evil"), ("slurm", "log_directory", "/etc"),
    ("slurm", "scheduler_options", {"preload": "evil.py"}), ("slurm", "queue", "normal\ntouch evil"), ("slurm", "queue", "a b"),
    ("slurm", "account", "$(touch evil)"), ("slurm", "account", "`touch evil`"), ("slurm", "walltime", "1:00\ntouch evil"),
    ("slurm", "memory", "4GB; touch evil"), ("slurm", "interface", "-x"), ("slurm", "cores", "8"), ("slurm", "cores", True),
    ("slurm", "job_extra_directives", ["--export=PYTHONPATH=evil"]), ("slurm", "job_extra_directives", ["--output=/etc/x"]),
    ("slurm", "job_extra_directives", ["--qos=a\ntouch evil"]), ("slurm", "job_extra_directives", ["--wrap=touch evil"]),
    ("slurm", "job_extra_directives", ["--comment=x --export=ALL"]), ("slurm", "job_extra_directives", "--qos=a"),
    ("gateway", "image", "evil:latest"), ("gateway", "environment", {"A": "b"}), ("gateway", "address", "https://evil"),
    ("gateway", "auth", "evil"), ("none", "preload", ["evil.py"]), ("none", "queue", "a\nb"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("cluster", "name", "value"), LOADS_CODE, ids=[f"{c}-{n}-{k}" for k, (c, n, _) in enumerate(LOADS_CODE)]
)
def test_what_loads_code_or_reaches_out_is_refused_by_name(cluster, name, value):
    with pytest.raises(ConfigError, match=name):
        section(cluster=cluster, options={name: value})


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tls://host:8786", "ucx://host:1", "inproc://x"])
def test_a_study_file_names_no_scheduler(address):
    with pytest.raises(ConfigError, match="--scheduler ADDRESS"):
        section(cluster=address)


def test_unknown_clusters_and_crowds_of_workers_are_refused():
    for cluster in ("cloud", "", None, 3, ["local"]):
        with pytest.raises(ConfigError, match="none, local, slurm, gateway"):
            section(cluster=cluster)
    with pytest.raises(ConfigError, match="workers"):
        section(workers=100_000)


def test_options_from_python_are_those_of_the_cluster_s_own_class():
    with pytest.raises(ValueError, match="may not set"):
        checked_options("slurm", json.loads('{"job_script_prologue": ["module load x"]}'))


# SLURM's manual of sbatch, --time: "minutes", "minutes:seconds", "hours:minutes:seconds", "days-hours",
# "days-hours:minutes" and "days-hours:minutes:seconds"
@pytest.mark.parametrize(
    ("walltime", "seconds"),
    [("120", 7200), ("90:30", 5430), ("02:00:00", 7200), ("1-12", 129_600), ("1-12:30", 131_400), ("1-12:30:15", 131_415)],
)
def test_wall_times_are_read_as_slurm_reads_them(walltime, seconds):
    assert _seconds(walltime) == seconds
