"""Small files in the formats of published tests. Their content is our own."""

import json

BLIMP = {
    "sentence_good": "The cat sleeps.",
    "sentence_bad": "The cat sleep.",
    "field": "syntax/semantics",
    "linguistics_term": "agreement",
    "UID": "verbs_1",
    "pairID": "0",
}
PAIR = {"sentence_good": "She sees herself.", "sentence_bad": "She sees himself."}
LAMBADA = {
    "request": {
        "context": "Ann had a red kite. It flew. The wind took her",
        "continuation": " kite",
    },
    "task_name": "lambada",
}
STORY_HEAD = (
    "InputStoryid,InputSentence1,InputSentence2,InputSentence3,InputSentence4,"
    "RandomFifthSentenceQuiz1,RandomFifthSentenceQuiz2,AnswerRightEnding"
)
STORY = 'a1,"It rained, again.",We had no hat.,We ran.,We fell.,We got wet.,"Dry.",1'
SENTENCES = ["One came .", "Two did n't .", "Three sat ( here ) .", "Four .", "Five ."]

MOVED = [SENTENCES[2], *SENTENCES[:2], *SENTENCES[3:]]
"""With the third sentence first."""


def written(folder):
    """A folder with a file of each test, and one of none."""
    files = {
        "blimp/verbs_1.jsonl": json.dumps(BLIMP),
        "more/reflexives.jsonl": json.dumps(PAIR),
        "lambada/requests.jsonl": json.dumps(LAMBADA),
        "stories.csv": f"{STORY_HEAD}\n{STORY}",
        "SP/wiki/test.txt": "\t".join(["2", *MOVED]),
        "SP/wiki/train.txt": "\t".join(["0", *SENTENCES]),
        "BSO/wiki/test.txt": "\t".join(SENTENCES[:2]),
        "DC/wiki/test.txt": "\t".join(["0", *SENTENCES, "Six ."])
        + "\n"
        + "\t".join(["1", *SENTENCES[:4], "Other .", "Six ."]),
        "notes.txt": "Nothing of a test.",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return folder
