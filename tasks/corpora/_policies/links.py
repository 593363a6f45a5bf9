"""What ties paragraphs together: hand-overs between departments, and references.

A paragraph passes the file from one department to another; the next paragraph passes it
on from there. So the order of two paragraphs shows only to a reader who matches the
one's receiver with the other's giver: every word of a hand-over is as likely in any
paragraph, and giver, receiver and informed come first in a sentence in about equal
parts.
"""

DEPARTMENTS = tuple(
    """Accounts Actuarial Archives Audit Billing Collections Communications Compliance
    Contracts Design Dispatch Engineering Estates Ethics Facilities Finance Forecasting
    Inspection Inventory Investigations Legal Liaison Licensing Logistics Maintenance
    Marketing Operations Payroll Personnel Planning Privacy Procurement Publications
    Quality Registry Research Risk Sales Security Settlements Strategy Supply
    Surveillance Taxation Testing Training Transport Treasury Valuation
    Verification""".split()
)
"""Departments of any company; `{x}`, `{y}` and `{w}` below."""

LINKS = (
    "{x} passes the file to {y} and tells {w}",
    "{y} receives the file from {x}, and {w} is informed",
    "once {x} is done, {y} takes over, with notice to {w}",
    "{y} takes over from {x} and keeps {w} informed",
    "{w} gets a copy when the file goes from {x} to {y} for further work",
    "{x} is followed by {y}, and {w} is told so",
    "{w} is told when {x} hands the file to {y} for the next step",
    "{w} keeps watch while {y} completes what {x} has begun to do",
)
"""The file goes from `{x}` to `{y}`; `{w}` is informed.

At least three words follow either before the sentence ends. So no five words in a row,
the full stop counted, hold the receiver of one hand-over and the giver of the next.
"""

SECTION_REFERENCES = (
    "this is read together with the part on {t}",
    "the part on {t} settles any doubt about these words",
    "nothing here departs from the part on {t}",
    "the terms set out in the part on {t} apply here too",
    "what the part on {t} says is not repeated",
    "these lines build on the part on {t}",
)
"""References to another section by its title, `{t}`."""

FACT_REFERENCES = (
    "the {n} for {s} is not changed by this",
    "the {n} already fixed for {s} holds here too",
    "this leaves the {n} for {s} as it is",
    "those concerned have the {n} for {s} in mind",
    "the {n} for {s} is taken as known",
    "the {n} set for {s} comes first in a conflict",
)
"""References to a fact without its value; `{n}` is one of `NOUNS`."""

NOUNS = {
    "retention": "retention period",
    "deadline": "reporting deadline",
    "amount": "spending limit",
    "interval": "cycle",
    "approval": "line of approval",
    "permission": "position",
    "requirement": "condition",
}
"""Names for a fact of each kind if its value is left out."""
