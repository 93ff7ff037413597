"""Advantages, weights and terms against numbers worked out by hand."""

import math

import pytest
import torch

from flow_grpo.trainer.batch import Sample
from flow_grpo.trainer.objective import (
    advantages,
    groups_without_variance,
    kept_samples,
    make_actions,
    policy_term,
    sample_weights,
    terms,
)
from tests.trainer.samples import sample, training


def turns(group: int, rollout: int, count: int, reward: float, length: int = 2) -> list[Sample]:
    return [sample(group, rollout, turn, [1, 2], list(range(length)), reward) for turn in range(1, count + 1)]


# Four successes of one turn and four failures of three turns.
EIGHT = [s for r in range(8) for s in turns(0, r, 1 if r < 4 else 3, 1.0 if r < 4 else 0.0)]


def test_trajectory_statistics_count_each_rollout_once() -> None:
    values = advantages(EIGHT, "trajectory")
    std = math.sqrt(8 * 0.25 / 7)
    assert values[0, 0] == pytest.approx(0.5 / (std + 1e-6), rel=1e-6)
    assert values[0, 7] == pytest.approx(-0.5 / (std + 1e-6), rel=1e-6)


def test_turn_rows_pool_the_original_codes_way() -> None:
    values = advantages(EIGHT, "turn-rows")
    assert values[0, 0] == pytest.approx(1.68, abs=0.01)
    assert values[0, 7] == pytest.approx(-0.56, abs=0.01)


def test_equal_rewards_give_exactly_zero() -> None:
    samples = [s for r in range(3) for s in turns(0, r, 1, 0.1)]
    assert set(advantages(samples, "trajectory").values()) == {0.0}
    assert groups_without_variance(samples) == {0}


def test_paper_weights_sum_to_one_and_weigh_groups_rollouts_and_turns_equally() -> None:
    samples = turns(0, 0, 1, 1.0) + turns(0, 1, 2, 0.0, length=5) + turns(1, 0, 1, 1.0) + turns(1, 3, 1, 0.0)
    weights = sample_weights(samples, training())
    lengths = [len(s.response) for s in samples]
    assert sum(w * n for w, n in zip(weights, lengths, strict=True)) == pytest.approx(1)
    assert weights[0] == pytest.approx(1 / 2 / 2 / 1 / 2)
    assert weights[1] == pytest.approx(1 / 2 / 2 / 2 / 5)


def test_token_mean_divides_by_the_tokens_of_the_step() -> None:
    samples = turns(0, 0, 1, 1.0) + turns(0, 1, 2, 0.0, length=5)
    assert sample_weights(samples, training(aggregation="token-mean")) == [pytest.approx(1 / 12)] * 3


def test_dr_grpo_divides_every_token_by_the_same_constant() -> None:
    samples = turns(0, 0, 1, 1.0) + turns(0, 1, 2, 0.0, length=5)
    weights = sample_weights(samples, training(aggregation="dr-grpo", group_size=4))
    assert weights == [pytest.approx(1 / (1 * 4 * 5))] * 3


def test_dropping_groups_without_variance_removes_them_from_b() -> None:
    flat = turns(0, 0, 1, 1.0) + turns(0, 1, 1, 1.0)
    live = turns(1, 0, 1, 1.0) + turns(1, 1, 1, 0.0)
    kept = kept_samples(flat + live, training(groups="drop-zero-variance"))
    assert kept == live
    assert sample_weights(kept, training()) == [pytest.approx(1 / 1 / 2 / 1 / 2)] * 2
    assert kept_samples(flat + live, training()) == flat + live


def test_actions_repeat_each_samples_values_per_token() -> None:
    samples = turns(0, 0, 1, 1.0, length=3) + turns(0, 1, 1, 0.0, length=1)
    actions = make_actions(samples, training())
    assert actions.sample.tolist() == [0, 0, 0, 1]
    assert actions.advantage[0] == -actions.advantage[3] > 0
    assert actions.sampler_logprob.tolist() == [-1.0] * 4


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected", "clipped"),
    [
        (1.0, 2.0, 2.0, False),
        (1.5, 2.0, 2.6, True),
        (0.5, 2.0, 1.0, False),
        (0.5, -2.0, -1.6, True),
        (1.5, -2.0, -3.0, False),
        # Dual clip: no worse than 3 A.
        (5.0, -2.0, -6.0, True),
    ],
)
def test_policy_term(ratio: float, advantage: float, expected: float, clipped: bool) -> None:
    r = torch.tensor([ratio], requires_grad=True)
    term, flag = policy_term(r, torch.tensor([advantage]), training())
    assert term.item() == pytest.approx(expected)
    assert flag.item() is clipped
    term.backward()
    assert (r.grad == 0) == clipped


def test_gradient_at_ratio_one_is_the_policy_gradient() -> None:
    logprob = torch.tensor([-1.0, -2.0], dtype=torch.float64, requires_grad=True)
    advantage = torch.tensor([0.5, -0.5], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    parts = terms(logprob, logprob.detach(), logprob.detach(), zero, advantage, training(kl_coefficient=0))
    parts.objective.sum().backward()
    assert logprob.grad is not None
    assert logprob.grad.tolist() == [0.5, -0.5]


def test_kl_is_never_negative_and_pulls_towards_the_base() -> None:
    logprob = torch.tensor([-1.0, -3.0], dtype=torch.float64, requires_grad=True)
    reference = torch.tensor([-2.0, -1.0], dtype=torch.float64)
    zero = torch.zeros(2, dtype=torch.float64)
    parts = terms(logprob, logprob.detach(), reference, zero, zero, training(kl_coefficient=1.0))
    assert (parts.kl > 0).all()
    parts.objective.sum().backward()
    assert logprob.grad is not None
    assert logprob.grad[0] < 0 < logprob.grad[1]
