"""Which job a process belongs to."""

import pytest

from sightline.launch.hosts.job import Job, find_job
from sightline.objectives.errors import UsageError

SLURM = {
    "SLURM_JOB_ID": "7",
    "SLURM_STEP_NODELIST": "node[003-004]",
    "SLURM_NTASKS": "2",
    "SLURM_PROCID": "1",
    "SLURM_LOCALID": "0",
}


@pytest.fixture
def found(monkeypatch):
    """`found(**environment)`: the job under these variables."""

    def find(environment):
        for name in (*SLURM, "JOB_COMPLETION_INDEX"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return find_job()

    return find


def test_flags():
    job = find_job(coordinator="node1:8476", processes=3, process=2)
    assert job == Job("node1:8476", 3, 2)


def test_alone(found):
    assert found({}) is None
    assert find_job(processes=1) is None
    assert find_job(coordinator="a:1", processes=1, process=0) is None


def test_a_pod_of_no_indexed_job_is_alone_and_asks_nobody(found):
    """Under Kubernetes jax asks the API, or warns of what is not installed."""
    assert found({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}) is None


def test_slurm(found):
    job = found(SLURM)
    assert (job.processes, job.process, job.cluster) == (2, 1, "slurm")
    assert job.coordinator.startswith("node003:")


def test_one_task_of_slurm_is_alone(found):
    assert found({**SLURM, "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}) is None
    # A step of one task in an allocation of two.
    assert found({**SLURM, "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"}) is None


def test_slurm_tasks_that_cannot_find_each_other_do_not_train_alone(found):
    environment = {k: v for k, v in SLURM.items() if k != "SLURM_STEP_NODELIST"}
    with pytest.raises(UsageError, match="task 1 of 2, and SLURM_STEP_NODELIST"):
        found(environment)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"coordinator": "a:1"}, "--processes, --process is missing"),
        ({"processes": 2, "process": 0}, "--coordinator is missing"),
        ({"coordinator": "a", "processes": 2, "process": 0}, "write HOST:PORT"),
        ({"coordinator": "a:x", "processes": 2, "process": 0}, "write HOST:PORT"),
        ({"coordinator": "*:1", "processes": 2, "process": 0}, "every address"),
        ({"coordinator": "[::]:1", "processes": 2, "process": 0}, "every address"),
        ({"coordinator": "a:1", "processes": 2, "process": 2}, "from 0 to N - 1"),
        ({"coordinator": "a:1", "processes": 0, "process": 0}, "from 0 to N - 1"),
        ({"coordinator": "a:1", "processes": 1, "process": 1}, "from 0 to N - 1"),
        ({"coordinator": "a:0", "processes": 2, "process": 0}, "write HOST:PORT"),
        ({"coordinator": "a:65536", "processes": 2, "process": 0}, "write HOST:PORT"),
        ({"coordinator": ":1", "processes": 2, "process": 0}, "write HOST:PORT"),
    ],
)
def test_flags_that_make_no_job(flags, message):
    with pytest.raises(UsageError, match=message):
        find_job(**flags)
