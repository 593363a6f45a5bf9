"""JobSets: what Kubernetes publishes as valid, and what its parts do with them."""

import dataclasses
import itertools
import os
import re
import subprocess

import kubernetes_validate
import pytest
import yaml

from sightline.launch.pods.submit.clouds import slice_of
from sightline.launch.pods.submit.gcluster import gcluster_script
from sightline.launch.pods.submit.gke import jobset
from sightline.objectives.errors import UsageError

V5P = slice_of("v5p-128")
FIELDS = {
    "": {"apiVersion", "kind", "metadata", "spec"},
    "spec": {"failurePolicy", "replicatedJobs"},
    "spec.failurePolicy": {"maxRestarts", "rules"},
    "spec.failurePolicy.rules": {
        *("name", "action", "onJobFailureReasons", "onJobFailureMessagePatterns"),
    },
    "spec.replicatedJobs": {"name", "replicas", "template"},
}
"""The fields of jobset.x-k8s.io/v1alpha2 that are used; the rest is a batch/v1 Job."""

ACTIONS = {"FailJobSet", "RestartJobSet", "RestartJobSetAndIgnoreMaxRestarts"}


def documents(job, tpu=V5P, **settings):
    settings = {"image": "host/p/sightline:1", "claim": "shared", **settings}
    return list(yaml.safe_load_all(jobset(job, tpu, **settings).text))


def gcluster(job, **settings):
    given = {"image": "host/p/s:1", "claim": "shared", "cluster": "mine"}
    return gcluster_script(job, V5P, **{**given, "location": "us-east5", **settings})


def pod_of(body):
    return body["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]


def container_of(body):
    (container,) = pod_of(body)["containers"]
    return container


def expanded(text: str, variables: dict[str, str]) -> str:
    """What the kubelet makes of a command: $$ is $, and $(NAME) a variable's value."""

    def value(match: re.Match) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", value, text)


@pytest.mark.parametrize("tpu", ["v4-16", "v5e-1", "v5e-64", "v5p-128", "v6e-256"])
@pytest.mark.parametrize("slices", [1, 4])
def test_schemas(job, tpu, slices):
    config, body = documents(
        job,
        slice_of(tpu),
        slices=slices,
        queue="team",
        namespace="here",
        service_account="trainer",
        spot=True,
    )
    release = kubernetes_validate.latest_version()
    kubernetes_validate.validate(config, release, strict=True)
    (replicated,) = body["spec"]["replicatedJobs"]
    plain = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}}
    kubernetes_validate.validate(plain | replicated["template"], release, strict=True)
    for path, allowed in FIELDS.items():
        part = body
        for name in filter(None, path.split(".")):
            part = part[name]
        for one in part if isinstance(part, list) else [part]:
            assert set(one) <= allowed, path
    for rule in body["spec"]["failurePolicy"]["rules"]:
        assert rule["action"] in ACTIONS
        assert re.fullmatch(r"[A-Za-z]([\w,:]*\w)?", rule["name"])


@pytest.mark.skipif("JOBSET_CRD" not in os.environ, reason="no JOBSET_CRD=FILE")
def test_published_crd(job):
    """Against config/components/crd/bases/jobset.x-k8s.io_jobsets.yaml of JobSet."""
    import jsonschema

    with open(os.environ["JOBSET_CRD"]) as file:
        (version,) = yaml.safe_load(file)["spec"]["versions"]
    _, body = documents(job, queue="team")
    jsonschema.validate(body, _closed(version["schema"]["openAPIV3Schema"]))


def _closed(schema):
    """The schema of an API server: fields that it does not name are errors."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: _closed(one) for name, one in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    if "x-kubernetes-int-or-string" in schema:
        schema.pop("type", None)
    return schema


@pytest.mark.parametrize("slices", [1, 2])
def test_every_host_of_every_slice_is_a_process(job, slices, tmp_path, add_program):
    """Each pod's command, run: its words arrive whole, its number is 0 … N - 1."""
    _, body = documents(job, slice_of("v5p-16"), slices=slices)
    (replicated,) = body["spec"]["replicatedJobs"]
    assert replicated["replicas"] == slices
    assert replicated["template"]["spec"]["completions"] == 2
    assert replicated["template"]["spec"]["parallelism"] == 2
    add_program("sightline", 'printf "%s\\n" "$@" "$FLAGS"')
    numbers = []
    for index, pod in itertools.product(range(slices), range(2)):
        variables = {"SLICE": str(index), "JOB_COMPLETION_INDEX": str(pod)}
        for entry in container_of(body)["env"]:
            if "value" in entry:
                variables[entry["name"]] = expanded(entry["value"], variables)
        command = [expanded(w, variables) for w in container_of(body)["command"]]
        output = subprocess.run(
            command, env=os.environ | variables, capture_output=True, text=True
        ).stdout.splitlines()
        first, run_dir, allow, *flags, number, value = output
        assert first == "train"
        assert run_dir == f"--run_dir={job.run_dir}"
        assert (allow,) == job.options
        assert f"--processes={2 * slices}" in flags
        assert "--coordinator=mine-slice-0-0.mine:8476" in flags
        assert "--require=tpu" in flags
        assert value == job.variables["FLAGS"]
        numbers.append(number)
    assert numbers == [f"--process={i}" for i in range(2 * slices)]


def test_one_host_needs_no_other(plain_job):
    _, body = documents(plain_job, slice_of("v6e-4"))
    assert "--process" not in container_of(body)["command"][-1]


def outcome(body, *, status=None, condition=None) -> tuple[str, bool]:
    """What the controllers do when a pod fails: the action, and whether it counts."""
    (replicated,) = body["spec"]["replicatedJobs"]
    spec = replicated["template"]["spec"]
    assert spec["backoffLimit"] == 0
    reason, message = "BackoffLimitExceeded", "Job has reached the backoff limit"
    for number, rule in enumerate(spec["podFailurePolicy"]["rules"]):
        codes = rule.get("onExitCodes", {"values": []})
        conditions = [one["type"] for one in rule.get("onPodConditions", [])]
        if status in codes["values"] or condition in conditions:
            reason = "PodFailurePolicy"
            message = (
                "Container train for pod default/mine-slice-0-0-abcde failed with "
                f"exit code {status} matching FailJob rule at index {number}"
                if status in codes["values"]
                else "Pod default/mine-slice-0-0-abcde has condition DisruptionTarget "
                f"matching FailJob rule at index {number}"
            )
            break
    for rule in body["spec"]["failurePolicy"]["rules"]:
        patterns = rule.get("onJobFailureMessagePatterns", [""])
        fits = any(re.search(pattern, message) for pattern in patterns)
        if reason in rule["onJobFailureReasons"] and fits:
            return rule["action"], not rule["action"].endswith("IgnoreMaxRestarts")
    return "RestartJobSet", True


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"status": 75}, ("RestartJobSetAndIgnoreMaxRestarts", False)),
        (
            {"condition": "DisruptionTarget"},
            ("RestartJobSetAndIgnoreMaxRestarts", False),
        ),
        ({"status": 2}, ("FailJobSet", True)),
        ({"status": 1}, ("RestartJobSet", True)),
        ({"status": 76}, ("RestartJobSet", True)),
        ({"status": 137}, ("RestartJobSet", True)),
    ],
)
def test_what_follows_a_failure(plain_job, how, expected):
    assert outcome(documents(plain_job)[1], **how) == expected


def test_nothing_is_privileged_or_leaks(plain_job, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hunter2")
    monkeypatch.setenv("JAX_PLATFORMS", "from-here")
    text = jobset(plain_job, V5P, image="host/p/s:1", claim="shared").text
    for word in ("hunter2", "from-here", os.environ["HOME"], "privileged", "secret"):
        assert word not in text
    pod = pod_of(list(yaml.safe_load_all(text))[1])
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] != 0
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["resources"]["limits"] == {"google.com/tpu": 4}


def test_selectors(plain_job):
    for name, label in (
        ("v4-16", ("tpu-v4-podslice", "2x2x2")),
        ("v5e-16", ("tpu-v5-lite-podslice", "4x4")),
        ("v5p-256", ("tpu-v5p-slice", "4x4x8")),
        ("v6e-256", ("tpu-v6e-slice", "16x16")),
    ):
        selector = pod_of(documents(plain_job, slice_of(name))[1])["nodeSelector"]
        assert tuple(selector.values()) == label


def test_the_config_travels_as_it_is(job):
    config, body = documents(job)
    assert config["data"] == {"sightline.gin": job.config}
    (volume,) = [v for v in pod_of(body)["volumes"] if "configMap" in v]
    assert volume["configMap"]["name"] == config["metadata"]["name"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"image": "sightline"}, "--image"),
        ({"claim": "My Claim"}, "--claim"),
        ({"queue": "a/b"}, "--queue"),
        ({"mount": "/other"}, "--run_dir=/shared/runs/mine is not below"),
        ({"slices": 0}, "--slices"),
        ({"grace": 0}, "--grace"),
        ({"max_restarts": -1}, "--max_restarts"),
    ],
)
def test_what_is_refused(plain_job, settings, words):
    for render in (documents, gcluster):
        with pytest.raises(UsageError, match=re.escape(words)):
            render(plain_job, **settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cluster": "My Cluster"}, "--cluster"),
        ({"location": "US"}, "--location"),
        ({"project": "a b"}, "--project"),
    ],
)
def test_what_gcluster_refuses_besides(plain_job, settings, words):
    with pytest.raises(UsageError, match=words):
        gcluster(plain_job, **settings)


@pytest.mark.parametrize("mount", ["/etc/sightline", "/etc/sightline/"])
def test_the_claim_is_not_mounted_over_the_config(plain_job, mount):
    inside = dataclasses.replace(plain_job, run_dir="/etc/sightline/mine")
    with pytest.raises(UsageError, match=f"--mount={mount} is where the pods have"):
        documents(inside, mount=mount)


def test_no_variable_takes_the_name_of_one_that_the_pods_have(plain_job):
    _, body = documents(plain_job)
    set_by_us = [entry["name"] for entry in container_of(body)["env"]]
    for name in (*set_by_us, "JOB_COMPLETION_INDEX"):
        told = dataclasses.replace(plain_job, variables={name: "5"})
        with pytest.raises(UsageError, match=f"--env={name}="):
            documents(told)


def test_a_name_leaves_room_for_that_of_a_pod(plain_job):
    longest = 63 - len("-slice-0-15-xxxxx")
    documents(dataclasses.replace(plain_job, name="a" * longest))
    for render in (documents, gcluster):
        with pytest.raises(UsageError, match="--name"):
            render(dataclasses.replace(plain_job, name="a" * (longest + 1)))


@pytest.mark.parametrize(
    "value", ["1e3", "0o17", "0x1f", "1_0", ".5", "-1", "+1", "1:30", "y", "No", "~"]
)
def test_text_that_kubectl_reads_as_something_else_is_quoted(job, value):
    """PyYAML reads most of these as text, and YAML in Go does not."""
    variables = {**job.variables, "VALUE": value}
    told = dataclasses.replace(job, variables=variables)
    text = jobset(told, V5P, image="host/p/s:1", claim="shared").text
    assert re.search(rf'name: VALUE\n +value: "{re.escape(value)}"\n', text)


def test_gcluster_is_told_the_same(job, bash, add_program, tmp_path):
    """The words that `gcluster` gets, and what its command does in a container."""
    add_program("gcluster", 'printf "%s\\0" "$@" > "$HOME/words"')
    script = gcluster(job, slices=2, max_restarts=0)
    done = bash(script.text)
    assert done.returncode == 0, done.stderr
    words = (tmp_path / "words").read_text().split("\0")
    assert words[:2] == ["job", "submit"]
    options = dict(w.split("=", 1) for w in words[2:-1])
    assert options["--compute-type"] == "v5p-128"
    assert options["--topology"] == "4x4x4"
    assert options["--num-slices"] == "2"
    assert options["--restarts"] == "0"  # the toolkit's default is 1
    assert options["--restart-on-exit-codes"] == "75"
    assert options["--mount"] == "shared:/shared:rw"
    show = 'printf "%s\\n" "$@" "$FLAGS"; last="${@: -1}"; cat "${last#*=}"'
    add_program("sightline", show)
    output = bash(expanded(options["--command"], {"SLICE": "1"})).stdout
    assert output.endswith(job.config)
    assert f"--run_dir={job.run_dir}\n--allow" in output
    assert f"\n{job.variables['FLAGS']}\n" in output
