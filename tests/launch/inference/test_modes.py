"""Each way of asking: it asks as training lays text out, and reads the answer."""

import itertools

import numpy as np
import pytest

from sightline.launch.inference import blanks, likelihood
from sightline.launch.inference.asked import AskedModel
from sightline.launch.inference.modes import MODES
from sightline.launch.inference.open import load_trained
from sightline.launch.inference.settings import Settings
from sightline.launch.inference.trained_forms import choose_form
from sightline.launch.inference.writing import Written
from sightline.objectives import registry
from sightline.objectives.errors import UsageError
from sightline.objectives.text import Text

pytestmark = pytest.mark.unchecked

DRAWN = Settings(temperature=1.0, top_k=50, seed=3, max_tokens=6)
TEXT = "The team approves the request before it is paid."


def ask(asked, mode, row, form, settings=DRAWN, number=0):
    mode = MODES[mode]
    question = mode.ask(asked, row, number, form, settings)
    return mode.answer(asked, [question], form, settings, None)[0]


@pytest.mark.parametrize(
    ("mode", "form", "row"),
    [
        ("continue", "causal", {"prompt": TEXT}),
        ("continue", "causal", {"prompt": ""}),
        ("continue", "prefix", {"prompt": TEXT}),
        ("continue", "span", {"prompt": TEXT}),
        ("fill", "span", {"text": "The <blank> approves <blank>."}),
        ("fill", "middle", {"text": "The <blank> approves it."}),
        ("restore", "reconstruction", {"text": "The <mask> approves it."}),
    ],
)
def test_what_is_written_is_as_likely_as_the_packed_example_says(
    asked, mode, form, row
):
    # The answer comes from prompts and a cache, this from training's layout of it.
    answer = ask(asked, mode, row, form)
    (scores,) = asked.score([answer.example])
    assert scores.sum() == pytest.approx(answer.fields["log_probability"], abs=1e-3)
    assert answer.fields["tokens"] <= 6
    if mode == "continue":
        assert TEXT not in answer.text


def test_a_question_is_the_example_that_training_makes(asked):
    tokens = asked.vocab.encode_document(TEXT)
    text = Text(tokens, 0, len(tokens), lambda rng: tokens)
    rng = np.random.default_rng(0)
    made = registry.get("causal")(text, rng, asked.ids)
    question = MODES["continue"].ask(asked, {"prompt": TEXT}, 0, "causal", DRAWN)
    size = question.given
    assert np.array_equal(question.example.targets[:size], made.targets[:size])
    whole = question.example.targets_positions
    assert np.array_equal(whole[:size], made.targets_positions[:size])


def test_blanks_are_read_by_their_sentinels(asked, monkeypatch):
    ids = asked.ids
    word = asked.vocab.encode("team")

    def write(asked, questions, settings, *, extra_ids):
        assert set(ids.sentinels) == set(extra_ids)
        # The second blank first, one again, one that was not asked for.
        parts = [[ids.sentinels[1]], word, [ids.sentinels[0]], [ids.sentinels[1]],
                 word[:1], [ids.sentinels[7]], word]  # fmt: skip
        tokens = np.concatenate(parts).astype(np.int32)
        return [Written(tokens, np.zeros(len(tokens), np.float32), "", "eos")]

    monkeypatch.setattr(blanks, "write", write)
    answer = ask(asked, "fill", {"text": "The <blank> pays the <blank>."}, "span")
    assert answer.fields["blanks"] == ["", " team"]
    assert answer.text == "The pays the team."


def test_several_blanks_are_filled_one_after_another(asked):
    row = {"text": "The <blank> pays <blank> and <blank>."}
    answer = ask(asked, "fill", row, "middle")
    assert len(answer.fields["blanks"]) == 3
    filled = row["text"]
    for blank in answer.fields["blanks"]:
        filled = filled.replace(" <blank>", blank, 1)
    assert answer.text == filled


@pytest.mark.parametrize("order", ["certain", "left_to_right", "random"])
def test_masks_are_filled_in_place(asked, order):
    settings = Settings(order=order)
    row = {"text": "The <mask> approves <mask> <mask>."}
    answer = ask(asked, "masks", row, "masked", settings)
    assert len(answer.fields["masks"]) == 3
    total = answer.log_probabilities.sum()
    assert total == pytest.approx(answer.fields["log_probability"], abs=1e-3)
    if order == "certain":  # one mask: greedy is what scoring finds most probable
        one = ask(asked, "masks", {"text": "The <mask> pays."}, "masked", settings)
        (score,) = asked.score([one.example])
        assert score[0] == pytest.approx(one.fields["log_probability"], abs=1e-3)


@pytest.mark.parametrize("order", ["left_to_right", "certain"])
def test_masks_are_filled_in_a_permuted_order(asked, order):
    settings = Settings(order=order, seed=1)
    row = {"text": "The <mask> approves <mask> <mask>."}
    answer = ask(asked, "masks", row, "permuted", settings)
    (scores,) = asked.score([answer.example])
    assert scores.sum() == pytest.approx(answer.fields["log_probability"], abs=1e-3)


def test_labels_share_one_probability(asked):
    row = {"first": "A team pays.", "second": "It does so at once."}
    answer = ask(asked, "pairs", row, "pair")
    question = MODES["pairs"].ask(asked, row, 0, "pair", DRAWN)
    yes, no = (score[0] for score in asked.score(question.examples))
    assert answer.fields["continues"] == pytest.approx(
        np.exp(yes) / (np.exp(yes) + np.exp(no)), abs=1e-5
    )
    likely = ask(asked, "pairs", row, "causal").fields
    whole = ask(
        asked, "likelihood", {"text": "A team pays. It does so at once."}, "causal"
    )
    first = ask(asked, "likelihood", {"text": "A team pays."}, "causal")
    assert likely["log_likelihood"] == pytest.approx(
        whole.fields["log_likelihood"] - first.fields["log_likelihood"], abs=1e-3
    )


def test_a_likelihood_by_masks_hides_one_token_at_a_time(asked):
    answer = ask(asked, "likelihood", {"text": "The team pays."}, "masked")
    tokens = asked.vocab.encode("The team pays.")
    assert len(answer.fields["per_token"]) == len(tokens)
    question = MODES["likelihood"].ask(
        asked, {"text": "The team pays."}, 0, "masked", DRAWN
    )
    for at, example in enumerate(likelihood.examples_of(asked, question)):
        assert example.inputs[at] == asked.ids.mask
        assert np.array_equal(np.delete(example.inputs, at), np.delete(tokens, at))


def test_a_row_depends_on_its_number_and_the_seed_alone(asked):
    mode, rows = MODES["continue"], [{"prompt": text} for text in ("A", TEXT, "The")]
    questions = [mode.ask(asked, row, n, "causal", DRAWN) for n, row in enumerate(rows)]
    together = mode.answer(asked, questions, "causal", DRAWN, None)
    alone = mode.answer(asked, questions[1:2], "causal", DRAWN, None)
    assert together[1].fields["text"] == alone[0].fields["text"]
    other = ask(asked, "continue", rows[1], "causal", number=2)
    assert other.fields != alone[0].fields


def test_a_stop_text_ends_a_continuation(asked):
    free = ask(asked, "continue", {"prompt": TEXT}, "causal")
    stop = free.text[2:4]
    stopped = Settings(temperature=1.0, top_k=50, seed=3, max_tokens=6, stop=(stop,))
    answer = ask(asked, "continue", {"prompt": TEXT}, "causal", stopped)
    assert answer.text == free.text[: free.text.index(stop)]
    assert answer.fields["ended"] == "stop"


def test_text_is_heard_as_it_grows(asked):
    heard, mode = [], MODES["continue"]
    settings = Settings(temperature=1.0, seed=3, max_tokens=40)
    question = mode.ask(asked, {"prompt": TEXT}, 0, "causal", settings)
    (answer,) = mode.answer(asked, [question], "causal", settings, heard.append)
    assert len(heard) > 1
    assert all(b.startswith(a) for a, b in itertools.pairwise(heard))
    assert answer.text.startswith(heard[-1])


def test_what_was_never_trained_is_refused_unless_insisted_on(asked):
    forms, mode = asked.forms, MODES["continue"]
    told = dict(mode="continue", mixture="mine")
    assert choose_form(forms, mode.forms, **told) == "causal"
    assert choose_form(forms, mode.forms, **told, asked="span") == "span"
    with pytest.raises(UsageError, match=r"as prefix trains it.*span \(by span_corr"):
        choose_form(forms, mode.forms, **told, asked="prefix")
    insisted = choose_form(forms, mode.forms, **told, asked="prefix", untrained=True)
    assert insisted == "prefix"
    with pytest.raises(UsageError, match="no form 'pair'"):
        choose_form(forms, mode.forms, **told, asked="pair")
    assert set(forms.objectives) == {
        *("causal", "span", "middle", "masked", "permuted", "reconstruction", "pair")
    }


@pytest.mark.parametrize(
    ("mode", "row", "message"),
    [
        ("continue", {"prompt": 7}, "'prompt' is 7"),
        ("continue", {"text": "a"}, "key 'prompt' is missing; the row has text"),
        ("continue", {"prompt": "a <mask>"}, "holds <mask>.*no mark"),
        ("continue", {"prompt": "word " * 200}, "shorten it by"),
        ("fill", {"text": "no blank"}, "has no <blank>"),
        ("fill", {"text": "a <blanc> b <blank>"}, "did you mean <blank>"),
        ("fill", {"text": "a <sentinel_3> <blank>"}, "holds <sentinel_3>"),
        ("fill", {"text": "a <blank> <blank> b"}, "side by side"),
        ("masks", {"text": "none"}, "has no <mask>"),
        ("likelihood", {"text": ""}, "is empty"),
        ("pairs", {"first": "a", "second": ""}, "is empty"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, mode, row, message):
    form = next(f for f in MODES[mode].forms if f in asked.forms.objectives)
    with pytest.raises(UsageError, match=message):
        MODES[mode].ask(asked, row, 0, form, DRAWN)


@pytest.fixture(scope="module")
def diffusing(make_run, tmp_path_factory):
    """A decoder of causal training, shifted masks and blocks."""
    folder = tmp_path_factory.mktemp("diffusing")
    names = ("causal", "masked", "block_diffusion")
    run = make_run(folder, names, "masked.shift = True", "block_diffusion.block = 4")
    return AskedModel(load_trained(run), batch_rows=8)


def test_shifted_masks_are_asked_from_the_slot_before(diffusing):
    assert set(diffusing.forms.objectives) == {"causal", "shifted", "blocks"}
    answer = ask(
        diffusing, "masks", {"text": "The <mask> pays."}, "shifted", Settings()
    )
    (scores,) = diffusing.score([answer.example])
    assert scores.sum() == pytest.approx(answer.fields["log_probability"], abs=1e-3)
    scored = ask(diffusing, "likelihood", {"text": "The team pays."}, "shifted")
    tokens = diffusing.vocab.encode("The team pays.")
    assert scored.fields["tokens"] == len(tokens)


def test_blocks_are_written_one_after_another(diffusing):
    prompt = {"prompt": "The team"}
    answer = ask(diffusing, "continue", prompt, "blocks", Settings(max_tokens=9))
    assert answer.fields["tokens"] <= 9 and answer.fields["passes"] > 2
    size = len(answer.example.inputs)
    assert answer.example.inputs_sees.tolist() == [
        min(4 * (at // 4 + 1), size) for at in range(size)
    ]


def test_drafts_write_what_is_written_without_them(diffusing, asked):
    prompt = {"prompt": "The team"}
    plain = ask(diffusing, "continue", prompt, "causal", Settings(max_tokens=12))
    drafted = Settings(max_tokens=12, drafts=4)
    answer = ask(diffusing, "continue", prompt, "causal", drafted)
    assert answer.text == plain.text
    assert 0 < answer.fields["rounds"] <= 12
    assert answer.fields["accepted"] >= 0
    with pytest.raises(UsageError, match="ask in the form 'causal'"):
        ask(diffusing, "continue", prompt, "blocks", drafted)


def test_an_encoder_decoder_is_asked_in_its_two_streams(make_run, tmp_path):
    names = ("prefix", "span_corruption", "masked", "reconstruction", "block_diffusion")
    settings = ("train.rows = @encoder_decoder_rows()", "prefix.mode = 'S'")
    settings += ("block_diffusion.form = 'exact'", "block_diffusion.block = 4")
    run = make_run(tmp_path, names, *settings)
    coded = AskedModel(load_trained(run), batch_rows=8)
    assert coded.forms.shown["prefix"] == "S"
    for mode, form, row in (
        ("continue", "prefix", {"prompt": "The team"}),
        ("continue", "span", {"prompt": "The team"}),
        ("fill", "span", {"text": "The <blank> pays."}),
        ("masks", "masked", {"text": "The <mask> pays."}),
        ("restore", "reconstruction", {"text": "pays The."}),
    ):
        settings = Settings() if mode == "masks" else DRAWN
        answer = ask(coded, mode, row, form, settings)
        (scores,) = coded.score([answer.example])
        total = answer.fields["log_probability"]
        assert scores.sum() == pytest.approx(total, abs=1e-3), (mode, form)
        shown = answer.example.inputs[0] == coded.ids.mode("S")
        assert shown == (form == "prefix")
    answer = ask(coded, "continue", {"prompt": "The"}, "blocks", Settings(max_tokens=5))
    assert answer.fields["tokens"] <= 5
