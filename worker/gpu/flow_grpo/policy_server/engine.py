"""Continuous batching: one thread that computes what waits and samples what is ready.

All work is nodes of the prefix cache. A prompt is the nodes of its tokens that nobody has asked for yet; a sampled
token is one more node. Each policy has a queue of nodes in the order in which they were asked for, so a node's prefix
is always before it. A pass takes nodes off the head of one queue, up to the most rows the decoder takes; then every
sequence whose last node is computed samples a token. Nothing is ordered by what it is, prompts or sampled tokens, so
no request starves, and rows that wait together are computed together.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from flow_grpo.policy_server.policies import LoadedPolicy
from flow_grpo.policy_server.prefix_cache import Node
from flow_grpo.policy_server.sampling import NonFiniteLogits, sample

logger = logging.getLogger(__name__)


class EngineStopped(Exception):
    """The engine is shutting down; the request was not finished."""


@dataclass(frozen=True)
class GenerationRequest:
    """What to sample. prompt: token ids, at least one; seed: unsigned, 64 bits."""

    prompt: list[int]
    max_tokens: int
    temperature: float
    seed: int


@dataclass(frozen=True)
class Generation:
    """What was sampled: all tokens, an end token included, and the log-probability of each."""

    token_ids: list[int]
    logprobs: list[float]
    finish_reason: str


@dataclass(eq=False)
class Sequence:
    """A request being served."""

    request: GenerationRequest
    policy: LoadedPolicy
    future: "Future[Generation]"
    token_ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    # Pages reserved, and the last node, whose page is in use: both from admission on.
    pages: int = 0
    node: Node | None = None


@dataclass
class EngineStatistics:
    """Counts since the start."""

    passes: int = 0
    rows: int = 0
    prompt_tokens: int = 0
    sampled_tokens: int = 0


class PolicyLane:
    """The work of one policy."""

    def __init__(self, policy: LoadedPolicy, statistics: EngineStatistics, samplers: ThreadPoolExecutor) -> None:
        self._policy = policy
        self._runtime = policy.runtime
        self._statistics = statistics
        self._samplers = samplers
        self.waiting: deque[Sequence] = deque()
        # Admitted and unfinished; what they wait for, by node; and nodes nobody has computed, prefixes first.
        self._active: dict[Sequence, None] = {}
        self._reaching: dict[Node, list[Sequence]] = {}
        self._pending: deque[Node] = deque()

    @property
    def busy(self) -> bool:
        """Whether any request is unfinished."""
        return bool(self.waiting or self._active)

    def sequences(self) -> Iterator[Sequence]:
        """All unfinished sequences."""
        yield from self.waiting
        yield from self._active

    def step(self) -> None:
        """Admit what fits, compute one pass, sample what is ready."""
        self._admit()
        self._compute()
        self._sample(self._take_ready())

    def _admit(self) -> None:
        """Start the requests at the head of the line while the pages they may need can be set aside."""
        while self.waiting:
            sequence = self.waiting[0]
            if not sequence.future.cancelled():
                request = sequence.request
                sequence.pages = self._runtime.pages_for(len(request.prompt) + request.max_tokens)
                if not self._runtime.reserve(sequence.pages):
                    return
                self._active[sequence] = None
                self._statistics.prompt_tokens += len(request.prompt)
                self._follow(sequence, self._runtime.cache.root(self._policy.sha256), request.prompt)
            self.waiting.popleft()

    def _follow(self, sequence: Sequence, node: Node, tokens: list[int]) -> None:
        sequence.node, created = self._runtime.cache.extend(node, tokens)
        self._pending.extend(created)
        self._reaching.setdefault(sequence.node, []).append(sequence)

    def _compute(self) -> None:
        nodes = self._take_pass()
        if nodes:
            self._runtime.compute(self._policy.weights, nodes)
            self._statistics.passes += 1
            self._statistics.rows += len(nodes)

    def _take_pass(self) -> list[Node]:
        """The next nodes to compute, prefixes first. A branch off inside a page that this very pass computes waits for
        the next pass at the head of the queue, and with it all that follows it."""
        nodes: list[Node] = []
        put_off: dict[Node, None] = {}
        while self._pending and len(nodes) < self._runtime.decoder.max_rows:
            node = self._pending.popleft()
            if node.parent in put_off or not self._runtime.cache.materialise(node):
                put_off[node] = None
            else:
                nodes.append(node)
        self._pending.extendleft(reversed(put_off))
        return nodes

    def _take_ready(self) -> list[tuple[Node, list[Sequence]]]:
        nodes = [node for node in self._reaching if node.computed]
        return [(node, self._reaching.pop(node)) for node in nodes]

    def _sample(self, ready: list[tuple[Node, list[Sequence]]]) -> None:
        size = self._runtime.decoder.max_logit_rows
        for start in range(0, len(ready), size):
            group = ready[start : start + size]
            logits = self._runtime.logits(self._policy.weights, [node for node, _ in group])
            rows = [
                (row, sequence) for row, (_, sequences) in zip(logits, group, strict=True) for sequence in sequences
            ]
            # Counter-based noise makes the rows independent of each other and of their order.
            for sequence, error in self._samplers.map(lambda pair: _draw(*pair), rows):
                self._advance(sequence, error)

    def _advance(self, sequence: Sequence, error: NonFiniteLogits | None) -> None:
        self._statistics.sampled_tokens += 1
        done = error is not None or sequence.future.cancelled() or self._finish_reason(sequence) is not None
        assert sequence.node is not None, "only admitted sequences are sampled"
        if not done:
            self._follow(sequence, sequence.node, sequence.token_ids[-1:])
            return
        del self._active[sequence]
        self._runtime.cache.release(sequence.node)
        self._runtime.unreserve(sequence.pages)
        if error:
            fail(sequence, error)
        else:
            reason = self._finish_reason(sequence) or "length"
            _resolve(sequence, Generation(sequence.token_ids, sequence.logprobs, reason))

    def _finish_reason(self, sequence: Sequence) -> str | None:
        if sequence.token_ids[-1] in self._runtime.end_tokens:
            return "stop"
        return "length" if len(sequence.token_ids) == sequence.request.max_tokens else None


def _draw(logits: np.ndarray, sequence: Sequence) -> tuple[Sequence, NonFiniteLogits | None]:
    request = sequence.request
    try:
        drawn = sample(logits, request.temperature, request.seed, len(sequence.token_ids))
    except NonFiniteLogits as error:
        return sequence, error
    sequence.token_ids.append(drawn.token)
    sequence.logprobs.append(drawn.logprob)
    return sequence, None


def _resolve(sequence: Sequence, generation: Generation) -> None:
    try:
        sequence.future.set_result(generation)
    except InvalidStateError:
        logger.debug("the client of a finished sequence has gone")


def fail(sequence: Sequence, error: Exception) -> None:
    """End a sequence with an error, unless its client has gone."""
    try:
        sequence.future.set_exception(error)
    except InvalidStateError:
        logger.debug("the client of a failed sequence has gone")


def _stopped() -> EngineStopped:
    return EngineStopped("the policy server is shutting down")


class Engine:
    """The thread, and the way in. `submit` may be called from any thread; cancelling its future drops the row."""

    def __init__(self, threads: int) -> None:
        self.statistics = EngineStatistics()
        self._arrivals: queue.SimpleQueue[Sequence | None] = queue.SimpleQueue()
        self._samplers = ThreadPoolExecutor(threads, thread_name_prefix="sample")
        # By policy, in the order in which they take turns.
        self._lanes: dict[LoadedPolicy, PolicyLane] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    def submit(self, request: GenerationRequest, policy: LoadedPolicy) -> "Future[Generation]":
        """Queue a request. The future raises NonFiniteLogits, EngineStopped, or whatever broke the pass."""
        sequence = Sequence(request, policy, Future())
        if self._stopping:
            fail(sequence, _stopped())
        else:
            self._arrivals.put(sequence)
        return sequence.future

    def close(self, timeout: float = 5.0) -> None:
        """Finish the pass that runs, fail what is unfinished, end the thread."""
        self._stopping = True
        self._arrivals.put(None)
        self._thread.join(timeout)
        self._samplers.shutdown(wait=False)

    def _run(self) -> None:
        while not self._stopping:
            self._receive()
            lane = next(iter(self._lanes.values()), None)
            if lane and not self._stopping:
                self._step(lane)
        self._receive()
        for lane in self._lanes.values():
            for sequence in lane.sequences():
                fail(sequence, _stopped())

    def _receive(self) -> None:
        """Take in all arrivals; wait for one when there is nothing else to do."""
        block = not self._lanes and not self._stopping
        while True:
            try:
                sequence = self._arrivals.get(block=block)
            except queue.Empty:
                return
            block = False
            if sequence is not None:
                policy = sequence.policy
                if policy not in self._lanes:
                    self._lanes[policy] = PolicyLane(policy, self.statistics, self._samplers)
                self._lanes[policy].waiting.append(sequence)

    def _step(self, lane: PolicyLane) -> None:
        policy = next(iter(self._lanes))
        del self._lanes[policy]
        try:
            lane.step()
        except Exception as error:
            logger.exception(
                "a pass of policy %s failed; its model's requests are answered with the error", policy.name
            )
            self._fail_runtime(policy, lane, error)
            return
        if lane.busy:
            self._lanes[policy] = lane

    def _fail_runtime(self, policy: LoadedPolicy, lane: PolicyLane, error: Exception) -> None:
        """Requests of all policies of a model share its cache, whose content is now in doubt."""
        failed = {policy: lane} | {p: other for p, other in self._lanes.items() if p.runtime is policy.runtime}
        for key, broken in failed.items():
            self._lanes.pop(key, None)
            for sequence in broken.sequences():
                fail(sequence, error)
        policy.runtime.forget_cache()
