"""The forward pass: rows of tokens in, their keys, values and hidden states out.

A row is one token of any sequence. Rows of one pass may depend on each other: each layer stores the keys and values of
all rows before any row attends. What a row computes depends on its tokens alone (kernels.py, linear.py), so a prefix
from the cache and a prefix computed now are the same bits.
"""

from dataclasses import dataclass

import numpy as np
import torch

from flow_grpo.policy_server import kernels
from flow_grpo.policy_server.decoder_shape import DecoderShape
from flow_grpo.policy_server.key_value_store import KeyValueStore
from flow_grpo.policy_server.linear import padded_count, stable_row_counts
from flow_grpo.policy_server.row_threads import RowThreads
from flow_grpo.policy_server.weights import DecoderWeights

# Most rows of one pass, and of one product with the vocabulary.
MAX_ROWS = 256
MAX_LOGIT_ROWS = 64


@dataclass(frozen=True)
class Rows:
    """The rows of a pass: token ids, positions, the page and offset each is stored at, int64 (R), and the pages of
    its positions 0..t in order, int32 (R, n), unused entries 0."""

    tokens: np.ndarray
    positions: np.ndarray
    pages: np.ndarray
    offsets: np.ndarray
    tables: np.ndarray


class Decoder:
    """The forward pass over the weights of a base model or of any of its policies."""

    def __init__(
        self, shape: DecoderShape, base: DecoderWeights, store: KeyValueStore, context: int, threads: RowThreads
    ) -> None:
        self._shape = shape
        self._store = store
        self._threads = threads
        self._cosine, self._sine = _rotary_tables(shape, context)
        sizes = (shape.kv_heads, shape.group, shape.head_dim)
        self._rotary_store = kernels.rotary_store_kernel(*sizes)
        self._attention = kernels.attention_kernel(*sizes)
        layer = base.layers[0]
        products = (layer.qkv, layer.attention_output, layer.gate_up, layer.down)
        self._row_counts = stable_row_counts(products, MAX_ROWS)
        self._logit_row_counts = stable_row_counts((base.vocabulary,), MAX_LOGIT_ROWS)

    @property
    def max_rows(self) -> int:
        """Most rows of one pass."""
        return self._row_counts[-1]

    @property
    def max_logit_rows(self) -> int:
        """Most rows of one call of `logits`."""
        return self._logit_row_counts[-1]

    @torch.inference_mode()
    def compute(self, weights: DecoderWeights, rows: Rows) -> None:
        """Compute up to `max_rows` rows and store their keys, values and hidden states."""
        count = len(rows.tokens)
        padded = padded_count(count, self._row_counts)
        x = torch.zeros(padded, self._shape.hidden)
        x[:count] = weights.embedding[torch.from_numpy(rows.tokens)]
        update = torch.zeros_like(x)
        normed = torch.zeros_like(x)
        for index, layer in enumerate(weights.layers):
            self._add_norm(count, x, update, layer.attention_norm, normed)
            attended = self._attend(index, layer.qkv(normed), rows)
            update = layer.attention_output(attended)
            self._add_norm(count, x, update, layer.mlp_norm, normed)
            gate_up = layer.gate_up(normed)
            product = torch.zeros(padded, self._shape.intermediate)
            self._threads.run(kernels.silu_product, count, gate_up.numpy(), product.numpy())
            update = layer.down(product)
        self._add_norm(count, x, update, weights.final_norm, normed)
        self._store.hidden[rows.pages, rows.offsets] = normed[:count].numpy()

    @torch.inference_mode()
    def logits(self, weights: DecoderWeights, hidden: np.ndarray) -> np.ndarray:
        """Hidden states (R, hidden) of up to `max_logit_rows` tokens -> logits (R, vocabulary), fp32."""
        count = len(hidden)
        x = torch.zeros(padded_count(count, self._logit_row_counts), self._shape.hidden)
        x[:count] = torch.from_numpy(hidden)
        return weights.vocabulary(x)[:count].numpy()

    def _add_norm(
        self, count: int, x: torch.Tensor, update: torch.Tensor, weight: np.ndarray, out: torch.Tensor
    ) -> None:
        arguments = (x.numpy(), update.numpy(), weight, self._shape.norm_epsilon, out.numpy())
        self._threads.run(kernels.add_rms_norm, count, *arguments)

    def _attend(self, layer: int, qkv: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Rotated attention of the rows of one layer: (padded, heads * head_dim)."""
        count, shape, store = len(rows.tokens), self._shape, self._store
        queries = np.empty((count, shape.heads, shape.head_dim), np.float32)
        place = (rows.positions, rows.pages, rows.offsets, layer, store.keys, store.values)
        self._threads.run(self._rotary_store, count, qkv.numpy(), self._cosine, self._sine, *place, queries)
        out = torch.zeros(len(qkv), shape.heads, shape.head_dim)
        flat = (store.keys.reshape(-1), store.values.reshape(-1))
        cached = (queries, *flat, layer, shape.layers, rows.tables, rows.positions)
        scale = np.float32(shape.head_dim**-0.5)
        self._threads.run(self._attention, count, *cached, scale, out.numpy())
        return out.view(len(qkv), -1)


def _rotary_tables(shape: DecoderShape, context: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine (context, head_dim / 2), in fp32 as the model was trained with."""
    exponents = torch.arange(0, shape.head_dim, 2, dtype=torch.int64).float() / shape.head_dim
    angles = torch.outer(torch.arange(context).float(), 1.0 / shape.rope_theta**exponents)
    return angles.cos().numpy(), angles.sin().numpy()
