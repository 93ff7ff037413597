"""How texts and queries become terms, the same for both."""

import re
import unicodedata

import tantivy

ANALYZER = "bm25-english-1"
"""Part of an index's identity: whoever changes what is indexed, or how, gives it another name."""

MAX_TERM_BYTES = 255
"""Longer than this is no word of any language. The engine drops terms of more than 65,530 bytes."""

UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
"""Characters of scripts that put no spaces between words: each is a term."""


def make_analyzer() -> tantivy.TextAnalyzer:
    """Runs of letters and digits, in lower case, without accents, by their English stems. No word is left out."""
    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(MAX_TERM_BYTES))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stemmer("English"))
        .build()
    )


def prepare(text: str) -> str:
    """What the analyzer is given: of each character one form, whatever its accents and its width were written with."""
    return UNSPACED.sub(r" \1 ", unicodedata.normalize("NFKC", text))
