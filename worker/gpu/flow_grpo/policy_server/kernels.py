"""Row kernels of the decoder, compiled with numba: all that is not a matrix product.

Each kernel computes its rows one by one, in an order that depends on the row alone, so that a row's bits cannot depend
on what else is in the batch. Reductions run over a fixed number of lanes, then over the lanes in order. `contract`
allows fused multiply-add and nothing else: no re-association.

Every kernel takes `start, stop` first: the span of rows that one thread computes. Inner loops run over slices taken
just before them: that is the form the compiler turns into vector instructions.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit

# Positions of a page, and the lanes of a reduction.
PAGE = 32
LANES = 16

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_LOWEST = np.float32(-np.inf)

# numpy's error model: a division does not raise, which would keep the loop around it from being vectorised.
compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
inlined = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy", inline="always")
# For a kernel that encloses other kernels: numba's cache keys it by what it encloses, which differs in every process,
# so that each start would add a file and none would find one.
enclosing = njit(nogil=True, fastmath={"contract"}, error_model="numpy")


@inlined
def _exp(x):
    """exp(x) for x <= 0 in fp32: range reduction by ln 2 in two parts, then a polynomial of degree 6."""
    x = max(x, np.float32(-87.0))
    k = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    f = x - k * np.float32(0.693359375) + k * np.float32(2.12194440e-4)
    y = np.float32(1.9875691500e-4)
    y = y * f + np.float32(1.3981999507e-3)
    y = y * f + np.float32(8.3334519073e-3)
    y = y * f + np.float32(4.1665795894e-2)
    y = y * f + np.float32(1.6666665459e-1)
    y = y * f + np.float32(5.0000001201e-1)
    y = y * f * f + f + _ONE
    return y * np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)


@compiled
def add_rms_norm(start, stop, x, update, weight, epsilon, out):
    """x += update; out = x / rms(x) * weight. Rows of x, update and out: (hidden), a multiple of LANES."""
    hidden = x.shape[1]
    lanes = np.empty(LANES, np.float32)
    for r in range(start, stop):
        row, add, normed = x[r], update[r], out[r]
        for i in range(hidden):
            row[i] += add[i]
        lanes[:] = _ZERO
        for i in range(0, hidden, LANES):
            part = row[i : i + LANES]
            for lane in range(LANES):
                lanes[lane] += part[lane] * part[lane]
        scale = _ONE / np.sqrt(_lane_sum(lanes) / np.float32(hidden) + np.float32(epsilon))
        for i in range(hidden):
            normed[i] = row[i] * scale * weight[i]


@inlined
def _lane_sum(lanes):
    total = _ZERO
    for lane in range(LANES):
        total += lanes[lane]
    return total


@compiled
def silu_product(start, stop, gate_up, out):
    """out (R, n) = silu(gate) * up, where a row of gate_up (R, 2 n) is gate, then up."""
    n = out.shape[1]
    for r in range(start, stop):
        gate, up, row = gate_up[r, :n], gate_up[r, n:], out[r]
        for i in range(n):
            e = _exp(-abs(gate[i]))
            row[i] = gate[i] * ((_ONE if gate[i] >= _ZERO else e) / (_ONE + e)) * up[i]


@lru_cache
def rotary_store_kernel(kv_heads: int, group: int, head_dim: int) -> Callable[..., Any]:
    """Kernel that rotates queries and keys and stores keys and values in their page.

    Arguments: qkv (R, (kv_heads * (group + 2)) * head_dim): queries, keys, values; cosine and sine
    (context, head_dim / 2); positions, pages, offsets (R); layer; keys (pages, layers, kv_heads, head_dim, PAGE);
    values (pages, layers, kv_heads, PAGE, head_dim); queries, the output (R, kv_heads * group, head_dim).
    """
    heads = kv_heads * group
    half = head_dim // 2

    @compiled
    def rotary_store(start, stop, qkv, cosine, sine, positions, pages, offsets, layer, keys, values, queries):
        for r in range(start, stop):
            c, s = cosine[positions[r]], sine[positions[r]]
            for h in range(heads):
                a = qkv[r, h * head_dim : h * head_dim + half]
                b = qkv[r, h * head_dim + half : (h + 1) * head_dim]
                first, second = queries[r, h, :half], queries[r, h, half:]
                for d in range(half):
                    first[d] = a[d] * c[d] - b[d] * s[d]
                    second[d] = b[d] * c[d] + a[d] * s[d]
            for h in range(kv_heads):
                k = (heads + h) * head_dim
                key = keys[pages[r], layer, h]
                for d in range(half):
                    a, b = qkv[r, k + d], qkv[r, k + half + d]
                    key[d, offsets[r]] = a * c[d] - b * s[d]
                    key[half + d, offsets[r]] = b * c[d] + a * s[d]
                v = (heads + kv_heads + h) * head_dim
                values[pages[r], layer, h, offsets[r]] = qkv[r, v : v + head_dim]

    return rotary_store


@compiled
def _softmax(row, length, lanes):
    """Turn row (a multiple of PAGE long) into exp(row - max), zero from length on; return 1 / sum."""
    padded = len(row)
    row[length:] = _LOWEST
    lanes[:] = _LOWEST
    for i in range(0, padded, LANES):
        part = row[i : i + LANES]
        for lane in range(LANES):
            lanes[lane] = max(lanes[lane], part[lane])
    highest = _LOWEST
    for lane in range(LANES):
        highest = max(highest, lanes[lane])
    for j in range(padded):
        row[j] = _exp(row[j] - highest)
    row[length:] = _ZERO
    lanes[:] = _ZERO
    for i in range(0, padded, LANES):
        part = row[i : i + LANES]
        for lane in range(LANES):
            lanes[lane] += part[lane]
    return _ONE / _lane_sum(lanes)


@lru_cache
def attention_kernel(kv_heads: int, group: int, head_dim: int) -> Callable[..., Any]:
    """Kernel of causal attention of rows over their pages.

    Arguments: queries (R, kv_heads * group, head_dim); keys and values as above, flattened; layer and the number of
    layers; tables (R, n) int32, the pages that hold positions 0..t of the row in order; positions (R), t; scale; out
    (R, kv_heads * group, head_dim). Pages are visited in order and only positions <= t reach the output, so neither
    the batch nor what lies behind t in the last page can change it.
    """
    block = head_dim * PAGE

    @compiled
    def score(query, keys, first, scores, base):
        """scores[:, base : base + PAGE] = query (group * head_dim) times the page's keys."""
        scores[:, base : base + PAGE] = _ZERO
        for d in range(0, head_dim, 8):
            k = keys[first + d * PAGE : first + (d + 8) * PAGE]
            for g in range(group):
                q, s = query[g * head_dim + d : g * head_dim + d + 8], scores[g, base : base + PAGE]
                q0, q1, q2, q3, q4, q5, q6, q7 = q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7]
                for j in range(PAGE):
                    low = s[j] + q0 * k[j] + q1 * k[PAGE + j] + q2 * k[2 * PAGE + j] + q3 * k[3 * PAGE + j]
                    high = q4 * k[4 * PAGE + j] + q5 * k[5 * PAGE + j] + q6 * k[6 * PAGE + j] + q7 * k[7 * PAGE + j]
                    s[j] = low + high

    @compiled
    def accumulate(weights, base, valid, values, first, sums):
        """sums (group, head_dim) += weights[:, base : base + valid] times the page's first values."""
        full = valid // 4 * 4
        for j in range(0, full, 4):
            v = values[first + j * head_dim : first + (j + 4) * head_dim]
            for g in range(group):
                w, s = weights[g, base + j : base + j + 4], sums[g]
                w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
                for d in range(head_dim):
                    low = w0 * v[d] + w1 * v[head_dim + d]
                    s[d] = s[d] + low + w2 * v[2 * head_dim + d] + w3 * v[3 * head_dim + d]
        for j in range(full, valid):
            v = values[first + j * head_dim : first + (j + 1) * head_dim]
            for g in range(group):
                w, s = weights[g, base + j], sums[g]
                for d in range(head_dim):
                    s[d] += w * v[d]

    @enclosing
    def attention(start, stop, queries, keys, values, layer, layers, tables, positions, scale, out):
        scores = np.empty((group, tables.shape[1] * PAGE), np.float32)
        sums = np.empty((group, head_dim), np.float32)
        query = np.empty(group * head_dim, np.float32)
        inverses = np.empty(group, np.float32)
        lanes = np.empty(LANES, np.float32)
        for r in range(start, stop):
            length = positions[r] + 1
            pages = (length + PAGE - 1) // PAGE
            for h in range(kv_heads):
                for i in range(group * head_dim):
                    query[i] = queries[r, h * group + i // head_dim, i % head_dim] * scale
                for b in range(pages):
                    first = ((tables[r, b] * layers + layer) * kv_heads + h) * block
                    score(query, keys, first, scores, b * PAGE)
                for g in range(group):
                    inverses[g] = _softmax(scores[g, : pages * PAGE], length, lanes)
                sums[:] = _ZERO
                for b in range(pages):
                    first = ((tables[r, b] * layers + layer) * kv_heads + h) * block
                    valid = min(PAGE, length - b * PAGE)
                    accumulate(scores, b * PAGE, valid, values, first, sums)
                for g in range(group):
                    for d in range(head_dim):
                        out[r, h * group + g, d] = sums[g, d] * inverses[g]

    return attention
