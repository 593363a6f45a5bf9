"""Questions and answers where the model's part is played by a function."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sightline.launch.inference import answer_file as files, blanks, blocks, likelihood
from sightline.launch.inference.asked import AskedModel
from sightline.launch.inference.modes import MODES
from sightline.launch.inference.settings import Settings
from sightline.launch.inference.trained_forms import TrainedForms
from sightline.launch.inference.writing import Question, Written
from sightline.models.rows import decoder_rows, encoder_decoder_rows
from sightline.objectives import registry
from sightline.objectives.causal import left_to_right
from sightline.objectives.errors import UsageError
from sightline.tasks.tokens.vocabulary import vocabulary

pytestmark = pytest.mark.unchecked


@pytest.fixture
def asked():
    """Asked without a model: rows of 64 slots."""
    made = object.__new__(AskedModel)
    made.vocab, made.batch_rows = vocabulary("bytes"), 2
    made.trained = SimpleNamespace(
        rows=decoder_rows(slots=64, predictions=64), model=None
    )
    made.__dict__["forms"] = TrainedForms({}, {}, {})
    return made


def full(asked, questions, settings, **_):
    """Writes all that each question has room for."""
    del settings
    word = asked.vocab.encode("x")
    for question in questions:
        asked.room(question.example, question.given, "the text")
    return [
        Written(np.repeat(word, q.most), np.zeros(q.most, np.float32), "", "length")
        for q in questions
    ]


def test_a_text_with_blanks_leaves_room_for_each(asked, monkeypatch):
    monkeypatch.setattr(blanks, "write", full)
    fill, settings = MODES["fill"], Settings()
    for size in range(30, 64):
        row = {"text": "<blank> a <blank> " + "b" * size}
        try:
            question = fill.ask(asked, row, 0, "middle", settings)
        except UsageError as error:
            assert "shorten it by" in str(error)
            assert size > 50
            continue
        (answer,) = fill.answer(asked, [question], "middle", settings, None)
        assert len(answer.fields["blanks"]) == 2 and all(answer.fields["blanks"])
        assert answer.fields["ended"] == "length"
    with pytest.raises(UsageError, match="shorten it by"):
        fill.ask(asked, {"text": "<blank> a <blank>" + "b" * 99}, 0, "middle", settings)


@pytest.mark.parametrize("spm", [0.0, 0.5, 1.0])
def test_a_blank_is_asked_for_in_an_order_that_was_trained(asked, spm):
    trained = registry.get("fill_in_middle").with_settings(spm=spm)
    asked.__dict__["forms"] = TrainedForms({}, {}, {"middle": trained})
    question = MODES["fill"].ask(
        asked, {"text": "ab<blank>cd"}, 0, "middle", Settings()
    )
    pre, suf, mid = asked.ids.fill
    before, after = asked.vocab.encode("ab"), asked.vocab.encode("cd")
    shown = (
        [pre, suf, *after, mid, *before] if spm else [pre, *before, suf, *after, mid]
    )
    given = question.question.given
    assert question.question.example.targets[:given].tolist() == shown


def test_a_likelihood_by_masks_holds_few_examples_at_a_time(asked, monkeypatch):
    held, most = [], likelihood._BATCHES * asked.batch_rows * 64

    def score(examples):
        held.append(sum(len(e.inputs) for e in examples))
        return [e.inputs_targets[e.inputs_weights > 0] for e in examples]

    monkeypatch.setattr(asked, "score", score, raising=False)
    texts = [np.arange(5, 5 + size) for size in (60, 3, 60)]
    questions = [
        likelihood.scored(asked, text.astype(np.int32), "masked") for text in texts
    ]
    found = likelihood.likelihoods(asked, questions)
    assert max(held) < most + 64 and len(held) > 3
    for text, log_p in zip(texts, found, strict=True):
        assert log_p.tolist() == text.tolist()


def test_a_likelihood_is_rounded_where_it_is_written(asked, monkeypatch):
    exact = np.array([-1.23456789, -2.0000001])
    monkeypatch.setattr(likelihood, "likelihoods", lambda *_: [exact])
    question = likelihood.scored(asked, asked.vocab.encode("ab"), "causal")
    (answer,) = MODES["likelihood"].answer(
        asked, [question], "causal", Settings(), None
    )
    assert answer.fields["log_likelihood"] == exact.sum()
    assert answer.line() == {
        "form": "causal",
        "log_likelihood": -3.2346,
        "tokens": 2,
        "per_token": [["a", -1.2346], ["b", -2.0]],
    }


def test_a_stop_text_inside_the_last_token_ends_blocks(asked, monkeypatch):
    before, word = asked.vocab.encode("ab"), asked.vocab.encode("cd.")
    tokens = np.tile(np.concatenate([before, word]), (2, 1))
    made = SimpleNamespace(
        tokens=tokens,
        lengths=np.array([5, 5]),
        log_probabilities=np.zeros((2, 5)),
        passes=np.array([3, 3]),
    )
    stream = lambda *_, **__: iter([SimpleNamespace(filled=made)])  # noqa: E731
    monkeypatch.setattr(
        blocks, "make_fill", lambda *_, **__: SimpleNamespace(stream=stream)
    )
    monkeypatch.setattr(asked, "allowed", lambda *_: None, raising=False)
    monkeypatch.setattr(asked, "placed", lambda batch: batch, raising=False)
    question = Question(0, left_to_right(before), 2, 3, before)
    (answer,) = blocks.continue_in_blocks(asked, [question], Settings(stop=(".",)))
    assert (answer.text, answer.fields["ended"]) == ("cd", "stop")


def coded_rows(slots, memory):
    return encoder_decoder_rows(
        slots=slots,
        predictions=slots,
        memory_slots=memory,
        memory_predictions=memory,
    )


CANVAS = {"block": 16, "form": "canvas"}
EXACT = {"block": 32, "form": "exact"}


@pytest.mark.parametrize(
    "shape, settings, most",
    [
        (decoder_rows(slots=512, predictions=512), CANVAS, 512),
        (coded_rows(1, 512), CANVAS, 512),
        (coded_rows(600, 128), CANVAS, 128),
        (coded_rows(256, 64), EXACT, 96),
    ],
)
def test_a_text_in_blocks_is_as_long_as_a_window_of_training(shape, settings, most):
    """A canvas is in the encoder; the exact form has the last block in the decoder."""
    objective = registry.get("block_diffusion").with_settings(**settings)
    forms = TrainedForms({}, {}, {"blocks": objective})
    stub: Any = SimpleNamespace(forms=forms, rows=shape)
    assert blocks.room_in_blocks(stub, 10) == most - 10
    with pytest.raises(UsageError, match=f"at most {most} in rows .* by 1 tokens"):
        blocks.room_in_blocks(stub, most)


def test_a_finished_job_asks_nothing(tmp_path, monkeypatch):
    def never(*_):
        raise AssertionError("asked again")

    mode = MODES["continue"]._replace(answer=never)
    job = files.Job([{"prompt": "a"}], [None], {})
    out = tmp_path / "out.jsonl"
    out.write_text('{"prompt": "a", "answer": {}}\n')
    (tmp_path / "out.jsonl.job.json").write_text("{}")
    some = SimpleNamespace(batch_rows=8)
    progress = lambda *_: None  # noqa: E731
    done = files.answer_file(
        job, out, some, mode, "causal", Settings(), progress=progress
    )
    assert done == 1


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e400"])
def test_a_number_that_json_cannot_hold_is_refused(tmp_path, asked, number):
    source = tmp_path / "in.jsonl"
    source.write_text('{"prompt": "a"}\n{"prompt": "a", "n": ' + number + "}\n")
    with pytest.raises(UsageError, match="line 2 is no JSON"):
        files.read_job(source, asked, MODES["continue"], "causal", Settings())
