"""Which events make rank 0 give a command up, and with which error."""

import pytest
import torch

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.ranks import attendance as module
from flow_grpo.trainer.ranks.attendance import (
    Attendance,
    Ended,
    Finished,
    Progressed,
    RankLost,
    RankOutOfMemory,
    Told,
)
from flow_grpo.trainer.ranks.messages import Advanced, Broken, Done

SILENCE_S = 100.0
NON_FINITE = Failure(FailureType.NonFiniteLoss, "the loss is not finite in groups [1]", groups=[1])


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def attendance(clock: Clock) -> Attendance:
    """Of three ranks."""
    return Attendance(range(3), SILENCE_S)


def test_a_command_is_done_when_all_have_done_it(attendance: Attendance) -> None:
    for event in (Progressed("update", 0, 1), Told(2, Advanced()), Told(2, Done(None)), Finished(None)):
        attendance.note(event)
        assert attendance.waiting
    attendance.note(Told(1, Done(None)))
    assert not attendance.waiting
    attendance.conclude()


def test_a_rank_that_ends_is_lost(attendance: Attendance) -> None:
    with pytest.raises(RankLost, match="rank 2 ended"):
        attendance.note(Ended(2))


def test_what_breaks_a_rank_is_the_reason(attendance: Attendance) -> None:
    with pytest.raises(RankLost, match="rank 1: ValueError: no"):
        attendance.note(Told(1, Broken("ValueError: no", out_of_memory=False)))
    with pytest.raises(RankOutOfMemory, match="rank 1: too large"):
        attendance.note(Told(1, Broken("too large", out_of_memory=True)))
    with pytest.raises(RankOutOfMemory, match="rank 0: no room"):
        attendance.note(Finished(torch.OutOfMemoryError("no room")))


def test_the_end_of_a_follower_explains_what_rank_0_met(attendance: Attendance, clock: Clock) -> None:
    attendance.note(Finished(RuntimeError("connection closed by peer")))
    attendance.check()
    with pytest.raises(RankLost, match="rank 1 ended"):
        attendance.note(Ended(1))
    clock.now += module.AFTERMATH_S + 1
    with pytest.raises(RuntimeError, match="closed by peer"):
        attendance.check()


def test_a_failure_of_the_closed_list_stays_what_it_is(attendance: Attendance, clock: Clock) -> None:
    attendance.note(Finished(NON_FINITE))
    attendance.note(Told(1, Done("not finite")))
    with pytest.raises(Failure, match="groups"):
        attendance.note(Ended(2))
    attendance.note(Told(2, Done("not finite")))
    with pytest.raises(Failure, match="groups"):
        attendance.conclude()


def test_a_refusal_of_some_ranks_only_is_no_result(attendance: Attendance) -> None:
    for event in (Finished(None), Told(1, Done(None)), Told(2, Done("not mine"))):
        attendance.note(event)
    with pytest.raises(RankLost, match="not mine"):
        attendance.conclude()


def test_silence_of_all_is_a_hang_and_any_sign_of_life_ends_it(attendance: Attendance, clock: Clock) -> None:
    for _ in range(3):
        clock.now += SILENCE_S - 1
        attendance.check()
        attendance.note(Told(1, Advanced()))
    attendance.note(Told(1, Done(None)))
    clock.now += SILENCE_S + 1
    with pytest.raises(RankLost, match="no rank has advanced for 101 s; not done yet: rank 0, 2"):
        attendance.check()
