"""Advantages, weights and the objective's edges against numbers worked out by hand."""

import json
import math

import pytest
import torch

from flow_grpo.trainer.actions import make_actions
from flow_grpo.trainer.advantage import advantages, groups_without_variance
from flow_grpo.trainer.objectives.flow_grpo import KL_ESTIMATORS, Clip, FlowGrpo, dual_clipped_term
from flow_grpo.trainer.objectives.sft import Sft
from flow_grpo.trainer.sample import Sample
from flow_grpo.trainer.step import entering_samples
from tests.conftest import REPOSITORY
from tests.trainer.samples import CLIP, in_memory, sample, sft, training


def turns(group: int, rollout: int, count: int, reward: float, length: int = 2) -> list[Sample]:
    return [sample(group, rollout, turn, [1, 2], list(range(length)), reward) for turn in range(1, count + 1)]


def weights(samples: list[Sample], limit: int = 8, **changes: object) -> list[float]:
    """Weight of each sample's tokens."""
    taught, actions = make_actions(samples, training(**changes), limit, torch.float64)
    return [float(actions.weight[actions.sample == index][0]) for index in range(len(taught))]


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


CASES = json.loads((REPOSITORY / "activities" / "trajectories" / "testing" / "advantages.json").read_text())


@pytest.mark.parametrize("estimator", CASES["advantages"])
def test_advantages_are_those_that_are_written_beside_the_rollouts(estimator: str) -> None:
    samples = [sample(group, rollout, turn, [1], [2], reward) for group, rollout, turn, reward in CASES["rows"]]
    values = advantages(samples, estimator)
    expected = {(group, rollout): value for group, rollout, value in CASES["advantages"][estimator]}
    assert values.keys() == expected.keys()
    # fp32 here, fp64 there.
    assert values == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_equal_rewards_give_exactly_zero() -> None:
    samples = [s for r in range(3) for s in turns(0, r, 1, 0.1)]
    assert set(advantages(samples, "trajectory").values()) == {0.0}
    assert groups_without_variance(samples) == {0}


def test_paper_weights_sum_to_one_and_weigh_groups_rollouts_and_turns_equally() -> None:
    samples = turns(0, 0, 1, 1.0) + turns(0, 1, 2, 0.0, length=5) + turns(1, 0, 1, 1.0) + turns(1, 3, 1, 0.0)
    found = weights(samples)
    assert sum(w * len(s.response) for w, s in zip(found, samples, strict=True)) == pytest.approx(1)
    assert found[0] == pytest.approx(1 / 2 / 2 / 1 / 2)
    assert found[1] == pytest.approx(1 / 2 / 2 / 2 / 5)


def test_token_mean_divides_by_the_tokens_of_the_step() -> None:
    samples = turns(0, 0, 1, 1.0) + turns(0, 1, 2, 0.0, length=5)
    assert weights(samples, aggregation="token-mean") == [pytest.approx(1 / 12)] * 3


def test_dr_grpo_divides_every_token_by_the_same_constant() -> None:
    samples = turns(0, 0, 1, 1.0) + turns(0, 1, 2, 0.0, length=5)
    found = weights(samples, limit=9, aggregation="dr-grpo", group_size=4)
    assert found == [pytest.approx(1 / (1 * 4 * 9))] * 3


def test_dropping_groups_without_variance_removes_them_from_b() -> None:
    flat = turns(0, 0, 1, 1.0) + turns(0, 1, 1, 1.0)
    live = turns(1, 0, 1, 1.0) + turns(1, 1, 1, 0.0)
    kept = training(groups="drop-zero-variance").entering(flat + live)
    assert kept == live
    assert weights(kept) == [pytest.approx(1 / 1 / 2 / 1 / 2)] * 2
    assert training().entering(flat + live) == flat + live


@pytest.mark.parametrize("hyper", [training(), training(groups="drop-zero-variance"), sft()])
def test_a_skipped_group_leaves_the_step(hyper: FlowGrpo | Sft) -> None:
    samples = [s for group in range(3) for rollout in range(2) for s in turns(group, rollout, 1, float(rollout))]
    batch = in_memory(samples, hyper, decision={"skip_groups": [1]})
    assert {s.group for s in entering_samples(batch)} == {0, 2}


def test_a_masked_response_counts_in_its_group_and_nowhere_else() -> None:
    cut = sample(0, 0, 2, [1, 2], [3, 4, 5, 6], 1.0, truncated=True)
    samples = [*turns(0, 0, 1, 1.0), cut, *turns(0, 1, 1, 0.0)]
    assert weights(samples, truncated_responses="mask") == [pytest.approx(1 / 1 / 2 / 1 / 2)] * 2
    assert weights(samples)[0] == pytest.approx(1 / 1 / 2 / 2 / 2)
    taught, actions = make_actions(samples, training(truncated_responses="mask"), 8)
    assert cut not in taught
    assert actions.advantage[0] > 0


def test_actions_repeat_each_samples_values_per_token() -> None:
    samples = turns(0, 0, 1, 1.0, length=3) + turns(0, 1, 1, 0.0, length=1)
    _, actions = make_actions(samples, training(), 8)
    assert actions.sample.tolist() == [0, 0, 0, 1]
    assert actions.advantage[0] == -actions.advantage[3] > 0
    assert actions.sampler_logprob.tolist() == [-1.0] * 4


def test_leave_one_out_compares_with_the_others() -> None:
    samples = [s for rollout, reward in enumerate((1.0, 0.0, 0.0)) for s in turns(0, rollout, 1, reward)]
    values = advantages(samples, "leave-one-out")
    assert [values[0, rollout] for rollout in range(3)] == [1.0, -0.5, -0.5]
    centred = advantages(samples, "no-std")
    assert centred[0, 0] == pytest.approx(2 / 3)


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
def test_clipped_term(ratio: float, advantage: float, expected: float, clipped: bool) -> None:
    r = torch.tensor([ratio], requires_grad=True)
    term, flag = dual_clipped_term(r, torch.tensor([advantage]), Clip.model_validate(CLIP))
    assert term.item() == pytest.approx(expected)
    assert flag.item() is clipped
    term.backward()
    assert (r.grad == 0) == clipped


@pytest.mark.parametrize("name", ["k2", "k3"])
def test_kl_estimates_are_never_negative_and_grow_with_the_distance(name: str) -> None:
    d = torch.linspace(-3, 3, 25, dtype=torch.float64)
    values = KL_ESTIMATORS[name](d)
    assert (values >= 0).all()
    assert values[12] == 0 < values[13] < values[14]
