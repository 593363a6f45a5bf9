"""What each known test takes for its own, and what it makes of a row."""

import itertools
import json

import pytest

from sightline.diagnosis.probes.published.files import data_files
from sightline.diagnosis.probes.published.published import catalogued, read_published
from sightline.objectives.errors import UsageError

from .formats import BLIMP, LAMBADA, PAIR, SENTENCES, STORY, STORY_HEAD


def read(folder, name, content):
    """The questions of a file, and the test that it belongs to."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    (found,) = read_published(folder).tests
    return found.test.name, found.questions


def recognising(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    files = data_files(folder).files
    return [t.name for t in catalogued().values() if any(map(t.recognises, files))]


def without(row, key):
    return json.dumps({name: value for name, value in row.items() if name != key})


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", json.dumps(BLIMP), ["BLiMP"]),
        *[
            ("a.jsonl", without(BLIMP, key), ["minimal pairs"])
            for key in ("UID", "field", "linguistics_term")
        ],
        ("a.jsonl", without(BLIMP, "sentence_bad"), []),
        ("a.csv", "x,sentence_good,sentence_bad\n", ["minimal pairs"]),
        ("a.tsv", "sentence_good\tsentence_bad\n", ["minimal pairs"]),
        ("a.csv", "sentence_good;sentence_bad\n", []),
        ("a.jsonl", json.dumps(LAMBADA), ["LAMBADA"]),
        ("lambada.jsonl", json.dumps({"task_name": "lambada", "text": "a b"}), []),
        ("my_LAMBADA.jsonl", json.dumps({"text": "a b"}), ["LAMBADA"]),
        ("other.jsonl", json.dumps({"text": "a b"}), []),
        ("lambada.jsonl", json.dumps({"texts": "a b"}), []),
        ("any.csv", STORY_HEAD, ["story cloze"]),
        ("any.csv", STORY_HEAD.replace("Quiz2", "Quiz3"), []),
        ("any.csv", STORY_HEAD.replace("AnswerRightEnding", "Answer"), []),
        ("SP/wiki/test.txt", "x", ["sentence position"]),
        ("x/dcs/wiki/test.txt", "x", []),
        ("x/dc/wiki/Test.txt", "x", ["discourse coherence"]),
        ("BSO/wiki/test.tsv", "x", []),
        ("BSO/test.txt", "x", ["sentence order"]),
        ("BSO.txt", "x", []),
        ("BSO/wiki/valid.txt", "x", []),
    ],
)
def test_files_are_recognised_by_their_names_and_first_lines(
    tmp_path, name, content, expected
):
    assert recognising(tmp_path, name, content) == expected


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (1, "1–40 words"),
        (40, "1–40 words"),
        (41, "41–60 words"),
        (80, "61–80 words"),
        (81, "81–100 words"),
        (100, "81–100 words"),
        (101, "more than 100 words"),
    ],
)
def test_passages_are_told_by_the_words_before_the_last(tmp_path, words, kind):
    text = " ".join(["w"] * words + ["end"])
    _, (question,) = read(tmp_path, "lambada.jsonl", json.dumps({"text": text}))
    assert question.kinds == (kind,)
    assert question.candidates == ((text[:-4], " end"),)


def test_a_last_word_has_one_space_before_it_and_none_behind(tmp_path):
    request = {"context": " He saw  her ", "continuation": " eyes "}
    row = json.dumps(LAMBADA | {"request": request})
    _, (question,) = read(tmp_path, "a.jsonl", row)
    assert question.candidates == (("He saw  her", " eyes"),)


def test_a_passage_of_one_word_is_refused(tmp_path):
    with pytest.raises(UsageError, match="line 1: 'word' has no text before it; give"):
        read(tmp_path, "lambada.jsonl", json.dumps({"text": " word "}))


@pytest.mark.parametrize(
    ("given", "paradigm"),
    [
        ({"UID": "u", "paradigm": "p", "phenomenon": "q"}, "u"),
        ({"UID": "", "paradigm": "p", "phenomenon": "q"}, "p"),
        ({"UID": None, "phenomenon": "q"}, "q"),
        ({}, "file"),
    ],
)
def test_a_pair_is_of_the_first_paradigm_that_is_named(tmp_path, given, paradigm):
    row = json.dumps({**PAIR, **given})
    name, (question,) = read(tmp_path, "Folder/File.jsonl", row)
    assert (name, question.kinds) == ("minimal pairs", (paradigm,))


@pytest.mark.parametrize("answer", ["1", "2", " 2 "])
def test_the_right_ending_is_counted_from_one(tmp_path, answer):
    rows = f'{STORY_HEAD}\n{STORY[:-1]}"{answer}"'
    _, (question,) = read(tmp_path, "Spring.csv", rows)
    assert question.answer == int(answer) - 1 and question.kinds == ("spring",)
    assert [after for _, after in question.candidates] == [" We got wet.", " Dry."]


@pytest.mark.parametrize("place", range(5))
def test_a_moved_sentence_is_put_at_each_place_in_turn(tmp_path, place):
    """At the one where it stood, the passage is as it was."""
    moved = [SENTENCES[place], *SENTENCES[:place], *SENTENCES[place + 1 :]]
    line = "\t".join([str(place), *moved])
    _, (question,) = read(tmp_path, "SP/wiki/test.txt", line)
    texts = [after for _, after in question.candidates]
    whole = "One came. Two didn't. Three sat (here). Four. Five."
    assert question.answer == texts.index(whole) == place
    assert len(set(texts)) == 5 and question.kinds == ("wiki",)
    assert all(sorted(text.split()) == sorted(whole.split()) for text in texts)


PASSAGES = {"0": [*SENTENCES, "Six ."], "1": [*SENTENCES[:4], "Other .", "Six ."]}


@pytest.mark.parametrize("order", ["01", "10"])
def test_the_right_passage_is_the_one_with_the_label_1(tmp_path, order):
    lines = "\n".join("\t".join([label, *PASSAGES[label]]) for label in order)
    _, (question,) = read(tmp_path, "DC/wiki/test.txt", lines)
    right = question.candidates[question.answer][1]
    assert right.endswith("Four. Other. Six.")


@pytest.mark.parametrize(
    ("labels", "replaced"), [("00", 1), ("11", 1), ("21", 1), ("01", 0), ("01", 2)]
)
def test_passages_of_one_label_or_of_more_differences_are_no_pair(
    tmp_path, labels, replaced
):
    other = [*SENTENCES, "Six ."]
    other[:replaced] = ["Other ."] * replaced
    lines = [
        "\t".join([labels[0], *SENTENCES, "Six ."]),
        "\t".join([labels[1], *other]),
    ]
    with pytest.raises(UsageError, match="line 2: not the line before with one"):
        read(tmp_path, "DC/wiki/test.txt", "\n".join(lines))


def test_two_sentences_are_asked_in_both_orders(tmp_path):
    _, (question,) = read(tmp_path, "BSO/arxiv/test.txt", "A b .\tC d .")
    assert question.candidates == (("A b.", " C d."), ("C d.", " A b."))
    assert (question.answer, question.kinds) == (0, ("arxiv",))


def test_draws_are_of_each_paradigm_in_the_order_of_the_files(tmp_path):
    for name, count in (("a", 5), ("b", 3)):
        rows = [{**PAIR, "sentence_good": f"{name} {n}."} for n in range(count)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (found,) = read_published(tmp_path, pairs=4).tests
    drawn = [question.candidates[0][1] for question in found.questions]
    assert drawn == sorted(drawn) and found.available == 8
    assert [text[0] for text in drawn] == [*"aaaabbb"]
    # Of another number at most; items are of other tests.
    assert len(read_published(tmp_path, pairs=1, items=9).tests[0].questions) == 2


def test_a_test_that_averages_over_items_is_drawn_from_as_a_whole(tmp_path):
    """Passages of all lengths together: each keeps its share of them."""
    texts = [f"{n} {'w ' * (50 * (n % 2))}end" for n in range(40)]
    rows = "\n".join(json.dumps({"text": text}) for text in texts)
    (tmp_path / "lambada.jsonl").write_text(rows)
    (found,) = read_published(tmp_path, items=10).tests
    assert len(found.questions) == 10
    assert len({question.kinds for question in found.questions}) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pairs": 0}, "--pairs_per_paradigm is 0"),
        ({"items": 0}, "--items is 0"),
        ({"seed": -1}, "--seed is -1"),
    ],
)
def test_wrong_numbers_of_questions_are_refused(tmp_path, given, message):
    with pytest.raises(UsageError, match=message):
        read_published(tmp_path, **given)


def test_every_known_test_says_where_it_is_from_and_what_others_scored():
    for name, test in catalogued().items():
        assert test.name == name and test.sample in ("pairs", "items")
        figures = itertools.chain(*(kind.values() for kind in test.published.values()))
        assert all(0 < figure <= 1 for figure in figures)
        assert test.modes("causal") and test.paper and test.licence and test.source
