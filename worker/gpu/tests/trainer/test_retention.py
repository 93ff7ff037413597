"""What retention keeps, as properties over random runs."""

from hypothesis import given
from hypothesis import strategies as st

from flow_grpo.trainer.contract import Keep
from flow_grpo.trainer.retention import Claims, best_steps, kept_checkpoints, needed_policies

STEP = st.integers(0, 40)
STEPS = st.frozensets(STEP)
# Few values, so that there are ties.
ACCURACIES = st.dictionaries(STEP, st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]))
KEEP = st.builds(Keep, last=st.integers(2, 5), best=st.integers(0, 4), every=st.integers(0, 7))
CLAIMS = st.builds(Claims, policies=STEPS, checkpoints=STEPS)


@given(STEPS, ACCURACIES, KEEP, CLAIMS)
def test_a_checkpoint_stays_exactly_when_a_rule_keeps_it(
    steps: frozenset[int], accuracies: dict[int, float], keep: Keep, claims: Claims
) -> None:
    kept = kept_checkpoints(steps, accuracies, keep, claims)
    assert kept <= steps
    for step in steps:
        newer = [other for other in steps if other > step]
        better = [o for o in steps if o in accuracies and (accuracies[o], o) > (accuracies.get(step, 2.0), step)]
        rules = {
            "is the start": step == 0,
            "is among the newest": step > 0 and len(newer) < keep.last,
            "is among the best": step in accuracies and len(better) < keep.best,
            "is a multiple": keep.every > 0 and step % keep.every == 0,
            "is claimed": step in claims.checkpoints,
        }
        assert (step in kept) == any(rules.values()), (step, rules)


@given(st.integers(1, 30), ACCURACIES, KEEP, CLAIMS)
def test_retaining_after_every_step_keeps_what_retaining_once_at_the_end_would(
    steps: int, accuracies: dict[int, float], keep: Keep, claims: Claims
) -> None:
    standing: set[int] = set()
    for step in range(steps + 1):
        # A step is evaluated after its own commit and before the next: when it is still among the newest.
        known = {n: accuracy for n, accuracy in accuracies.items() if n < step}
        standing = kept_checkpoints(standing | {step}, known, keep, claims)
    known = {n: accuracy for n, accuracy in accuracies.items() if n < steps}
    assert standing == kept_checkpoints(range(steps + 1), known, keep, claims)


@given(STEPS, ACCURACIES, KEEP, CLAIMS)
def test_retaining_twice_is_retaining_once(
    steps: frozenset[int], accuracies: dict[int, float], keep: Keep, claims: Claims
) -> None:
    kept = kept_checkpoints(steps, accuracies, keep, claims)
    assert kept_checkpoints(kept, accuracies, keep, claims) == kept


@given(STEP, STEPS, ACCURACIES, KEEP, CLAIMS)
def test_policies_in_use_are_needed(
    newest: int, checkpoints: frozenset[int], accuracies: dict[int, float], keep: Keep, claims: Claims
) -> None:
    needed = needed_policies(newest, checkpoints, accuracies, keep, claims)
    assert {0, newest, max(newest - 1, 0)} <= needed
    assert checkpoints | claims.policies | claims.checkpoints <= needed
    assert set(best_steps(accuracies, max(1, keep.best))) <= needed
    others = len(needed - checkpoints - claims.policies - claims.checkpoints)
    assert others <= 3 + max(1, keep.best)


def test_of_equally_good_steps_the_later_is_better() -> None:
    assert best_steps({1: 0.5, 2: 0.7, 3: 0.7, 4: 0.1}, 2) == [3, 2]
