import ast
import inspect
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from sightline.tasks import corpora
from sightline.tasks.corpora import _python_docs_builder as builder_of
from sightline.tasks.corpora._docstrings import in_source
from sightline.tasks.corpora._prose import paragraphs

PREPARE = """
from pathlib import Path
import sys
from sightline.tasks.corpora._python_docs_builder import prepare
Path(sys.argv[2]).touch()
while len(list(Path(sys.argv[2]).parent.glob("ready*"))) < 2: pass
builder = prepare(Path(sys.argv[1]))
print([builder.info.splits[s].num_examples for s in ("train", "validation")])
"""


@pytest.fixture(scope="module")
def documents():
    corpus = corpora.get("python_docs")
    return {split: list(corpus.documents(split)) for split in corpus.splits}


def test_python_docs_is_two_megabytes_split_by_module(documents):
    sizes = {split: sum(map(len, texts)) for split, texts in documents.items()}
    assert sum(sizes.values()) >= 2_000_000
    assert sizes["validation"] >= 80_000
    names = [name for name, _ in builder_of.texts()]
    modules = {name.partition("#")[0] for name in names}
    assert len(modules) < len(names)
    held_out = [name for name in modules if builder_of.split_of(name) == "validation"]
    assert 0.04 <= len(held_out) / len(modules) <= 0.09
    for name in names:  # a class goes where its module goes
        module = name.partition("#")[0]
        assert builder_of.split_of(name) == builder_of.split_of(module)


def test_python_docs_of_other_documents_is_another_corpus(tmp_path, monkeypatch):
    """Of the same release: a build of CPython may lack packages."""
    identities = []
    for count in (100, 99, 100):
        texts = [(f"module/{n}", f"Paragraph {n}.") for n in range(count)]
        monkeypatch.setattr(builder_of, "texts", lambda found=texts: iter(found))
        monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / str(len(identities))))
        identities.append(corpora.get("python_docs").identity())
    assert identities[0] == identities[2] != identities[1]


def test_no_paragraph_of_python_docs_occurs_twice(documents):
    found = [
        paragraph
        for texts in documents.values()
        for text in texts
        for paragraph in text.split("\n\n")
    ]
    assert len(found) == len(set(found)) > 15_000
    assert all(paragraph == paragraph.strip() != "" for paragraph in found)
    assert not any("\n" in paragraph or ">>> " in paragraph for paragraph in found)


def test_python_docs_reads_as_english(documents):
    text = " ".join(documents["validation"])
    words = text.lower().split()
    assert words.count("the") / len(words) > 0.04  # about 6 % of English prose
    letters = sum(letter.isalpha() or letter == " " for letter in text)
    assert letters / len(text) > 0.9


def test_documents_are_read_by_random_access(documents):
    read = corpora.get("python_docs").documents("validation")
    assert read[3] == documents["validation"][3]
    with pytest.raises(IndexError, match=f"document {len(read)} of {len(read)}"):
        read[len(read)]


def test_two_processes_that_prepare_at_once_both_succeed(tmp_path):
    data = tmp_path / "data"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PREPARE, str(data), str(tmp_path / f"ready{n}")],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(2)
    ]
    printed = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert printed[0] == printed[1] != ""
    assert [path.name for path in data.iterdir()] == ["python_docs"]


def test_unknown_names_are_errors_with_the_nearest():
    with pytest.raises(ValueError, match="'pyhton_docs'; did you mean 'python_docs'"):
        corpora.get("pyhton_docs")
    with pytest.raises(ValueError, match=r"no split 'vaildation'; .* 'validation'"):
        corpora.check_split(corpora.get("python_docs"), "vaildation")


def test_the_scan_for_docstrings_agrees_with_ast():
    root = Path(sysconfig.get_paths()["stdlib"])
    modules = ["argparse", "logging/__init__", "tarfile", "typing", "json/decoder"]
    for module in modules:
        source = (root / f"{module}.py").read_text()
        exact = {
            inspect.cleandoc(docstring)
            for node in ast.walk(ast.parse(source))
            if isinstance(
                node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            )
            if (docstring := ast.get_docstring(node))
        }
        scanned = {inspect.cleandoc(t) for texts in in_source(source) for t in texts}
        assert len(exact & scanned) >= 0.9 * len(exact)


def test_a_document_is_a_module_a_class_with_its_methods_or_a_function():
    source = '''"""Module."""
# A comment
# of two lines.
def f():
    r"""F."""
class C:
    """C."""
    def g(self):
        """G."""
        # Within
        # a method.
    def h(self):
        """H."""
def i():
    """I."""
'''
    assert [[" ".join(t.split()) for t in texts] for texts in in_source(source)] == [
        ["Module.", "A comment of two lines."],
        ["F."],
        ["C.", "G.", "Within a method.", "H."],
        ["I."],
    ]


def test_paragraphs_keep_english_and_drop_the_rest():
    docstring = """Return the name of a
    well-
    known file.

    Arguments
    ---------
    f(x) -> int

    >>> f(3)
    4

      +-----+-----+
      | a   | b   |

    Two words.

    - The first item is a sentence.
    - The second one
      is, too.
    """
    assert paragraphs(docstring) == [
        "Return the name of a well-known file.",
        "The first item is a sentence.",
        "The second one is, too.",
    ]
