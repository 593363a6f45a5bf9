"""Strict gin: what may be said, what is refused, and what comes out."""

import inspect
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest

from sightline.launch.configuration.config import load
from sightline.objectives.errors import UsageError


class Model(NamedTuple):
    layers: int
    width: int = 8


class Mixed(NamedTuple):
    name: str
    rates: dict
    settings: dict


def small_model(*, layers: int, width: int = 8) -> Model:
    return Model(layers, width)


def adamw(schedule: Callable[[int], float], *, b1: float = 0.9) -> tuple:
    return ("adamw", schedule, b1)


def constant(value: float) -> Callable[[int], float]:
    return lambda step: value


def mixture(
    *, name: str, rates: dict[str, float], settings: dict[str, dict] | None = None
) -> Mixed:
    return Mixed(name, rates, settings or {})


def train(
    *,
    run_dir: str,
    steps: int,
    model: Model,
    optimizer: Callable[..., tuple] | None = None,
    mixture: Mixed | None = None,
    label: str = "plain",
    rate: float = 1.0,
    limit: int | None = None,
    names: Sequence[str] = (),
) -> dict:
    return dict(locals())


def masked(text, rng, ids, *, rate: float = 0.15, kept: float = 0.1): ...


TABLE = {
    "train": train,
    "small_model": small_model,
    "adamw": adamw,
    "constant": constant,
    "Mixture": mixture,
}
SETTINGS = {
    "masked": {
        name: parameter
        for name, parameter in inspect.signature(masked).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    },
    "causal": {},
}

BASE = """
WIDTH = 16
train.steps = 10
train.model = @small_model()
small_model.layers = 2
small_model.width = %WIDTH
"""


@pytest.fixture
def read(tmp_path):
    """Reads gin text, then bindings."""

    def read(text, *bindings):
        path = tmp_path / "run.gin"
        path.write_text(text)
        return load([str(path)], bindings, table=TABLE, settings=SETTINGS)

    return read


def test_bindings_macros_and_references(read):
    arguments = read(BASE).arguments("train", run_dir="here")
    assert arguments == {"run_dir": "here", "steps": 10, "model": Model(2, 16)}


def test_the_command_line_wins(read):
    config = read(BASE, "train.steps=20", "WIDTH=4", "train.label=hello")
    arguments = config.arguments("train", run_dir="here")
    assert arguments["steps"] == 20
    assert arguments["model"].width == 4
    assert arguments["label"] == "hello"


@pytest.mark.parametrize(
    "spoken, value",
    [
        ("hello", "hello"),
        ("runs/a-b.c", "runs/a-b.c"),
        ("'quoted'", "quoted"),
        ('"1"', "1"),
        ("é", "é"),
    ],
)
def test_bare_words_are_strings(read, spoken, value):
    config = read(BASE, f"train.label={spoken}")
    assert config.arguments("train", run_dir="")["label"] == value


def test_an_uncalled_reference_is_a_function(read):
    text = BASE + "train.optimizer = @adamw\nadamw.b1 = 0.5\n"
    optimizer = read(text).arguments("train", run_dir="")["optimizer"]
    name, schedule, b1 = optimizer(constant(3.0))
    assert (name, schedule(0), b1) == ("adamw", 3.0, 0.5)


def test_scopes_keep_two_uses_apart(read):
    text = """
    train.steps = 1
    train.model = @big/small_model()
    small_model.layers = 1
    small_model.width = 5
    big/small_model.layers = 9
    """
    text = inspect.cleandoc(text)
    assert read(text).arguments("train", run_dir="")["model"] == Model(9, 5)


def test_values_are_fresh_each_time(read):
    text = BASE + "train.mixture = @Mixture()\nMixture.name = 'm'\n"
    config = read(text + "Mixture.rates = {'docs.masked': 1}\n")
    first = config.arguments("train", run_dir="")["mixture"]
    first.rates["docs.masked"] = 7
    assert config.arguments("train", run_dir="")["mixture"].rates == {"docs.masked": 1}


def test_loads_do_not_see_each_other(read):
    read(BASE, "train.label=first")
    assert "label" not in read(BASE).arguments("train", run_dir="")


def test_objective_settings_reach_the_mixture(read):
    text = BASE + "train.mixture = @Mixture()\nMixture.name = 'm'\n"
    text += "Mixture.rates = {'docs.masked': 1}\nmasked.rate = 0.3\n"
    mixed = read(text).arguments("train", run_dir="")["mixture"]
    assert mixed.settings == {"masked": {"rate": 0.3}}


def test_a_scope_before_an_objective_is_a_variant_of_it(read):
    text = BASE + "train.mixture = @Mixture()\nMixture.name = 'm'\n"
    text += "Mixture.rates = {'docs.much/masked': 1, 'docs.masked': 1}\n"
    text += "masked.rate = 0.3\nmuch/masked.kept = 0.5\n"
    config = read(text)
    mixed = config.arguments("train", run_dir="")["mixture"]
    both = {"rate": 0.3, "kept": 0.5}
    assert mixed.settings == {"masked": {"rate": 0.3}, "much/masked": both}
    assert config.unused() == []
    again = read(config.resolved_config())
    resolved = again.arguments("train", run_dir="")["mixture"].settings
    assert resolved["much/masked"] == both
    assert resolved["masked"] == {"rate": 0.3, "kept": 0.1}


MISTAKES = {
    "trian.steps = 1": "no configurable 'trian'; did you mean 'train'",
    "train.stesp = 1": "no parameter of 'train' named 'stesp'; did you mean 'steps'",
    "train.model = @smal_model()": "no configurable 'smal_model'; did you mean 'small",
    "train.steps = %WIDHT": "no macro 'WIDHT'; did you mean 'WIDTH'",
    "WIDHT = 3": "nothing uses %WIDHT; did you mean 'WIDTH'",
    "masked.rat = 0.3": "no parameter of 'masked' named 'rat'; did you mean 'rate'",
    "masked.rate = '0.3'": "it takes float",
    "train.names = 'ab'": "it takes Sequence[str]; write ('ab',) for one alone.",
    "train.steps = 1e4": "train.steps = 10000.0 is of type float; it takes int",
    "train.steps = True": "it takes int",
    "train.rate = '0.5'": "is of type str; it takes float",
    "train.steps = None": "it takes int",
    "Mixture.settings = {}": "filled from other bindings",
    "train.steps = @": "",
    "train.steps 3": "expected",
    "train.steps = (1": "",
    "train.steps = 1 + 1": "Expected newline",
    "train.label = __import__('os')": "",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_name_the_line(read, line):
    with pytest.raises(ValueError) as error:
        read(BASE + line + "\n")
    assert MISTAKES[line] in str(error.value)
    assert str(error.value).startswith("run.gin:")
    if "(1" not in line:  # an open bracket ends where the file does
        assert ":7" in str(error.value)


@pytest.mark.parametrize(
    "text", ["train.stesp=1", "train.steps=x", "train.steps", "import os", "include=3"]
)
def test_mistakes_name_the_option(read, text):
    with pytest.raises(ValueError, match=r"--gin\.") as error:
        read(BASE, text)
    assert text in str(error.value)


def test_an_int_is_a_float_and_none_its_default(read):
    config = read(BASE, "train.rate=2", "train.limit=None")
    assert config.arguments("train", run_dir="")["rate"] == 2


def test_a_reference_of_the_wrong_type(read):
    text = BASE.replace("@small_model()", "@constant()") + "constant.value = 1.0\n"
    text = text.replace("small_model.width = %WIDTH", "constant.value = %WIDTH")
    with pytest.raises(ValueError, match="it takes Model"):
        read(text).arguments("train", run_dir="")


def test_everything_missing_is_listed_at_once(read):
    config = read("train.model = @small_model()\n")
    with pytest.raises(ValueError, match=r"train\.steps, small_model\.layers"):
        config.arguments("train", run_dir="")


@pytest.mark.parametrize("text", ["A = %B\nB = %A\n", "A = [%A]\n"])
def test_circles_of_macros(read, text):
    config = read(BASE + text, "train.rate=%A")
    with pytest.raises(ValueError, match="refers to itself"):
        config.arguments("train", run_dir="")


def test_circles_of_references(read):
    config = read(BASE + "small_model.layers = @small_model()\n")
    with pytest.raises(ValueError, match="small_model → small_model"):
        config.arguments("train", run_dir="")


@pytest.mark.parametrize(
    ("raised", "message"),
    [(UsageError, "^picky: size 3 is odd"), (ValueError, "^size 3 is odd")],
)
def test_a_builders_own_error_names_it_and_a_bug_stays_one(raised, message):
    def picky(*, size: int) -> int:
        raise raised(f"size {size} is odd")

    def root(*, part: int): ...

    config = load(
        [],
        ["root.part=@picky()", "picky.size=3"],
        table={"root": root, "picky": picky},
        settings={},
    )
    with pytest.raises(ValueError, match=message) as caught:
        config.arguments("root")
    assert type(caught.value) is raised


FULL = (
    BASE
    + """
train.optimizer = @adamw
train.mixture = @long/Mixture()
long/Mixture:
  name = 'm'
  rates = {'docs.masked': 1, 'docs.causal': 0.5}
masked.rate = 0.3
"""
)


def test_the_resolved_config_is_complete(read):
    text = read(FULL).resolved_config()
    for line in (
        "train.steps = 10",
        "train.label = 'plain'",
        "small_model.width = 16",
        "adamw.b1 = 0.9",
        "long/Mixture.name = 'm'",
        "long/masked.rate = 0.3",
        "long/masked.kept = 0.1",
    ):
        assert line in text.splitlines()


def test_what_nothing_binds_has_its_default(read):
    found = read(FULL).defaults()
    assert {"adamw.b1", "long/masked.kept"} <= set(found)
    assert not {"train.steps", "long/masked.rate", "long/Mixture.name"} & set(found)


def test_the_resolved_config_gives_the_same_run(read):
    config = read(FULL)
    again = read(config.resolved_config())
    assert again.resolved_config() == config.resolved_config()
    before, after = (c.arguments("train", run_dir="") for c in (config, again))
    assert after["optimizer"](constant(1.0))[2] == before["optimizer"](None)[2]
    assert after["mixture"].rates == before["mixture"].rates
    assert after["mixture"].settings["masked"]["rate"] == 0.3
    assert after["model"] == before["model"]


def test_the_order_of_rates_is_kept_and_that_of_settings_is_one(read):
    """Rates in another order are another mixture; settings are the same ones."""
    rates = "{'docs.masked': 1, 'docs.causal': 0.5}"
    turned = "{'docs.causal': 0.5, 'docs.masked': 1}"
    texts = [
        read(FULL.replace(rates, each)).resolved_config() for each in (rates, turned)
    ]
    heads = [[x for x in t.splitlines() if x.startswith("# ")] for t in texts]
    assert heads[0] == heads[1] and texts[0] == texts[1].replace(turned, rates)


def test_unused_bindings_are_named(read):
    unused = read(FULL + "constant.value = 3.0\nshort/masked.rate = 0.1\n").unused()
    assert [line.partition(": ")[2] for line in unused] == [
        "constant.value",
        "short/masked.rate",
    ]


@pytest.mark.parametrize("size", ["small", "base", "large", "1b", "7b"])
def test_models_take_nothing_from_the_tiny_one(size):
    files = ["any_mixture.gin", f"models/{size}.gin", "t5.gin"]
    model = load(files).arguments("train", run_dir="r", config="c")["model"]
    assert (model.compute_dtype, model.unroll) == ("bfloat16", 1)
    assert model.loss_chunk in (None, 512)
