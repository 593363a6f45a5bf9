import hashlib
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from sightline.tasks import corpora
from sightline.tasks.corpora import EmptySplitError
from sightline.tasks.corpora._policies import domains, export as exporting
from sightline.tasks.corpora._policies.entropy import entropy, table
from sightline.tasks.corpora._policies.phrases import PHRASES
from sightline.tasks.corpora._policies.policy import KINDS
from sightline.tasks.corpora.policies import Policies

DIGEST = """
import hashlib
from sightline.tasks.corpora.policies import Policies
texts = Policies(seed=5).documents("train")
print(hashlib.sha256("".join(texts[i] for i in range(50)).encode()).hexdigest())
"""
TIMED = """
import time
from sightline.tasks.corpora.policies import Policies
texts = Policies().documents("train")
start = time.process_time()
sum(len(texts[i]) for i in range(300))
print(time.process_time() - start)
"""
# Of the fifty documents above: a change of the generator must be a choice.
FIFTY = "af3939962795b2b992c091bd05d36dc3bcef32b242d6df537f92be15f274d2d8"


def test_same_seed_same_bytes_in_any_process_and_python():
    def digest():
        command = [sys.executable, "-c", DIGEST]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    texts = Policies(seed=5).documents("train")
    here = hashlib.sha256("".join(texts[i] for i in range(50)).encode()).hexdigest()
    assert digest().stdout.strip() == here == FIFTY


def test_documents_differ_by_seed_split_and_index_not_by_their_number():
    few, many = Policies(train_documents=10), Policies(train_documents=10_000)
    assert list(few.documents("train")) == many.documents("train")[:10]
    texts = {
        Policies(seed=seed).documents(split)[index]
        for seed in (0, 1, 2**32 - 1)
        for split in ("train", "validation")
        for index in (0, 1, 999)
        if index < 1000
    }
    assert len(texts) == 3 * 2 * 3


def test_is_a_corpus_of_random_access():
    corpus = corpora.get("policies", validation_documents=7)
    assert isinstance(corpus, corpora.Corpus)
    texts = corpus.documents("validation")
    assert len(texts) == 7 and texts[-1] == texts[6] == texts[5:][1]
    with pytest.raises(IndexError):
        texts[7]
    with pytest.raises(ValueError, match="did you mean 'train'"):
        corpus.documents("trian")


def test_twenty_thousand_take_less_than_two_minutes():
    # In a process of its own: here every call's types are checked.
    command = [sys.executable, "-c", TIMED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) / 300 < 120 / 20_000


def test_a_document_has_the_stated_size(policies):
    words = [len(policy.text.split()) for policy in policies]
    assert min(words) >= 300 and max(words) <= 1500
    assert {len(policy.titles) for policy in policies} == set(range(5, 10))
    assert len({policy.domain for policy in policies}) == len(domains.DOMAINS) >= 6
    for policy in policies:
        paragraphs = policy.text.split("\n\n")
        assert paragraphs == [policy.text[p.start : p.stop] for p in policy.paragraphs]


def test_every_fact_is_restated_in_two_later_paragraphs_in_other_words(policies):
    for policy in policies:
        for index in range(len(policy.facts)):
            own = [m for m in policy.mentions if m.fact == index]
            assert len({m.paragraph for m in own}) == len(own) >= 3
            assert len({m.phrase for m in own}) == len(own)
        for m in policy.mentions:
            paragraph = policy.paragraphs[m.paragraph]
            assert paragraph.start <= m.start < m.stop <= paragraph.stop
            assert paragraph.section == m.section


def test_each_paragraph_takes_the_file_up_where_the_last_one_left_it(policies):
    for policy in policies:
        pairs = list(zip(policy.paragraphs, policy.paragraphs[1:], strict=False))
        assert all(a.receiver == b.giver for a, b in pairs)
        assert all(a.giver != b.receiver for a, b in pairs)


def test_values_are_uniform_and_apart_from_domain_place_and_each_other(policies):
    numbers = [
        int(fact.value.split()[0])
        for policy in policies
        for fact in policy.facts
        if fact.kind in ("retention", "deadline", "interval")
    ]
    counts = np.bincount(numbers, minlength=51)[11:51]
    expected = counts.sum() / 40
    chi = ((counts - expected) ** 2 / expected).sum()
    assert chi < 39 + 4 * math.sqrt(2 * 39)
    poles = [
        (policy.domain, fact.value)
        for policy in policies
        for fact in policy.facts
        if fact.kind in ("permission", "requirement")
    ]
    for domain in {name for name, _ in poles}:
        said = [value == "yes" for name, value in poles if name == domain]
        assert abs(np.mean(said) - 0.5) < 4 * 0.5 / math.sqrt(len(said))


def test_first_and_later_mentions_have_the_same_wordings(policies):
    counts = np.zeros((2, len(KINDS), 8))
    for policy in policies:
        seen = set()
        for m in policy.mentions:
            kind = KINDS.index(policy.facts[m.fact].kind)
            counts[int(m.fact in seen), kind, m.phrase] += 1
            seen.add(m.fact)
    for first, later in zip(*counts, strict=True):
        p = first / first.sum(), later / later.sum()
        spread = np.sqrt(0.125 * 0.875 * (1 / first.sum() + 1 / later.sum()))
        assert np.abs(p[0] - p[1]).max() < 4.5 * spread


def test_sections_come_in_any_order(policies):
    first = [policy.mentions[0].section_kind for policy in policies]
    assert len(set(first)) == 8
    before = [
        kinds.index("purpose") < kinds.index("review")
        for policy in policies
        if {"purpose", "review"}
        <= set(kinds := [m.section_kind for m in policy.mentions])
    ]
    assert abs(np.mean(before) - 0.5) < 4 * 0.5 / math.sqrt(len(before))


def test_no_subject_occurs_twice_and_none_within_another_of_its_domain():
    names = [name for found in domains.subjects().values() for name in found]
    assert len(set(names)) == len(names) == len(domains.DOMAINS) * 7 * 6
    for domain in domains.DOMAINS:
        assert tuple(domain.subjects) == KINDS == tuple(PHRASES)


def test_entropy_agrees_with_a_count_by_hand():
    # One kind, one fact, all wording fixed but the phrases: every factor is known.
    corpus = Policies(
        fewest_sections=3,
        most_sections=3,
        most_paragraphs=1,
        fewest_facts=1,
        most_facts=1,
        fewest_mentions=3,
        most_mentions=3,
        most_links=1,
        fewest_fillers=0,
        most_fillers=0,
        numbers=16,
        departments=4,
        kinds=("retention",),
        titled=0.0,
        openers=0.0,
        references=0.0,
        second_forms=0.0,
    )
    policies = [corpus.policy("train", i) for i in range(300)]
    found = entropy(policies)
    assert found.bits["values"] == pytest.approx(math.log2(16 * 3))
    assert found.bits["templates"] == pytest.approx(math.log2(8 * 7 * 6) + 3 * 3)
    # Of the 48 values, counted in the texts.
    counts = np.unique([p.facts[0].value for p in policies], return_counts=True)[1]
    share = counts / counts.sum()
    measured = -(share * np.log2(share)).sum() + (48 - 1) / (2 * 300 * math.log(2))
    assert measured == pytest.approx(math.log2(48), abs=0.15)
    assert found.per_token() == pytest.approx(sum(found.bits.values()) / found.tokens)
    assert "values" in table(found)
    with pytest.raises(ValueError, match="no documents"):
        entropy([])


def test_an_empty_split_says_so():
    corpus = Policies(validation_documents=0)
    with pytest.raises(EmptySplitError, match=r"policies.validation_documents is 0"):
        corpus.documents("validation")
    assert len(corpus.documents("train")) > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**32}, "seed is 4294967296"),
        ({"train_documents": -1}, "train_documents is -1"),
        ({"train_documents": 0}, r"train_documents is 0; set it within \[1,"),
        ({"fewest_sections": 8, "most_sections": 6}, "swap them"),
        ({"most_sections": 12}, r"most_sections is 12; set it within \[1, 9\]"),
        ({"fewest_sections": 2}, r"raise policies\.fewest_sections"),
        ({"kinds": ("retentoin",)}, "did you mean 'retention'"),
        ({"kinds": ()}, "at least one"),
        ({"kinds": ("amount",), "most_facts": 7}, r"within \[1, 6\]"),
        ({"titled": 1.5}, "titled is 1.5"),
        ({"numbers": 81}, "numbers is 81"),
        ({"departments": 3}, "departments is 3"),
        ({"wordings": 9}, r"wordings is 9; set it within \[1, 8\]"),
        ({"wordings": 3}, r"most_mentions is 4; set it within \[1, 3\]"),
    ],
)
def test_settings_that_no_document_can_meet_are_refused(settings, message):
    with pytest.raises(ValueError, match=message) as refused:
        Policies(**settings)
    # As gin binds it: a mixture may have a dozen settings of these names.
    assert "policies." in str(refused.value)


def test_small_documents_of_few_facts():
    corpus = Policies(
        fewest_sections=3,
        most_sections=4,
        most_paragraphs=1,
        fewest_facts=4,
        most_facts=4,
        most_mentions=3,
        most_links=1,
        fewest_fillers=0,
        most_fillers=0,
        titled=0.0,
        openers=0.0,
        references=0.0,
        second_forms=0.0,
    )
    policies = [corpus.policy("train", index) for index in range(100)]
    assert all(len(policy.mentions) == 12 for policy in policies)
    assert max(len(policy.text.split()) for policy in policies) < 200


def test_few_wordings_are_the_first_ones():
    few = Policies(wordings=4, fewest_links=2)
    policies = [few.policy("train", index) for index in range(30)]
    assert {m.phrase for policy in policies for m in policy.mentions} == set(range(4))
    whole = [Policies().policy("train", index) for index in range(30)]
    assert max(m.phrase for policy in whole for m in policy.mentions) == 7
    told = "".join(policy.text for policy in policies)
    assert "keeps watch while" not in told and "receives the file from" in told


def test_export_writes_a_line_a_document_or_nothing(tmp_path):
    corpus = Policies(train_documents=5)
    path = exporting.export(tmp_path, corpus=corpus, split="train", documents=3)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["text"] for line in lines] == corpus.documents("train")[:3]
    for line in lines:
        for mention in line["mentions"]:
            assert mention["words"] in line["text"][mention["start"] :]
    with pytest.raises(ValueError, match="documents is 9"):
        exporting.export(tmp_path, corpus=corpus, split="train", documents=9)

    def broken():
        yield corpus.policy("train", 0)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        exporting.write_jsonl(tmp_path / "broken.jsonl", broken())
    assert [file.name for file in tmp_path.iterdir()] == ["train.jsonl"]
