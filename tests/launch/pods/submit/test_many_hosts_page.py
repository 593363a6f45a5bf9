"""docs/many_hosts.md: its jobs answer an exit status as those of `submit` do."""

import re
from pathlib import Path

import yaml

from sightline.launch.pods.submit import slurm
from sightline.launch.pods.submit.clouds import slice_of
from sightline.launch.pods.submit.gke import jobset

PAGE = (Path(__file__).parents[4] / "docs/many_hosts.md").read_text("utf-8")


def requeues(script):
    return [line.strip() for line in script.splitlines() if "scontrol" in line]


def test_slurm_requeues_after_the_same_status():
    template = Path(slurm.__file__).with_name("slurm.sh.j2").read_text("utf-8")
    assert len(requeues(template)) == 1 and requeues(PAGE) == requeues(template)


def policies(body):
    (job,) = body["spec"]["replicatedJobs"]
    spec = job["template"]["spec"]
    alike = ("backoffLimit", "completionMode", "podFailurePolicy")
    return body["spec"]["failurePolicy"], {name: spec[name] for name in alike}


def test_a_jobset_restarts_after_the_same_failures(job):
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    rendered = jobset(job, slice_of("v5p-128"), image="h/p/s:1", claim="shared")
    *_, body = yaml.safe_load_all(rendered.text)
    assert policies(yaml.safe_load(block)) == policies(body)
