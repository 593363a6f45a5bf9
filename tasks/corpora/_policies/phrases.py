"""The wordings of facts: phrases of each kind, any of which may be the first mention.

`{s}` is the fact's subject, `{v}` its value. A value of two poles has no words of its
own: a phrase gives the words for both.
"""

from typing import NamedTuple


class Phrase(NamedTuple):
    """One wording; `poles` are the words for (permitted or required, the opposite)."""

    text: str
    poles: tuple[str, str] | None = None


def _phrases(*texts: str) -> tuple[Phrase, ...]:
    return tuple(map(Phrase, texts))


PHRASES: dict[str, tuple[Phrase, ...]] = {
    "retention": _phrases(
        "{s} are kept for {v}",
        "the retention period for {s} is {v}",
        "nobody may destroy {s} before {v} have passed",
        "after {v}, {s} are deleted",
        "{s} stay in the archive for {v}",
        "we hold {s} for {v} after the file is closed",
        "a period of {v} applies to the storage of {s}",
        "{s} remain open to auditors for {v}",
    ),
    "deadline": _phrases(
        "{s} is reported within {v}",
        "anyone who learns of {s} has {v} to report it",
        "the deadline for reporting {s} is {v}",
        "no later than {v} after {s}, a written notice is filed",
        "a report of {s} reaches the regulator within {v}",
        "once {s} is discovered, {v} are allowed for the report",
        "{v} is the longest that {s} may go unreported",
        "those who find {s} must give notice of it within {v}",
    ),
    "amount": _phrases(
        "spending on {s} may not exceed {v}",
        "the yearly ceiling for {s} is {v}",
        "up to {v} a year may be spent on {s}",
        "the budget for {s} stops at {v}",
        "{v} is the most that may be paid for {s} in one year",
        "claims for {s} are paid up to {v}",
        "no unit commits more than {v} a year to {s}",
        "for {s}, the limit stands at {v}",
    ),
    "interval": _phrases(
        "{s} is carried out every {v}",
        "{s} takes place once every {v}",
        "no more than {v} may pass before {s} is repeated",
        "the time between two runs of {s} is {v}",
        "every {v}, {s} is done in full",
        "{s} falls due again after {v}",
        "the calendar provides for {s} at intervals of {v}",
        "{s} is never put off for longer than {v}",
    ),
    "approval": _phrases(
        "{s} need the approval of the {v}",
        "the {v} signs off {s}",
        "only the {v} may approve {s}",
        "{s} are decided by the {v}",
        "requests for {s} go to the {v}",
        "the authority to grant {s} lies with the {v}",
        "without the consent of the {v}, {s} have no effect",
        "{s} take effect once the {v} has agreed",
    ),
    "permission": (
        Phrase("{s} is {v}", ("permitted", "prohibited")),
        Phrase("the company {v} {s}", ("allows", "forbids")),
        Phrase("{s} is {v} at any site", ("allowed", "not allowed")),
        Phrase("managers {v} consent to {s}", ("may", "may not")),
        Phrase("{s} {v} under this policy", ("may take place", "must not take place")),
        Phrase("requests for {s} are {v}", ("granted", "refused")),
        Phrase("{s} counts as {v} conduct", ("acceptable", "unacceptable")),
        Phrase("this policy {v} {s}", ("leaves room for", "leaves no room for")),
    ),
    "requirement": (
        Phrase("{s} is {v}", ("required", "not required")),
        Phrase("{s} is treated as {v}", ("mandatory", "optional")),
        Phrase("the company {v} on {s}", ("insists", "does not insist")),
        Phrase("work {v} go ahead without {s}", ("must not", "may")),
        Phrase("{s} {v} in place before work begins", ("must be", "need not be")),
        Phrase("those in charge {v} to obtain {s}", ("have", "do not have")),
        Phrase("this policy {v} for {s}", ("calls", "does not call")),
        Phrase("the step {v} left out is {s}", ("that cannot be", "that can be")),
    ),
}
"""Every kind's phrases by the kind's name."""

OPENERS = (
    "as a rule,",
    "in every case,",
    "for the avoidance of doubt,",
    "in practice,",
    "in the ordinary course,",
    "as matters stand,",
    "to be clear,",
    "throughout the company,",
)
"""May open any sentence of any sort, at the same rate everywhere."""
