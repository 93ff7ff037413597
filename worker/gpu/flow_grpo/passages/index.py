"""The index of passages on disk, by tantivy: BM25 with block-max WAND, read through the page cache."""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import tantivy

from flow_grpo.passages.analyzer import make_analyzer, prepare

TOKENIZER = "passages"
VECTORS = "vectors.faiss"
"""Beside the engine's files, if the passages were embedded (vectors.py)."""
WRITER_BYTES = 400_000_000
DIGEST_BYTES = 16

TIES = 20
"""Equal scores are put in the order of the passages. So more are taken than are wanted: ties may be cut."""

DIGITS = 3
"""Of a score. The last ones depend on the order in which the engine adds, which is not part of what an index is."""


class Passage(NamedTuple):
    title: str
    text: str


class Built(NamedTuple):
    passages: int
    repeated: int
    """Passages that were there before, word for word. They are in the index once."""


class Found(NamedTuple):
    passage: Passage
    score: float


def build_index(directory: Path, passages: Iterable[Passage]) -> Built:
    """Writes an index into an empty directory. Passages are numbered as they come."""
    index = tantivy.Index(_schema(), str(directory), reuse=False)
    index.register_tokenizer(TOKENIZER, make_analyzer())
    writer = index.writer(WRITER_BYTES, num_threads=1)
    seen: set[bytes] = set()
    repeated = 0
    for passage in passages:
        digest = blake2b("\0".join(passage).encode(), digest_size=DIGEST_BYTES).digest()
        if digest in seen:
            repeated += 1
            continue
        writer.add_document(_document(len(seen), passage))
        seen.add(digest)
    writer.commit()
    writer.wait_merging_threads()
    return Built(len(seen), repeated)


class PassageIndex:
    """An index that is searched. Raises ValueError or OSError if the directory holds none that this engine reads."""

    def __init__(self, directory: Path) -> None:
        self._index = tantivy.Index.open(str(directory))
        self._index.register_tokenizer(TOKENIZER, make_analyzer())
        self._analyzer = make_analyzer()
        self._searcher = self._index.searcher()

    def __len__(self) -> int:
        return self._searcher.num_docs

    def search(self, query: str, count: int) -> list[Found]:
        """The passages that share words with the query, best first, at most `count`. A query has words, no syntax."""
        terms = sorted(set(self._analyzer.analyze(prepare(query))))
        if not terms:
            return []
        schema = self._index.schema
        any_of = [
            (tantivy.Occur.Should, tantivy.Query.term_query(schema, "terms", term, index_option="freq"))
            for term in terms
        ]
        # Without the count of all matches the engine passes over those that cannot be among the best.
        hits = self._searcher.search(tantivy.Query.boolean_query(any_of), limit=count + TIES, count=False).hits
        numbers = self._searcher.fast_field_values("number", [address for _, address in hits])
        ranked = sorted(
            (-round(score, DIGITS), number, address) for (score, address), number in zip(hits, numbers, strict=True)
        )
        return [Found(self._passage(address), -score) for score, _, address in ranked[:count]]

    def numbered(self, first: int, count: int) -> list[Passage]:
        """Passages by their numbers, from `first` on. The numbers are a column, read through from end to end."""
        query = tantivy.Query.range_query(
            self._index.schema, "number", tantivy.FieldType.Unsigned, first, first + count - 1
        )
        addresses = [address for _, address in self._searcher.search(query, limit=count, count=False).hits]
        found = dict(zip(self._searcher.fast_field_values("number", addresses), addresses, strict=True))
        return [self._passage(found[number]) for number in range(first, first + count) if number in found]

    def _passage(self, address: tantivy.DocAddress) -> Passage:
        stored = self._searcher.doc(address).to_dict()
        return Passage(*(bytes(stored[name][0]).decode() for name in Passage._fields))


def _schema() -> tantivy.Schema:
    """What is searched is apart from what is shown. Positions would serve phrases, which nobody can ask for."""
    return (
        tantivy.SchemaBuilder()
        .add_text_field("terms", tokenizer_name=TOKENIZER, index_option="freq")
        .add_bytes_field("title", stored=True)
        .add_bytes_field("text", stored=True)
        .add_unsigned_field("number", fast=True)
        .build()
    )


def _document(number: int, passage: Passage) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("terms", prepare("\n".join(passage)))
    document.add_bytes("title", passage.title.encode())
    document.add_bytes("text", passage.text.encode())
    document.add_unsigned("number", number)
    return document
