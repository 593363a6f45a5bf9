"""Names, paths and variables that a job may have."""

import pytest

from sightline.launch.pods.submit.job import (
    TrainJob,
    check_name,
    default_name,
    read_variables,
)
from sightline.launch.pods.submit.rendering import heredoc_end, render
from sightline.objectives.errors import UsageError


@pytest.mark.parametrize("name", ["Mine", "my_run", "-a", "a-", "1a", "", "a.b", "a b"])
def test_names_that_are_none(name):
    with pytest.raises(UsageError, match="lower-case letters"):
        check_name("--name", name)


def test_a_name_that_is_too_long():
    check_name("--name", "a" * 63)
    with pytest.raises(UsageError, match="64 characters"):
        check_name("--name", "a" * 64)


@pytest.mark.parametrize(
    ("run_dir", "name"),
    [("/runs/Mine_2.b", "mine-2-b"), ("/runs/7b", "run-7b"), ("/runs/--", "run")],
)
def test_default_names(run_dir, name):
    assert default_name(run_dir) == name
    check_name("--name", default_name(run_dir))


@pytest.mark.parametrize("run_dir", ["runs/mine", "gs://b/mine", "/a/../b", "/a\nb"])
def test_directories_that_mean_something_else_elsewhere(run_dir):
    with pytest.raises(UsageError, match="--run_dir"):
        TrainJob(name="a", run_dir=run_dir, config="")


@pytest.mark.parametrize("name", ["HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "MY_PASSWORD"])
def test_secrets_are_refused(name):
    with pytest.raises(UsageError, match="looks like a secret") as error:
        TrainJob(name="a", run_dir="/a", config="", variables={name: "hunter2"})
    assert "hunter2" not in str(error.value)


def test_a_tokeniser_is_no_token():
    variables = {"TOKENIZERS_PARALLELISM": "false"}
    TrainJob(name="a", run_dir="/a", config="", variables=variables)


def test_variables():
    assert read_variables(["A=1", "B=c=d"]) == {"A": "1", "B": "c=d"}
    with pytest.raises(UsageError, match="No variable of this shell"):
        read_variables(["HOME"])
    with pytest.raises(UsageError, match="no name of a variable"):
        TrainJob(name="a", run_dir="/a", config="", variables={"A B": "1"})
    with pytest.raises(UsageError, match="one printable line"):
        TrainJob(name="a", run_dir="/a", config="", variables={"A": "1\n2"})


def test_the_end_of_a_document_is_no_line_of_it():
    assert heredoc_end("a") == "END_OF_CONFIG"
    assert heredoc_end("END_OF_CONFIG\nEND_OF_CONFIG_") == "END_OF_CONFIG__"


def test_a_missing_value_is_an_error():
    with pytest.raises(Exception, match="undefined"):
        render("local.sh.j2", processes=1)
