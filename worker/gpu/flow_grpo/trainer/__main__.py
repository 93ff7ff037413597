"""Entry point of the trainer worker: python -m flow_grpo.trainer"""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import asyncio
import logging
import os
import sys

from transformers.utils.logging import disable_progress_bar

from flow_grpo.environment import BadEnvironment
from flow_grpo.trainer.one_line import OneLineFormatter
from flow_grpo.trainer.settings import read_settings
from flow_grpo.trainer.step import use_deterministic_arithmetic
from flow_grpo.trainer.worker import run_worker


def main() -> int:
    """Run until stopped. Returns the exit code: 2 for a bad environment."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(OneLineFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    try:
        settings = read_settings(os.environ)
    except BadEnvironment as error:
        print(error, file=sys.stderr)
        return 2
    disable_progress_bar()
    use_deterministic_arithmetic(threads=int(os.environ["OMP_NUM_THREADS"]))
    asyncio.run(run_worker(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
