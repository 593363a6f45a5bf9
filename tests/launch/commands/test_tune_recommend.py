"""`sightline tune recommend` and `confirm`: files, refusals, a loadable gin file."""

import csv
import json

import numpy as np
import pytest

from sightline.diagnosis.tuning import assessment, cross_validation, search
from sightline.launch.cli import main
from sightline.launch.configuration.config import load
from sightline.launch.configuration.mixture import mixture_of
from sightline.launch.configuration.study import read_mixture

pytestmark = pytest.mark.unchecked

COMPONENTS = "--components=masked,permuted,causal"
STUDY = "--gin_file=three_failures.gin"
SCORES = ["--maximise=drift", "--minimise=score_reconstruction"]
PEAK = np.array([0.3, 0.2, 0.5])


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(cross_validation, "_MOST_REPEATS", 1)
    monkeypatch.setattr(search, "STARTS", 1)


def scores_of(shares, rng, noise):
    """Drift rises and reconstruction falls towards a peak; own loss hardly moves."""
    distance = np.sum((shares - PEAK) ** 2)
    own = 2 + 0.05 * np.exp(-shares[0])
    exact = np.array([own, 0.8 - distance, 0.2 + distance])
    return exact + noise * rng.normal(size=3) * [0.01, 1, 1]


def write(path, *, noise, seed=0):
    rng = np.random.default_rng(seed)
    drawn = [np.array([0.8, 0.2, 0.0])] * 2 + list(np.eye(3))
    drawn += list(rng.dirichlet(np.ones(3), 26))
    held = [mix for mix in rng.dirichlet(np.ones(3), 4) for _ in range(2)]
    columns = ["mixture", "kind", "seed", "masked", "permuted", "causal", "own_loss"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*columns, "drift", "score_reconstruction"])
        for n, mix in enumerate([*drawn, *held]):
            name = "current" if n < 2 else f"m{n}"
            kind = "held_out" if n >= len(drawn) else "x"
            mix = np.round(mix, 6)
            cells = [name, kind, f"{n % 2}.0", *mix, *scores_of(mix, rng, noise)]
            writer.writerow(cells)
    return path


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("found")
    table = write(folder / "runs.csv", noise=0.01)
    words = [f"--csv={table}", COMPONENTS, *SCORES, STUDY, f"--out={folder / 'out'}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_validation, "_MOST_REPEATS", 1)
        patch.setattr(search, "STARTS", 1)
        assert main(["tune", "recommend", *words]) == 0
    return folder


def test_the_recommendation_is_near_the_peak_and_its_gin_file_loads(found):
    values = json.loads((found / "out" / "recommendation.json").read_text())
    assert values["recommended"], values["evidence"]
    rates = values["mixture"]["rates"]
    np.testing.assert_allclose(list(rates.values()), PEAK, atol=0.12)
    assert values["predicted"]["own_loss"]["high"] <= 1.02
    assert values["validation"]["drift"]["mixtures"] == 4
    assert values["seeds"] == [0, 1]  # written as 0.0 and 1.0
    assert values["incumbent"]["rates"] == {"masked": 0.8, "permuted": 0.2, "causal": 0}
    assert values["front"] and "<svg" in (found / "out" / "front.svg").read_text()

    file = str(found / "out" / "recommended.gin")
    told = (found / "out" / "recommended.gin").read_text()
    assert f"--recommendation={found / 'out' / 'recommendation.json'} …\n" in told
    assert f"  sightline train --gin_file={file} --run_dir=" in told
    mixture = read_mixture(file)
    assert mixture.objective_rates() == pytest.approx(
        {name: rate for name, rate in rates.items() if rate}
    )
    assert mixture.loss_shares == pytest.approx(mixture.rates)
    assert mixture.vocabulary == "policies_small"
    config = load([file])
    assert mixture_of(config) == mixture
    run = config.arguments("train", run_dir=found, config=config)
    assert run["rows"].decoder.slots == 128


def test_noise_leaves_no_gin_file(found, tmp_path, capsys):
    table = write(tmp_path / "runs.csv", noise=1.0)
    with table.open("a") as file:
        file.write("far,x,0,0,0.5,0.5,60,0.5,0.5\n")
        file.write("out,held_out,0,0,0.4,0.6,60,0.5,0.5\n" * 2)
    out = tmp_path / "out"
    out.mkdir()
    for name in ("recommended.gin", "front.svg"):
        (out / name).write_text("of an earlier recommendation")
    words = [f"--csv={table}", COMPONENTS, *SCORES, STUDY, f"--out={out}"]
    assert main(["tune", "recommend", *words]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Not recommended: no evidence" in text
    assert (
        "Rows whose own_loss is above 4.1" in text
        and "to be there: 1, and 2 held" in text
    )
    assert not (out / "recommended.gin").exists()
    recommendation = f"--recommendation={out / 'recommendation.json'}"
    words = [STUDY, recommendation, f"--out={tmp_path / 'confirmed'}"]
    assert main(["tune", "confirm", *words]) == 2
    assert "no evidence" in capsys.readouterr().err


@pytest.fixture
def confirm(found, tmp_path, proxies_by_rule):
    """Runs `tune confirm`: the exit status, what was trained, and the result's file."""

    def run(noise, *words):
        trained = proxies_by_rule(noise)
        recommendation = f"--recommendation={found / 'out' / 'recommendation.json'}"
        out = tmp_path / "confirmed"
        words = [STUDY, recommendation, f"--out={out}", *words]
        return main(["tune", "confirm", *words]), trained, out / "confirmation.json"

    return run


def test_a_winner_is_confirmed_with_seeds_of_its_own(confirm, capsys):
    status, trained, file = confirm(0.01)
    values = json.loads(file.read_text())
    assert status == 0 and values["confirmed"], values["evidence"]
    assert {seed for _, seed in trained} == {1000, 1001, 1002} and len(trained) == 6
    assert values["targets"]["drift"]["difference"]["low"] > 0
    assert values["targets"]["score_reconstruction"]["verdict"] == "better"
    assert values["targets"]["own loss, relative"]["verdict"] == "within"
    assert not confirm(0.01)[1]  # done: nothing is trained again
    status, trained, _ = confirm(0.01, "--gin.ModelConfig.d_model=32")
    assert status == 2 and not trained
    assert "+ModelConfig.d_model = 32" in capsys.readouterr().err


def test_a_seed_that_trained_in_vain_does_not_count(confirm, capsys):
    """The interval is of the others; with one alone there is none."""
    *_, file = confirm(0.01)
    runs = file.with_name("runs.csv")
    rows = list(csv.DictReader(runs.read_text().splitlines()))
    for vain in (1, 3):  # of 1000, 1001 and 1002, each with two mixtures
        for row in rows[:vain]:
            row["not_learned"] = "causal"
        with runs.open("w", newline="") as out:
            writer = csv.DictWriter(out, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        status, trained, _ = confirm(0.01)
        assert not trained
        if vain == 1:
            values = json.loads(file.read_text())
            assert status == 0 and values["not_counted"] == [1000]
            assert values["seeds"] == [1001, 1002]
            assert "Seeds 1000 do not count" in " ".join(
                capsys.readouterr().out.split()
            )
    assert status == 2 and "of 3 seeds 1 count" in capsys.readouterr().err


def test_the_last_seed_is_one_too(confirm, capsys):
    status, trained, _ = confirm(0.01, "--seed=2147483646", "--seeds=3")
    assert status == 2 and not trained
    assert "of --seed and --seeds, is 2147483648; set it" in capsys.readouterr().err


def test_a_winner_in_noise_is_not(confirm, capsys):
    values = json.loads(confirm(2.0)[2].read_text())
    assert not values["confirmed"]
    assert values["targets"]["drift"]["verdict"] == "no evidence"
    text = " ".join(capsys.readouterr().out.split())
    assert "Not confirmed. drift: no evidence" in text


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("--seed=0", "seeds 0, 1 are among those of the table"),
        ("--seeds=1", "--seeds is 1"),
    ],
)
def test_what_confirms_nothing_is_one_line(word, message, confirm, capsys):
    status, *_ = confirm(0.0, word)
    error = capsys.readouterr().err
    assert status == 2 and message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no failure is named"),
        (["--maximise=drift", "--minimise=drift"], "'drift' has two parts"),
        (["--maximise=drift", "--loss=drift"], "'drift' has two parts"),
        (["--maximise=drift", "--most_loss=two"], "--most_loss is 'two'"),
        (["--maximise=drift", "--incumbent=now"], "of the incumbent 'now'"),
        (["--maximise=drift", "--gin.study.tokens=5"], "without --gin_file"),
        (["--maximise=drift", "--out=no/such"], "there is no folder"),
        (["--maximise=drift", "--out=FILE"], "is a file; name a folder"),
        (["--maximise=drift", "--gin_file=missing.gin"], "missing.gin"),
        (
            ["--maximise=drift", STUDY, "--components=masked,permuted,causl"],
            "no column 'causl'",
        ),
    ],
)
def test_bad_options_are_one_line(words, message, found, tmp_path, capsys):
    given = [f"--csv={found / 'runs.csv'}", COMPONENTS, f"--out={tmp_path / 'out'}"]
    words = [word.replace("FILE", str(found / "runs.csv")) for word in words]
    assert main(["tune", "recommend", *given, *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("own_loss", "0", "own_loss of the incumbent's runs is 0"),
        ("seed", "first", "row 1, column 'seed': 'first' is no finite number"),
        ("seed", "0.5", "row 1, column 'seed': '0.5' is no whole number"),
    ],
)
def test_what_nothing_can_be_told_from_is_refused_before_the_fit(
    column, value, message, found, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(assessment, "assess", None)  # a call is an error
    rows = list(csv.DictReader((found / "runs.csv").read_text().splitlines()))
    for row in rows[:2]:  # the incumbent's
        row[column] = value
    table = tmp_path / "runs.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    words = [f"--csv={table}", COMPONENTS, *SCORES, f"--out={tmp_path / 'out'}"]
    assert main(["tune", "recommend", *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_components_that_the_study_has_not_are_refused_before_the_fit(
    found, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(assessment, "assess", None)
    table = tmp_path / "runs.csv"
    table.write_text((found / "runs.csv").read_text().replace("causal", "web", 1))
    words = ["--components=masked,permuted,web", *SCORES, STUDY]
    words += [f"--csv={table}", f"--out={tmp_path / 'out'}"]
    assert main(["tune", "recommend", *words]) == 2
    error = capsys.readouterr().err
    assert "'web'" in error and error.count("\n") == 1


def changed(found, path, **values):
    """A recommendation in which some values are others; without those of None."""
    text = (found / "out" / "recommendation.json").read_text()
    every = {**json.loads(text), **values}
    every = {name: value for name, value in every.items() if value is not None}
    path.write_text(json.dumps(every))
    return f"--recommendation={path}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"targets": {}}, "no 'maximise' and 'minimise' in its 'targets'"),
        ({"targets": {"maximise": [], "minimise": []}}, "no failure in its 'targets'"),
        ({"seeds": None}, "is no recommendation: it has no 'seeds'"),
        ({"loss": "perplexity"}, "limits 'perplexity', which no run"),
    ],
)
def test_a_recommendation_that_lacks_something_is_refused(
    values, message, found, confirm, tmp_path, capsys
):
    status, trained, _ = confirm(0.0, changed(found, tmp_path / "r.json", **values))
    error = capsys.readouterr().err
    assert status == 2 and not trained
    assert message in error and error.count("\n") == 1


def test_the_loss_that_is_limited_is_the_recommendations(found, confirm, tmp_path):
    file = changed(found, tmp_path / "r.json", loss="loss_masked")
    status, _, file = confirm(0.01, file)
    own = json.loads(file.read_text())["targets"]["own loss, relative"]
    assert status == 0 and own["incumbent"] == 1 and own["verdict"] == "within"


def test_what_is_no_recommendation_is_refused(tmp_path, capsys):
    file = tmp_path / "other.json"
    file.write_text("[]")
    words = [STUDY, f"--recommendation={file}", f"--out={tmp_path / 'out'}"]
    assert main(["tune", "confirm", *words]) == 2
    assert "is no recommendation" in capsys.readouterr().err
