"""Blanks in documents of the corpus `policies`, which lists their facts."""

from ....tasks.corpora.policies import Policy, value_words
from ..choices.paragraphs import word_count
from ..drift.swaps import sentence_at, sentences_of
from .blanks import Blank


def fact_blanks(policy: Policy, *, most_right: int) -> list[Blank]:
    """Every mention of a fact that only a later mention can tell.

    The false value is that of another fact of the kind, which is stated later as well.
    Text is shown from behind the last statement of either value, up to the sentence by
    which both have been stated once. Values are drawn independently, so neither is
    likelier a priori, and left out if the blank's paragraph goes on to state one of
    them: no paragraph of the corpus states a fact twice.

    Args:
      policy: the document.
      most_right: words after the blank.
    """
    sentences = sentences_of(policy.text)
    blanks: list[Blank] = []
    for index, mention in enumerate(policy.mentions):
        fact = policy.facts[mention.fact]
        kind = _KINDS.get(fact.kind, "number")
        rivals = {
            other.value
            for other in policy.facts
            if other.kind == fact.kind and other.value != fact.value
        }
        for rival in sorted(rivals):
            stating = [
                m
                for m in policy.mentions
                if policy.facts[m.fact].value in (fact.value, rival)
                and (kind != "polarity" or policy.facts[m.fact].kind == fact.kind)
            ]
            earlier = [m for m in stating if m.start < mention.start]
            later = [m for m in stating if m.start > mention.start][:2]
            values = [policy.facts[m.fact].value for m in later]
            if sorted(values) != sorted((fact.value, rival)):
                continue
            again = later[values.index(fact.value)]
            if again.fact != mention.fact or later[0].paragraph == mention.paragraph:
                continue
            right = sentence_at(sentences, later[1].start).stop
            if word_count(policy.text[mention.stop : right]) > most_right:
                continue
            blanks.append(
                Blank(
                    kind,
                    mention.start,
                    policy.text[mention.start : mention.stop],
                    value_words(policy, index, rival),
                    left=sentence_at(sentences, earlier[-1].start).stop
                    if earlier
                    else 0,
                    right=right,
                    evidence=again.start,
                    first=again is later[0],
                )
            )
    return blanks


_KINDS = {
    "approval": "entity",
    "permission": "polarity",
    "requirement": "polarity",
}
"""Kinds of items for the kinds of facts that state no number."""
