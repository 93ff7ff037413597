"""How the micro-batches of a step are shared out among ranks, and what each found brought together."""

from collections.abc import Mapping, Sequence

import torch

from flow_grpo.trainer.gradient import TokenResult
from flow_grpo.trainer.objectives.objective import Terms
from flow_grpo.trainer.prefix_tree import split_micro_batches
from flow_grpo.trainer.ranks.group import Ranks
from flow_grpo.trainer.sample import Sample

# Budgets are tried down to differences of this part of the first one.
FINENESS = 32


def balanced_budget(samples: Sequence[Sample], budget: int, ranks: int) -> int:
    """The smallest budget up to `budget` with which the ranks have no round of micro-batches more to compute.

    So the ranks' micro-batches are about equally large, and a step that would fit one rank is cut for all of them.
    """
    if ranks == 1:
        return budget
    rounds = -(-len(split_micro_batches(samples, budget)) // ranks)
    too_small, enough = 0, budget
    while enough - too_small > max(1, budget // FINENESS):
        middle = (too_small + enough) // 2
        if len(split_micro_batches(samples, middle)) <= rounds * ranks:
            enough = middle
        else:
            too_small = middle
    return enough


def all_results(
    ranks: Ranks, sizes: Sequence[int], mine: Mapping[int, TokenResult], like: torch.Tensor
) -> list[TokenResult]:
    """The results of all micro-batches, of so many actions each, from those, by number, that this rank has."""
    if ranks.count == 1:
        return [mine[k] for k in range(len(sizes))]
    rows = {k: _stacked(result) for k, result in mine.items()}
    whole = ranks.everywhere(sizes, rows, like.new_empty(6, 0))
    return [_unstacked(part) for part in whole.split(list(sizes), dim=-1)]


def _stacked(result: TokenResult) -> torch.Tensor:
    terms = result.terms
    rows = [result.logprob, result.entropy, terms.objective, terms.kl, terms.clipped, terms.importance_capped]
    return torch.stack([row.to(result.logprob.dtype) for row in rows])


def _unstacked(rows: torch.Tensor) -> TokenResult:
    logprob, entropy, objective, kl, clipped, capped = rows
    return TokenResult(Terms(objective, kl, clipped.bool(), capped.bool()), logprob, entropy)
