"""A registry in a folder: small packages, and clients that copy them."""

import functools
import hashlib
import io
import os
import random
import struct
import tarfile
import zlib
from pathlib import Path

import pytest

from sightline.tasks.corpora import english as english_corpus
from sightline.tasks.corpora._english import build, recipe
from sightline.tasks.corpora._english.near_duplicates import Seen
from sightline.tasks.corpora._english.recipe import Archive, Source

CLIENT = """#!/bin/sh
echo "$0 $*" >> "{log}"
case "$(basename "$0") $1" in
  "npm pack")
    while [ "$1" != --pack-destination ]; do shift; done
    exec cp "{registry}/texts-1.0.tgz" "$2/" ;;
  "apt-get download")
    [ -f "{registry}/$2.deb" ] || exit 9
    exec cp "{registry}/$2.deb" . ;;
  "dpkg-deb --field") echo "2.0-1" ;;
  "dpkg-deb --fsys-tarfile") exec cat "$2" ;;
  *) exit 3 ;;
esac
"""


def paragraph(rng: random.Random, words: int = 24) -> str:
    """A paragraph that reads as prose to the filter and shares no run of words."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    text = " ".join(
        ("the", "of", "and", "that")[n // 2 % 4]
        if n % 2
        else "".join(rng.choices(letters, k=6))
        for n in range(words)
    )
    return text.capitalize() + "."


def page(paragraphs) -> bytes:
    """A page of a manual: prose between navigation and code."""
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    return f"<html><body><nav>Menu</nav>{body}<pre>x = 1</pre></body></html>".encode()


def packed(files: dict[str, bytes], mode: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def r_novels(*novels: list[str]) -> bytes:
    """An R data base of character vectors of lines."""
    chain = b""
    for lines in novels:
        data = b"X\n" + struct.pack(">IIII", 3, 0x040201, 0x030500, 5) + b"UTF-8"
        data += struct.pack(">II", 16, len(lines))
        for line in lines:
            data += struct.pack(">II", 0x40009, len(line.encode())) + line.encode()
        chain += struct.pack(">I", len(data)) + zlib.compress(data)
    return chain


class Registry:
    """Packages in a folder, the texts in them, and what the clients were asked for."""

    def __init__(self, folder: Path):
        self.folder, self.log = folder / "registry", folder / "log"
        self.clients = folder / "bin"
        rng = random.Random(0)
        texts = {
            name: [[paragraph(rng, 48) for _ in range(4)] for _ in range(3)]
            for name in ("whale", "novel", "guide", "manual")
        }
        # Trained on, but for one word: what is held out.
        copied = texts["guide"][0][1]
        self.copied = copied.replace(copied.split()[20], "another", 1)
        texts["manual"][1].insert(2, self.copied)
        self.texts = texts
        chapters = {
            f"package/whale/chapter_{n}.txt": "\n\n".join(["TITLE", *each]).encode()
            for n, each in enumerate(texts["whale"])
        }
        lines = ["NOVEL", "", "by Nobody", ""]
        for n, each in enumerate(texts["novel"]):
            lines += [f"CHAPTER {n + 1}", "", *"\n\n".join(each).split("\n"), "", ""]
        self.folder.mkdir()
        self.put("texts-1.0.tgz", packed(chapters, "w:gz"))
        self.put("novel.deb", packed({"./r/Rdata.rdb": r_novels(lines)}, "w"))
        for name in ("guide", "manual"):
            pages = {f"./doc/{n}.html": page(t) for n, t in enumerate(texts[name])}
            self.put(f"{name}.deb", packed(pages, "w"))
        self.clients.mkdir()
        for name in ("npm", "apt-get", "dpkg-deb"):
            client = self.clients / name
            client.write_text(CLIENT.format(registry=self.folder, log=self.log))
            client.chmod(0o755)

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def sha256(self, name: str) -> str:
        return hashlib.sha256((self.folder / name).read_bytes()).hexdigest()

    def asked(self, client: str) -> list[str]:
        """What a client was called with, call by call."""
        calls = self.log.read_text().splitlines() if self.log.exists() else []
        marked = f"{self.clients / client} "
        return [call.removeprefix(marked) for call in calls if call.startswith(marked)]


def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry, which `english` of four sources is fetched from; and no other."""
    registry = Registry(tmp_path)
    archives = (
        Archive(
            "texts", "npm", ("texts",), "1.0", registry.sha256("texts-1.0.tgz"), 2.0
        ),
        Archive("novel", "debian", ("novel-9", "novel"), "", "", 3.0),
        Archive("guide", "debian", ("guide",), "", "", 4.0),
        Archive("manual", "debian", ("manual",), "", "", 5.0),
    )
    whale, novel = ("whale", "narrative", "validation"), ("novel", "narrative", "train")
    guide, manual = ("guide", "manuals", "validation"), ("manual", "manuals", "train")
    sources = (
        Source(*whale, "texts", "chapters", r"/whale/.*\.txt$", "", "public domain"),
        Source(*novel, "novel", "r_novels", r"\.rdb$", "", "public domain"),
        Source(*guide, "guide", "html", r"\.html$", "", "GPL-2"),
        Source(*manual, "manual", "html", r"\.html$", "", "MIT"),
    )
    for module in (recipe, english_corpus, build):
        for name, value in (("ARCHIVES", archives), ("SOURCES", sources)):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(build, "Seen", functools.partial(Seen, 20))
    monkeypatch.setenv("SIGHTLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", f"{registry.clients}{os.pathsep}/usr/bin:/bin")
    return registry
