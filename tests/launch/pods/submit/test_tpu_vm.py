"""TPU VMs: the script against a gcloud that writes down what it is told."""

import pytest

from sightline.launch.pods.submit.clouds import slice_of
from sightline.launch.pods.submit.tpu_vm import tpu_vm_script
from sightline.objectives.errors import UsageError

GCLOUD = """
printf '%s\\n' "$3 $4 ${*:5}" | head -n 1 >> "$HOME/calls"
case "$4" in
  describe) head -n 1 "$HOME/states"; sed -i 1d "$HOME/states" ;;
  ssh) for word; do case $word in --command=*) bash -c "${word#*=}" ;; esac; done ;;
esac
"""
"""States are told line by line; `ssh` runs the command here."""

SIGHTLINE = """
printf '%s\\n' "$@" "FLAGS=${FLAGS-}" >> "$HOME/words"
cat "$HOME/sightline.gin" > "$HOME/config"
status=$(head -n 1 "$HOME/statuses"); sed -i 1d "$HOME/statuses"
exit "${status:-99}"
"""


GIVEN = {"zone": "us-east5-b", "package": "sightline[tpu]", "share": "10.0.0.2:/vol"}


@pytest.fixture
def run(bash, add_program, tmp_path):
    """`run(job, states, statuses, **settings)`: how the script ends."""
    add_program("gcloud", GCLOUD)
    add_program("../sightline/bin/sightline", SIGHTLINE)
    add_program("mountpoint", "exit 0")

    def run(job, states, statuses=(), **settings):
        (tmp_path / "states").write_text("".join(f"{s}\n" for s in states))
        (tmp_path / "statuses").write_text("".join(f"{s}\n" for s in statuses))
        given = {**GIVEN, **settings}
        script = tpu_vm_script(job, slice_of("v5p-128"), **given)
        return bash(script.text, POLL_SECONDS="0", RESTART_SECONDS="0")

    return run


def lines(path):
    return path.read_text().splitlines()


def test_it_asks_waits_and_trains(run, job, tmp_path):
    done = run(
        job,
        ["", "WAITING_FOR_RESOURCES", "PROVISIONING", "ACTIVE", "ACTIVE"],
        [75, 75, 1, 0],
        project="mine",
        spot=True,
    )
    assert done.returncode == 0, done.stderr
    created = [line for line in lines(tmp_path / "calls") if " create " in line]
    assert created == [
        "queued-resources create mine --zone=us-east5-b --project=mine "
        "--accelerator-type=v5p-128 --runtime-version=v2-alpha-tpuv5 "
        "--node-id=mine --spot"
    ]
    words = lines(tmp_path / "words")
    assert words[0] == "train"
    assert words[1] == f"--run_dir={job.run_dir}"
    assert words[2] == job.options[0]
    assert f"FLAGS={job.variables['FLAGS']}" in words
    assert words.count("train") == 4
    assert (tmp_path / "config").read_text() == job.config


def test_slices_are_nodes_of_one_request(run, plain_job, tmp_path):
    done = run(plain_job, ["", "ACTIVE", "ACTIVE"], [0, 0], slices=2)
    assert done.returncode == 0, done.stderr
    calls = lines(tmp_path / "calls")
    assert any("--node-count=2 --node-prefix=mine" in line for line in calls)
    ssh = sorted(line.split()[2] for line in calls if " ssh " in line)
    assert ssh == ["mine-0", "mine-1"]
    assert all("--worker=all" in line for line in calls if " ssh " in line)


@pytest.mark.parametrize(
    ("statuses", "starts", "expected"),
    [((2,), 1, 2), ((1, 1, 1), 3, 1), ((75, 1, 75, 76, 137), 5, 137)],
)
def test_failures_end_it(run, plain_job, tmp_path, statuses, starts, expected):
    done = run(plain_job, ["ACTIVE", "ACTIVE"], statuses, max_restarts=2)
    assert done.returncode == expected
    assert lines(tmp_path / "words").count("train") == starts


def test_machines_that_were_taken_away_are_asked_for_again(run, plain_job, tmp_path):
    states = ["ACTIVE", "SUSPENDED", "SUSPENDED", "", "ACTIVE", "ACTIVE"]
    done = run(plain_job, states, [137, 0], max_restarts=0)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in lines(tmp_path / "calls")] == [
        *("describe", "ssh", "describe", "describe", "delete", "describe", "create"),
        *("describe", "ssh", "describe"),
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"zone": "US"}, "--zone"),
        ({"project": "a b"}, "--project"),
        ({"share": "/vol"}, "--share"),
        ({"python": "python2; ls"}, "--python"),
        ({"mount": "shared"}, "--mount"),
        ({"mount": "/other"}, "--run_dir=/shared/runs/mine is not below --mount=/oth"),
        ({"share": None}, "16 machines share a run; give --share="),
    ],
)
def test_what_is_refused(plain_job, settings, words):
    with pytest.raises(UsageError, match=words):
        tpu_vm_script(plain_job, slice_of("v6e-64"), **{**GIVEN, **settings})


def test_a_run_on_the_machines_own_disk(plain_job):
    """Only of one machine that stays; the script says so."""
    alone, tpu = {**GIVEN, "share": None}, slice_of("v6e-4")
    script = tpu_vm_script(plain_job, tpu, **alone)
    assert "own disk" in script.text and "nfs" not in script.text
    assert "own disk" not in tpu_vm_script(plain_job, tpu, **GIVEN).text
    with pytest.raises(UsageError, match="a spot VM loses it; give --share="):
        tpu_vm_script(plain_job, tpu, **alone, spot=True)
