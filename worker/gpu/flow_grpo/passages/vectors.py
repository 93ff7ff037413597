"""The vectors of an index of passages on disk, by faiss: every one is compared with the query's."""

from pathlib import Path
from typing import NamedTuple

import faiss
import numpy as np

from flow_grpo.passages.index import TIES

ROWS_AT_ONCE = 65_536

STORED = {"float32": "Flat", "float16": "SQfp16", "int8": "SQ8"}
"""How the numbers of a vector are kept, and what faiss calls it. No graph and no cells: nothing near is passed over."""

NORM_ERROR = 1e-3
"""Of a unit vector in float32. A row of zeros is what a machine may leave that lost its power."""


class Near(NamedTuple):
    number: int
    score: float


def build_vectors(file: Path, rows: Path, dimension: int, precision: str) -> int:
    """Makes an index of the unit vectors in `rows`, float32 in the order of the passages, and says how many there are.

    Raises ValueError if one of them is none.
    """
    vectors = np.memmap(rows, dtype="<f4", mode="r").reshape(-1, dimension)
    index = faiss.index_factory(dimension, STORED[precision], faiss.METRIC_INNER_PRODUCT)
    blocks = [vectors[start : start + ROWS_AT_ONCE] for start in range(0, len(vectors), ROWS_AT_ONCE)]
    for number, block in enumerate(blocks):
        _require_unit(block, number * ROWS_AT_ONCE)
    if not index.is_trained:
        index.train(_range_of(blocks))
    for block in blocks:
        index.add(np.ascontiguousarray(block))
    faiss.write_index(index, str(file))
    return len(vectors)


class VectorIndex:
    """Vectors that are searched, read through the page cache. Raises RuntimeError if they cannot be read."""

    def __init__(self, file: Path) -> None:
        self._index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)

    def __len__(self) -> int:
        return self._index.ntotal

    @property
    def dimension(self) -> int:
        return self._index.d

    def search(self, vector: list[float], count: int) -> list[Near]:
        """The nearest by cosine, at most `count`, best first, equal ones in the order of the passages."""
        query = np.asarray([vector], dtype=np.float32)
        scores, numbers = self._index.search(query, min(count + TIES, len(self)))
        found = [Near(int(number), float(score)) for number, score in zip(numbers[0], scores[0], strict=True)]
        return sorted(found, key=lambda near: (-near.score, near.number))[:count]


def _require_unit(block: np.ndarray, first: int) -> None:
    # The difference of a number that is none is not less than anything.
    wrong = np.flatnonzero(~(np.abs(np.linalg.norm(block, axis=1) - 1) < NORM_ERROR))
    if len(wrong) > 0:
        raise ValueError(f"The vector of passage {first + int(wrong[0])} is no unit vector: the file is damaged.")


def _range_of(blocks: list[np.ndarray]) -> np.ndarray:
    """Two rows that span what all rows do: the quantiser learns nothing but the least and the greatest."""
    least = np.min([block.min(axis=0) for block in blocks], axis=0)
    greatest = np.max([block.max(axis=0) for block in blocks], axis=0)
    return np.stack([least, greatest])
