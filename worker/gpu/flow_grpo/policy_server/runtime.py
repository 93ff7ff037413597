"""A base model in memory: weights, forward pass, prefix cache and tokenizer. Its policies share it."""

from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerFast

from flow_grpo.base_model import RegisteredModel, base_model_sha256, ensure_base_model, load_tokenizer
from flow_grpo.policy_server.decoder import Decoder, Rows
from flow_grpo.policy_server.decoder_shape import UnsupportedModel, read_shape
from flow_grpo.policy_server.kernels import PAGE
from flow_grpo.policy_server.key_value_store import KeyValueStore, page_bytes
from flow_grpo.policy_server.prefix_cache import Node, PrefixCache
from flow_grpo.policy_server.row_threads import RowThreads
from flow_grpo.policy_server.sampling import sample
from flow_grpo.policy_server.weights import BaseWeights, DecoderWeights


def _end_token(tokenizer: PreTrainedTokenizerFast) -> int:
    token = tokenizer.convert_tokens_to_ids(str(tokenizer.eos_token))
    if not isinstance(token, int):
        raise UnsupportedModel(f"the tokenizer's end token {tokenizer.eos_token!r} is not one token")
    return token


class ModelRuntime:
    """Everything that the policies of one base model have in common. `cache_bytes` bounds the prefix cache."""

    def __init__(self, model: RegisteredModel, models_cache: Path, cache_bytes: int, threads: RowThreads) -> None:
        directory = ensure_base_model(model.source, models_cache)
        shape = read_shape(directory)
        self.model = model
        self.sha256 = base_model_sha256(directory)
        self.tokenizer = load_tokenizer(directory)
        self.vocabulary = shape.vocabulary
        self.end_tokens = frozenset({_end_token(self.tokenizer)})
        self.base = BaseWeights(directory, shape)
        # At least one sequence of the whole context fits, with room to branch.
        self._pages = max(cache_bytes // page_bytes(shape), self.pages_for(model.context))
        self._store = KeyValueStore(shape, self._pages)
        self.cache = PrefixCache(self._pages, self._store.copy_page)
        self.decoder = Decoder(shape, self.base.decoder, self._store, model.context, threads)
        self._reserved = 0
        self._compile()

    @staticmethod
    def pages_for(tokens: int) -> int:
        """Pages that a sequence of so many tokens can need: its own, and one that it branched from."""
        return -(-tokens // PAGE) + 1

    def reserve(self, pages: int) -> bool:
        """Set pages aside for a sequence; False when others hold too many. What is reserved can always be allocated."""
        if self._reserved + pages > self._pages:
            return False
        self._reserved += pages
        return True

    def unreserve(self, pages: int) -> None:
        """Give back what `reserve` set aside."""
        self._reserved -= pages

    def forget_cache(self) -> None:
        """Drop all that is cached and all that is reserved: after a failure inside a pass."""
        self.cache = PrefixCache(self._pages, self._store.copy_page)
        self._reserved = 0

    def _compile(self) -> None:
        """Run every kernel once, on a page nobody uses yet.

        The first start compiles them, later ones load all but attention.
        """
        zero = np.zeros(1, np.int64)
        self.decoder.compute(self.base.decoder, Rows(zero, zero, zero, zero, np.zeros((1, 1), np.int32)))
        logits = self.decoder.logits(self.base.decoder, self._store.hidden[zero, zero])
        sample(logits[0], temperature=1.0, seed=0, index=0)

    def compute(self, weights: DecoderWeights, nodes: list[Node]) -> None:
        """Compute up to `decoder.max_rows` nodes, prefixes first, and mark them computed."""
        tables = [node.page.table for node in nodes if node.page]
        table = np.zeros((len(nodes), max(len(pages) for pages in tables)), np.int32)
        for row, pages in zip(table, tables, strict=True):
            row[: len(pages)] = pages
        positions = np.array([node.position for node in nodes])
        rows = Rows(
            tokens=np.array([node.token for node in nodes]),
            positions=positions,
            pages=np.array([pages[-1] for pages in tables], np.int64),
            offsets=positions % PAGE,
            tables=table,
        )
        self.decoder.compute(weights, rows)
        for node in nodes:
            node.computed = True

    def logits(self, weights: DecoderWeights, nodes: list[Node]) -> np.ndarray:
        """Logits (nodes, vocabulary) of what follows each of up to `decoder.max_logit_rows` computed nodes."""
        pages = [node.page.index for node in nodes if node.page]
        offsets = [node.offset for node in nodes]
        return self.decoder.logits(weights, self._store.hidden[pages, offsets])
