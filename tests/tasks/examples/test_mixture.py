import subprocess
import sys

import numpy as np
import pytest

from sightline.objectives import registry
from sightline.objectives.errors import UsageError
from sightline.objectives.registry import CAPACITY
from sightline.tasks import corpora
from sightline.tasks.examples.mixture import Mixture, task_names

BOTH = {"python_docs.causal": 1.0, "python_docs.masked": 3.0}


def test_task_names_are_corpus_and_objective():
    assert "python_docs.causal" in task_names()


def test_loss_shares_default_to_the_rates():
    shares = Mixture("m", {**BOTH, "python_docs.permuted": 0}).loss_share_array()
    assert shares.shape == (CAPACITY,) and shares.dtype == np.float32
    assert shares[registry.get("causal").id] == 0.25
    assert shares[registry.get("masked").id] == 0.75
    assert shares.sum() == 1


def test_explicit_loss_shares_and_settings():
    mixture = Mixture(
        "m",
        BOTH,
        loss_shares={"causal": 0.9, "masked": 0.1},
        settings={"masked": {"rate": 0.3}},
    )
    assert mixture.loss_share_array()[registry.get("causal").id] == np.float32(0.9)
    assert mixture.objectives()["masked"].settings["rate"] == 0.3
    assert registry.get("masked").settings["rate"] == 0.15


def test_a_rate_of_zero_leaves_a_task_out():
    mixture = Mixture("m", {"python_docs.causal": 1, "python_docs.masked": 0})
    assert mixture.positive_rates() == {"python_docs.causal": 1.0}
    assert list(mixture.objectives()) == ["causal"]


def test_rates_over_corpora_and_objectives():
    mixture = Mixture(
        "m",
        {"causal": 3, "python_docs.causal": 1, "policies.masked": 4},
        corpora={"python_docs": 1, "policies": 2, "text": 0},
    )
    assert mixture.positive_rates() == {
        "python_docs.causal": 2.0,
        "policies.causal": 2.0,
        "policies.masked": 4.0,
    }
    shares = mixture.rate_array()
    assert shares[registry.get("masked").id] == 0.5 == shares.sum() / 2


def test_variants_have_settings_of_their_own_and_one_loss():
    mixture = Mixture(
        "m",
        {"x/masked": 1, "y/masked": 1, "masked": 2},
        corpora={"python_docs": 1},
        settings={
            "masked": {"rate": 0.2},
            "x/masked": {"rate": 0.3},
            "y/masked": {"rate": 0.4},
        },
    )
    bound = {n: o.settings["rate"] for n, o in mixture.objectives().items()}
    assert bound == {"masked": 0.2, "x/masked": 0.3, "y/masked": 0.4}
    assert {o.id for o in mixture.objectives().values()} == {registry.get("masked").id}
    assert mixture.loss_share_array()[registry.get("masked").id] == 1


def test_an_objective_and_a_corpus_never_share_a_name():
    assert not set(registry.objectives()) & set(corpora.names())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rates": {"python_docs.casual": 1}}, "did you mean 'python_docs.causal'"),
        ({"rates": {"causal": 1}}, "rate of 'causal' names no corpus; write 'pyth"),
        ({"rates": {"casual": 1}}, "no task or objective 'casual'; did you mean 'ca"),
        ({"rates": {"python_docs.x/masked": 1}}, "variant 'x/masked' has no settings"),
        (
            {"rates": {"causal": 1}, "corpora": {"pythn_docs": 1}},
            "no corpus 'pythn_docs'; did you mean 'pyt",
        ),
        (
            {"rates": {"causal": 1}, "corpora": {"python_docs": 1, "text": -1}},
            "rate of corpus 'text' is -1",
        ),
        ({"corpora": {"text": 1}}, "every rate names its own corpus"),
        ({"settings": {"x/maskd": {}}}, "did you mean 'masked'"),
        ({"settings": {"python_docs": {"seed": 1}}}, "has no setting 'seed'"),
        ({"rates": {"python_docs.causal": -1}}, "is -1; give a finite number"),
        ({"rates": {"python_docs.causal": float("nan")}}, "is nan; give a finite"),
        ({"rates": {"python_docs.causal": float("inf")}}, "is inf; give a finite"),
        (
            {"rates": {"python_docs.causal": 1e308, "python_docs.masked": 1e308}},
            r"is 1e\+308; give a finite number: 0, or from",
        ),
        (
            {"rates": {"causal": 5e-324}, "corpora": {"python_docs": 1, "text": 1}},
            "is 5e-324; give a finite number: 0, or from",
        ),
        ({"rates": {"python_docs.causal": 0}}, "no task with a positive rate"),
        ({"rates": {}}, "no task with a positive rate"),
        ({"rates": {}, "corpora": {"text": 1}}, "no task with a positive rate"),
        ({"settings": {"maskd": {}}}, "did you mean 'masked'"),
        ({"settings": {"masked": {"rat": 1}}}, "did you mean 'rate'"),
        ({"settings": {"masked": {"unit": 3}}}, "masked.unit = 3 is of type int"),
        ({"settings": {"x/masked": {"rate": [0.1]}}}, "x/masked.rate = .* type list"),
        (
            {"settings": {"sentence_pair": {"distance": 2.5}}},
            "it takes int",
        ),
        ({"settings": {"text": {"folder": 3}}}, "text.folder = 3 is of type int"),
        ({"vocabulary": "byte"}, "did you mean 'bytes'"),
        ({"loss_shares": {"causal": 1}}, "leave out masked"),
        ({"loss_shares": {"causl": 1}}, "did you mean 'causal'"),
        ({"loss_shares": {"causal": 1, "masked": 1}}, r"sum to 2, .*'causal': 0.5"),
        ({"loss_shares": {"causal": 0, "masked": 0}}, "sum to 0, not 1"),
        ({"loss_shares": {"causal": 2, "masked": -1}}, "is -1; give a finite"),
        (
            {"loss_shares": {"causal": 0.5, "masked": 0.25, "permuted": 0.25}},
            "'permuted', which has no task with a positive rate",
        ),
    ],
)
def test_what_is_wrong_is_an_error(changed, message):
    with pytest.raises(ValueError, match=message):
        Mixture("m", **{"rates": BOTH, **changed})


@pytest.mark.unchecked
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rates": ["causal"]}, r"rates is \['causal'\]; give a dict"),
        ({"loss_shares": 1}, "loss_shares is 1; give a dict"),
        ({"settings": {"masked": 0.3}}, "settings of 'masked' is 0.3; give a dict"),
    ],
)
def test_what_is_no_dict_is_refused(changed, message):
    with pytest.raises(UsageError, match=message):
        Mixture("m", **{"rates": BOTH, **changed})


def test_a_mixture_is_checked_without_tensorflow():
    code = (
        "import sys; from sightline.tasks.examples.mixture import Mixture;"
        "Mixture('m', {'python_docs.causal': 1}).loss_share_array();"
        "sys.exit('tensorflow' in sys.modules or 'seqio' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
