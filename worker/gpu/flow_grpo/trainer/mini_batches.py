"""How the samples of a step are dealt into updates: a pure function of seed, step and pass, so that it replays (I4)."""

import hashlib
import json
import random
from collections.abc import Sequence

from flow_grpo.trainer.hyper_parameters import Optimisation
from flow_grpo.trainer.sample import Sample


def plan_updates(samples: Sequence[Sample], training: Optimisation, seed: int, step: int) -> list[list[int]]:
    """For each update of the step, the indices of its samples, ascending. A part that would be empty is left out.

    Each pass deals the groups anew; the samples of a group stay together, because they share their prefixes.
    """
    updates: list[list[int]] = []
    for epoch in range(training.epochs):
        parts = _deal(_groups(samples), training.mini_batches, seed, step, epoch)
        for groups in parts:
            updates.append([index for index, sample in enumerate(samples) if sample.group in groups])
    return [update for update in updates if update]


def updates_of_a_pass(samples: Sequence[Sample], training: Optimisation) -> int:
    """Updates that one pass makes: its mini-batches, but for those that are empty because there are fewer groups."""
    return min(training.mini_batches, len(_groups(samples)))


def _groups(samples: Sequence[Sample]) -> list[int]:
    return sorted({sample.group for sample in samples})


def _deal(groups: list[int], parts: int, seed: int, step: int, epoch: int) -> list[set[int]]:
    if parts == 1:
        return [set(groups)]
    digest = hashlib.sha256(json.dumps([seed, "mini-batch", step, epoch]).encode()).digest()
    random.Random(int.from_bytes(digest[:8], "big")).shuffle(groups)
    return [set(groups[part::parts]) for part in range(parts)]
