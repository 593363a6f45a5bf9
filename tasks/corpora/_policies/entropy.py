"""The entropy of a document, from the generator's own choices."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ....objectives.errors import UsageError
from .draws import ACCOUNTS
from .policy import Policy


class Entropy(NamedTuple):
    """Means over documents.

    Attributes:
      documents: how many were drawn.
      tokens: of a document.
      bits: of a document, by account of `Draws`.
    """

    documents: int
    tokens: float
    bits: dict[str, float]

    def per_token(self, account: str | None = None) -> float:
        """Bits per token, of one account or of all together."""
        bits = sum(self.bits.values()) if account is None else self.bits[account]
        return bits / self.tokens


def entropy(
    policies: Iterable[Policy], *, tokenise: Callable[[str], list] = str.split
) -> Entropy:
    """The entropy of a document's choices, `mean of -log2 p(choices)`, and its parts.

    The text follows from the choices, so this is an upper bound on the entropy of the
    text. It is a close one: nearly every choice shows in the text. A few do not: which
    of a fact's mentions is the one in its home section, if two are; the title of a
    section that no paragraph shows; whether an outside subject was the only choice.

    Args:
      policies: documents.
      tokenise: splits a text into tokens; by default into words.
    """
    documents, tokens = 0, 0
    bits = dict.fromkeys(ACCOUNTS, 0.0)
    for policy in policies:
        documents += 1
        tokens += len(tokenise(policy.text))
        for account in ACCOUNTS:
            bits[account] += policy.bits[account]
    if not documents:
        raise UsageError("no documents to take the entropy of; give at least one.")
    means = {account: total / documents for account, total in bits.items()}
    return Entropy(documents, tokens / documents, means)


def table(means: Entropy) -> str:
    """The entropy as lines of text: bits of a document and of a token by account."""
    lines = [f"{'choices':<10}{'bits a document':>17}{'bits a token':>14}"]
    for account, bits in means.bits.items():
        lines.append(f"{account:<10}{bits:>17.1f}{means.per_token(account):>14.3f}")
    total = sum(means.bits.values())
    lines.append(f"{'all':<10}{total:>17.1f}{means.per_token():>14.3f}")
    return "\n".join(lines)
