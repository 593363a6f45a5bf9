"""What DiscoEval's files have in common: folders, splits, and text cut into tokens."""

import re

from .files import DataFile

PAPER = "Chen et al. 2019, EMNLP"
SOURCE = "github.com/ZeweiChu/DiscoEval, data"
LICENCE = "not stated; made of Wikipedia, arXiv, ROCStories and Ubuntu chats"
NOTE = (
    "Published figures are of a classifier trained on a model's frozen sentence "
    "vectors, not of likelihoods."
)

_JOINED = re.compile(r" (?=[.,;:!?%)\]]|n't\b|'(?:s|re|ve|ll|d|m)\b)|(?<=[(\[$]) ")


def is_split(file: DataFile, folder: str) -> bool:
    """Whether a file is the test split of a domain of a task: `SP/wiki/test.txt`."""
    *folders, name = file.parts
    return folder in folders and name == "test" and file.name.endswith(".txt")


def domain(file: DataFile) -> str:
    """The folder of a file: "wiki", "arxiv", …."""
    return file.parts[-2]


def text(tokens: str) -> str:
    """The text of tokens divided by spaces, as the Penn Treebank cuts them."""
    plain = re.sub(r"`` | ''", '"', tokens)
    return _JOINED.sub("", plain)
