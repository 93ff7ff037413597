"""Counter-based sampling: a token is a function of (logits, temperature, seed, index in the response) alone.

Sampling at temperature T > 0 is argmax over the vocabulary of logits / T + g, where g is Gumbel noise made from
Philox 4x64 with key (seed, response index); the token id is the position in its stream, and 53 bits of a word make the
uniform. That draws from softmax(logits / T). T = 0 is argmax. Ties go to the lowest id. All of it in fp64.
"""

import math
from dataclasses import dataclass

import numpy as np

from flow_grpo.policy_server.kernels import LANES, compiled, inlined

# A uniform is k 2^-53 for k = 1 .. 2^53 - 1, and 2^-54 for k = 0: inside (0, 1).
_STEP = 2.0**-53
_MIN_UNIFORM = 2.0**-54

# Slack of the filter below, far above the rounding of fp64 and far below anything that would cost time.
_SLACK = 1.0 + 1e-9


class NonFiniteLogits(Exception):
    """The policy computed a logit that is not a number or infinite: its weights are damaged or have diverged."""


@dataclass(frozen=True)
class Sample:
    """A sampled token and its log-probability under softmax(logits / T), or softmax(logits) at T = 0."""

    token: int
    logprob: float


def sample(logits: np.ndarray, temperature: float, seed: int, index: int) -> Sample:
    """Draw token `index` of a response. logits (vocabulary) fp32; seed is an unsigned 64-bit integer.

    Raises NonFiniteLogits.
    """
    probabilities = np.empty(len(logits))
    highest, total = _exponentials(logits, temperature or 1.0, probabilities)
    if not math.isfinite(total):
        raise NonFiniteLogits(f"logits of token {index} of the response are not finite")
    if temperature == 0.0:
        token = int(np.argmax(logits))
        return Sample(token, -math.log(total))
    token = int(_gumbel_argmax(logits, temperature, probabilities, noise_words(seed, index, len(logits))))
    return Sample(token, float(logits[token]) / temperature - highest - math.log(total))


def noise_words(seed: int, index: int, vocabulary: int) -> np.ndarray:
    """The 64-bit words of the noise of one response token, by token id."""
    return np.random.Philox(key=np.array([seed, index], np.uint64)).random_raw(vocabulary)


@inlined
def _exp(x):
    """exp(x) for x <= 0 in fp64: range reduction by ln 2 in two parts, then a Taylor polynomial of degree 13."""
    x = max(x, -700.0)
    k = np.floor(x * 1.4426950408889634 + 0.5)
    f = x - k * 0.693145751953125 - k * 1.42860682030941723212e-6
    y = 1.0 / 6227020800.0
    y = y * f + 1.0 / 479001600.0
    y = y * f + 1.0 / 39916800.0
    y = y * f + 1.0 / 3628800.0
    y = y * f + 1.0 / 362880.0
    y = y * f + 1.0 / 40320.0
    y = y * f + 1.0 / 5040.0
    y = y * f + 1.0 / 720.0
    y = y * f + 1.0 / 120.0
    y = y * f + 1.0 / 24.0
    y = y * f + 1.0 / 6.0
    y = y * f + 0.5
    y = y * f + 1.0
    y = y * f + 1.0
    return y * np.int64((np.int64(k) + np.int64(1023)) << np.int64(52)).view(np.float64)


@compiled
def _exponentials(logits, temperature, out):
    """out = exp(logits / T - max); returns (max of logits / T, sum of out). vocabulary is a multiple of LANES."""
    size = len(logits)
    tops = np.full(LANES, -np.inf, np.float32)
    for i in range(0, size, LANES):
        part = logits[i : i + LANES]
        for lane in range(LANES):
            tops[lane] = max(tops[lane], part[lane])
    highest = -np.inf
    for lane in range(LANES):
        highest = max(highest, np.float64(tops[lane]) / temperature)
    for i in range(size):
        out[i] = _exp(np.float64(logits[i]) / temperature - highest)
    lanes = np.zeros(LANES)
    # A sum over the logits themselves, because max and _exp lose what is not a number.
    checks = np.zeros(LANES, np.float32)
    for i in range(0, size, LANES):
        part, raw = out[i : i + LANES], logits[i : i + LANES]
        for lane in range(LANES):
            lanes[lane] += part[lane]
            checks[lane] += raw[lane] * np.float32(0.0)
    total = 0.0
    for lane in range(LANES):
        total += lanes[lane] + np.float64(checks[lane])
    return highest, total


@inlined
def _uniform(word):
    return max(np.float64(word >> np.uint64(11)) * _STEP, _MIN_UNIFORM)


@compiled
def _gumbel_argmax(logits, temperature, probabilities, words):
    """argmax of logits / T - log(-log u), ties to the lowest id.

    Few tokens can win. The likeliest token scores z0 = log p0 - log E0 with E = -log u and p relative to the maximum;
    another needs E / p <= E0 / p0, and E >= 1 - u. So only tokens with 1 - u <= p E0 / p0, cheap to see, are scored.
    """
    best = np.argmax(probabilities)
    bound = -np.log(_uniform(words[best])) / probabilities[best] * _SLACK
    best_score = np.float64(logits[best]) / temperature - np.log(-np.log(_uniform(words[best])))
    for start in range(0, len(logits), LANES):
        p, w = probabilities[start : start + LANES], words[start : start + LANES]
        candidates = 0
        for lane in range(LANES):
            candidates += 1.0 - _uniform(w[lane]) <= p[lane] * bound
        if candidates == 0:
            continue
        for i in range(start, start + LANES):
            score = np.float64(logits[i]) / temperature - np.log(-np.log(_uniform(words[i])))
            if score > best_score or (score == best_score and i < best):
                best, best_score = i, score
    return best
