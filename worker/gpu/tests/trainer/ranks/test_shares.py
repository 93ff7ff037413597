"""How a step is shared out: every micro-batch once, as many rounds for all, and none larger than it must be."""

import torch

from flow_grpo.trainer.prefix_tree import split_micro_batches, tree_size
from flow_grpo.trainer.ranks.group import Ranks
from flow_grpo.trainer.ranks.shares import balanced_budget
from flow_grpo.trainer.sample import Sample
from tests.trainer.samples import random_samples, sample


def test_every_item_is_dealt_once_and_every_rank_has_as_many_rounds() -> None:
    for items in range(12):
        for count in range(1, 5):
            hands = [Ranks(rank, count).deal(items) for rank in range(count)]
            assert len({len(hand) for hand in hands}) == 1
            dealt = [item for hand in hands for item in hand if item is not None]
            assert sorted(dealt) == list(range(items))
            assert sum(len(hand) for hand in hands) - items < count


def test_a_rank_alone_keeps_values_and_copies_tensors() -> None:
    alone, tensor = Ranks(), torch.arange(6.0).view(3, 2)
    whole = alone.whole(alone.shard(tensor, 3, tensor), 3)
    assert whole is not None
    assert torch.equal(whole, tensor)
    assert whole.data_ptr() != tensor.data_ptr()
    parts = {0: torch.ones(2), 1: torch.zeros(1)}
    assert alone.everywhere([2, 1], parts, torch.empty(0)).tolist() == [1, 1, 0]


def rounds(samples: list[Sample], budget: int, ranks: int) -> int:
    return -(-len(split_micro_batches(samples, budget)) // ranks)


def test_budgets_are_lowered_as_far_as_that_takes_no_more_rounds() -> None:
    for seed in range(5):
        samples = random_samples(seed, groups=6)
        for ranks in (2, 3):
            for budget in (40, 100, 4096):
                chosen = balanced_budget(samples, budget, ranks)
                assert chosen <= budget
                assert rounds(samples, chosen, ranks) == rounds(samples, budget, ranks)
                largest = max(tree_size([samples[i] for i in part]) for part in split_micro_batches(samples, chosen))
                assert largest <= max(chosen, *(len(s.tokens) for s in samples))


def test_a_step_that_would_fit_one_rank_is_cut_for_all() -> None:
    samples = [sample(group, 0, 1, [group] * 50, [1], 0.0) for group in range(4)]
    assert len(split_micro_batches(samples, 4096)) == 1
    cut = split_micro_batches(samples, balanced_budget(samples, 4096, 2))
    assert [len(part) for part in cut] == [2, 2]
