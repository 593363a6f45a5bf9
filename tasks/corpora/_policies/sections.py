"""The sections of a policy: their titles, and sentences besides their facts.

`{people}`, `{clients}`, `{sites}` and `{system}` are words of the document's domain.
"""

TITLES: dict[str, tuple[str, ...]] = {
    "purpose": ("purpose", "aims", "background", "intent"),
    "scope": ("scope", "coverage", "reach", "application"),
    "definitions": ("definitions", "terms used", "meaning of words", "interpretation"),
    "obligations": ("obligations", "duties", "conduct of work", "tasks and limits"),
    "exceptions": ("exceptions", "special cases", "departures", "relief"),
    "retention": ("retention", "record keeping", "storage", "archiving"),
    "reporting": ("reporting", "notices", "escalation", "disclosure"),
    "review": ("review", "renewal", "monitoring", "upkeep"),
}
"""The titles that each section may have."""

KINDS = (*TITLES, "obligations")
"""Sections that a document draws from, without replacement."""

HOMES = {
    "retention": "retention",
    "deadline": "reporting",
    "amount": "obligations",
    "interval": "review",
    "approval": "obligations",
    "permission": "exceptions",
    "requirement": "scope",
}
"""The section that mentions each kind of fact, if the document has it."""

FILLERS: dict[str, tuple[str, ...]] = {
    "purpose": (
        "the aim is that {clients} can rely on what {people} do in {sites}",
        "clear rules protect {clients} and make the work of {people} easier",
        "the company answers to its regulator for the state of {system}",
        "trust between {clients} and {people} is the reason for these rules",
        "these rules turn the duties of the law into steps for {people}",
        "good order in {sites} is worth more than speed",
        "errors in {system} harm {clients} before they harm the company",
    ),
    "scope": (
        "these rules bind {people} in all {sites}",
        "contractors who use {system} are treated like {people}",
        "{clients} are not bound by these rules but may rely on them",
        "work done outside {sites} is covered when it touches {system}",
        "the rules reach {people} on leave if they still have access to {system}",
        "joint ventures that share {sites} with the company are included",
        "where local law in the country of {sites} is stricter, it comes first",
    ),
    "definitions": (
        "the word staff means {people} and all who stand in for them",
        "a site is any of the {sites} listed by the company",
        "the file is the set of entries about one matter in {system}",
        "the term customer stands for {clients} and those who act for them",
        "a written notice may be given through {system}",
        "a month is counted by date, and a day ends when {sites} close",
        "an entry is anything that {people} save in {system}",
    ),
    "obligations": (
        "{people} note every step in {system} on the day it is taken",
        "{people} answer questions from {clients} in plain words",
        "supervisors in {sites} check the work of {people} by sample",
        "no one shares a login to {system}",
        "{people} stop work when they see a risk to {clients}",
        "supervisors make sure that {people} have read these rules",
        "the state of {sites} is noted in {system} at the end of the shift",
    ),
    "exceptions": (
        "a departure from these rules is noted in {system} with its reason",
        "pressure from {clients} is no ground for a departure",
        "in an emergency {people} act first and write the note later",
        "relief for one of the {sites} does not extend to the others",
        "a departure ends when its reason ends, and {people} are told",
        "small {sites} may share duties that larger ones keep apart",
        "where {system} is down, {people} may work on paper",
    ),
    "retention": (
        "paper from {sites} is scanned into {system} and then shredded",
        "nothing is removed from {system} while a dispute with {clients} is open",
        "copies that {people} keep for their own use are not records",
        "the archive is kept apart from {sites} and locked",
        "{clients} may ask what {system} holds about them",
        "{people} who leave the company hand over their notes",
        "destruction is done by two people and noted in {system}",
    ),
    "reporting": (
        "{people} may report a concern without giving their name",
        "reports are made through {system} and not by word of mouth",
        "{clients} are told in writing when their interests are touched",
        "nobody who reports in good faith suffers for it, in {sites} or elsewhere",
        "reports from {sites} are read by two people",
        "{people} do not wait for proof before they speak up",
        "a report names the entry in {system} that it is about",
    ),
    "review": (
        "lessons from {sites} find their way into the next edition",
        "{people} are asked what hinders them before the text is changed",
        "complaints from {clients} are looked at for patterns",
        "changes to {system} lead to a fresh look at these rules",
        "old editions stay in {system} so that past acts can be judged",
        "auditors visit {sites} without notice",
        "{people} are trained again when the text is changed",
    ),
}
"""Sentences of each section that state no fact of the document."""
