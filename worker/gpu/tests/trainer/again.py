"""Steps that are taken back and made again, also by processes that are killed."""

import shutil
from collections.abc import Callable
from multiprocessing import get_context, set_forkserver_preload
from multiprocessing.connection import Connection

from flow_grpo.trainer.contract import TrainStepRequest, TrainStepResult
from flow_grpo.trainer.step import use_deterministic_arithmetic
from flow_grpo.trainer.trainer import Stores, Trainer
from tests.trainer.run import WORKER, Run

# Imported once, by the process that the others are forks of: it computes nothing, so its forks are safe.
PRELOADED = ["flow_grpo.trainer.trainer"]


def uncommit(run: Run, step: int) -> None:
    """Take the commits of a step and of all after it back, with what they wrote."""
    run.execute("DELETE FROM policies WHERE step >= %s", (step,))
    for kind in ("checkpoints", "policies"):
        for directory in (run.directory / kind).iterdir():
            if int(directory.name) >= step:
                shutil.rmtree(directory)


def remove_checkpoints(run: Run, but: list[int]) -> None:
    """Remove all checkpoints but those of the given steps."""
    for name in run.checkpoints():
        if int(name) not in but:
            shutil.rmtree(run.directory / "checkpoints" / name)


def step_in_process(
    stores: Stores, request: TrainStepRequest, die: Callable[[int], bool], threads: int
) -> TrainStepResult | None:
    """Take the step in a process of its own; None when it was killed.

    `die` is asked after every report of progress, with their number, whether to send SIGKILL: the process goes on
    meanwhile, so it dies anywhere.
    """
    set_forkserver_preload(PRELOADED)
    context = get_context("forkserver")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_life, args=(stores, request, there, threads))
    process.start()
    there.close()
    reports = 0
    try:
        while True:
            message = here.recv()
            if isinstance(message, TrainStepResult):
                return message
            reports += 1
            if die(reports):
                process.kill()
                return None
    finally:
        process.join()
        here.close()


def _life(stores: Stores, request: TrainStepRequest, there: Connection, threads: int) -> None:
    use_deterministic_arithmetic(threads)
    trainer = Trainer(stores, WORKER, 1)
    there.send(trainer.train_step(request, lambda *report: there.send(report)))
