"""Kills of a trainer at a chosen point of its work."""


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


class KillAfter:
    """Progress that kills its process at the n-th call."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, _phase: str, _done: int, _total: int) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Killed
