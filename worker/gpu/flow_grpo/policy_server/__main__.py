"""Entry point of the policy server: python -m flow_grpo.policy_server"""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import logging
import os
import sys

from flow_grpo.environment import BadEnvironment
from flow_grpo.policy_server.decoder_shape import UnsupportedModel
from flow_grpo.policy_server.server import run_server
from flow_grpo.policy_server.settings import read_settings


def main() -> int:
    """Serve until stopped. Returns the exit code: 2 for a bad environment or a model that it cannot serve."""
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(levelname)s policy-server %(message)s", force=True
    )
    try:
        run_server(read_settings(os.environ), threads=int(os.environ["OMP_NUM_THREADS"]))
    except (BadEnvironment, UnsupportedModel) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
