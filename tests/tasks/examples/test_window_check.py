"""What a corpus gives an objective: seen before anything is trained on it."""

import json

import pytest
import sentencepiece

from sightline.models.rows import decoder_rows
from sightline.objectives.errors import UsageError
from sightline.tasks.examples.mixture import Mixture
from sightline.tasks.examples.window_check import check_windows, remarks

ROWS = decoder_rows(slots=128, predictions=128)
CHINESE = "今天天气很好。我们去公园散步吧！你觉得怎么样？他说没问题。"
ENGLISH = "The vault is inspected daily. Nobody may enter it alone. Ask the clerk. "


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """`corpus(text)`: settings of a text corpus whose documents all say much that."""
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))

    def make(text, *, numbered=True):
        folder = tmp_path / "papers"
        folder.mkdir()
        texts = [f"{n} {text} {n}" if numbered else text for n in range(60)]
        lines = [json.dumps({"text": one}) for one in texts]
        (folder / "a.jsonl").write_text("\n".join(lines))
        return {"text": {"folder": str(folder)}}

    return make


def trained(folder, text, **settings):
    (folder / "text").write_text(text)
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "text"),
        model_prefix=str(folder / "own"),
        hard_vocab_limit=False,
        vocab_size=60,
        minloglevel=2,
        **settings,
    )
    return str(folder / "own.model")


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    """A vocabulary of English pieces that spells nothing else."""
    lines = ENGLISH.replace(". ", ".\n") * 20
    return trained(tmp_path_factory.mktemp("vocabulary"), lines)


@pytest.fixture(scope="module")
def chinese(tmp_path_factory):
    """A vocabulary of Chinese characters."""
    folder = tmp_path_factory.mktemp("vocabulary")
    return trained(folder, (CHINESE + "0123456789\n") * 20, model_type="char")


def mixed(name, settings, vocabulary, **own):
    rates = {f"text.{name}": 1.0}
    settings = {**settings, **({name: own} if own else {})}
    return Mixture("m", rates, settings=settings, vocabulary=vocabulary)


def test_a_vocabulary_that_cannot_spell_the_corpus_is_refused(corpus, english):
    mixture = mixed("causal", corpus(CHINESE), english)
    with pytest.raises(UsageError, match=r"cannot spell the corpus 'text': .*unknown"):
        check_windows(mixture, ROWS)


def test_one_unknown_token_may_stand_for_half_a_text(corpus, english):
    text = ENGLISH + " " + CHINESE * 9
    with pytest.raises(UsageError, match=r"cannot spell the .*of its characters"):
        check_windows(mixed("causal", corpus(text), english), ROWS)


def test_what_it_can_spell_is_told_in_figures(corpus, english):
    found, tasks = check_windows(mixed("causal", corpus(ENGLISH * 2), english), ROWS)
    assert 0 < found["text"].unknown < 0.05  # its digits
    digits = sum(2 * len(str(n)) for n in range(60))
    letters = 60 * len("".join((ENGLISH * 2).split()))
    # Of the documents some are held out.
    assert found["text"].lost == pytest.approx(digits / (digits + letters), rel=0.05)
    assert found["text"].altered == 1
    assert tasks["text.causal"].idle == tasks["text.causal"].without_example == 0
    assert "of the tokens are unknown" in remarks(found, tasks)[0]


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("masked", {"unit": "word"}),
        ("reconstruction", {"shuffle": 1.0}),
        ("sentence_pair", {"unit": "sentence"}),
    ],
)
def test_words_and_sentences_are_told_without_spaces(corpus, chinese, name, own):
    mixture = mixed(name, corpus(CHINESE * 9), chinese, **own)
    _, tasks = check_windows(mixture, ROWS)
    assert tasks[f"text.{name}"].idle < 0.5


def test_each_character_is_a_word_also_in_bytes(corpus):
    mixture = mixed("masked", corpus(CHINESE * 3), "bytes", unit="word")
    assert check_windows(mixture, ROWS)[1]["text.masked"].idle == 0


@pytest.mark.parametrize(
    ("name", "own"),
    [("masked", {"unit": "word"}), ("reconstruction", {"shuffle": 1.0})],
)
def test_a_setting_that_acts_nowhere_is_refused(corpus, name, own):
    mixture = mixed(name, corpus("x" * 900, numbered=False), "bytes", **own)
    with pytest.raises(UsageError, match=rf"text.{name}: a setting .* can act on none"):
        check_windows(mixture, ROWS)


def test_text_that_repeats_itself_gives_no_pairs(corpus):
    mixture = mixed("sentence_pair", corpus("aaaa" * 300), "bytes", max_tokens=40)
    _, tasks = check_windows(mixture, ROWS)
    share = tasks["text.sentence_pair"].without_example
    assert share > 0.5
    assert "of the windows give no Example" in remarks({}, tasks)[0]


@pytest.mark.parametrize("unit", ["token", "sentence"])
def test_a_kind_that_the_documents_do_not_allow_is_counted_and_said(corpus, unit):
    """Nothing is further on than the end of the document."""
    mixture = Mixture(
        "m",
        {"text.sentence_pair": 1},
        vocabulary="python_docs",
        settings={
            **corpus("A word here. Another is there. A third one too. ", numbered=True),
            "sentence_pair": {
                "other": 0.0, "further": 0.5, "swapped": 0.0, "unit": unit,
                "distance": 10**9,
            },
        },
    )  # fmt: skip
    spellings, tasks = check_windows(mixture, ROWS)
    assert tasks["text.sentence_pair"].events["negatives swapped instead"] > 0
    lines = remarks(spellings, tasks)
    assert any("negatives swapped instead: " in line for line in lines)


def test_negatives_that_are_drawn_again_are_counted_and_said(corpus):
    mixture = Mixture(
        "m",
        {"text.sentence_pair": 1},
        vocabulary="bytes",
        settings={
            **corpus("an end. " + "ab" * 300, numbered=True),
            "sentence_pair": {"other": 0.0, "further": 1.0, "swapped": 0.0},
        },
    )
    spellings, tasks = check_windows(mixture, ROWS)
    found = tasks["text.sentence_pair"]
    assert found.events["negatives drawn again"] > 0
    assert any("negatives drawn again: " in line for line in remarks(spellings, tasks))
