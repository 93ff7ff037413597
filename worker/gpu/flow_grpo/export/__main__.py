"""Entry point of the export: python -m flow_grpo.export RUN@STEP --to DIR [--merged] [--json]"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from transformers.utils.logging import disable_progress_bar

from flow_grpo.base_model import UnknownModel
from flow_grpo.environment import BadEnvironment
from flow_grpo.export.export import export
from flow_grpo.export.new_directory import DirectoryInUse
from flow_grpo.export.source import read_source
from flow_grpo.failures import Failure
from flow_grpo.model_directory import ModelDirectoryError
from flow_grpo.policy import PolicyBroken, PolicyNotFound, parse_policy_name
from flow_grpo.trainer.settings import read_settings

_REFUSALS = (DirectoryInUse, Failure, ModelDirectoryError, PolicyBroken, PolicyNotFound, UnknownModel)


def main(arguments: Sequence[str]) -> int:
    """Export one policy. Returns the exit code: 1 where it cannot be done, 2 for bad arguments or environment."""
    parser = argparse.ArgumentParser(prog="export", description=__doc__)
    parser.add_argument("policy", help="the policy, as in run-abc@12")
    parser.add_argument("--to", type=Path, required=True, help="the directory to make")
    parser.add_argument("--merged", action="store_true", help="the whole model instead of the adapter alone")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    name = parse_policy_name(options.policy)
    if name is None:
        parser.error(f"{options.policy!r} is not the name of a policy, as in run-abc@12")
    try:
        settings = read_settings(os.environ)
    except BadEnvironment as error:
        print(error, file=sys.stderr)
        return 2
    disable_progress_bar()
    try:
        source = read_source(settings, name)
        # As PEFT does: libraries do not know the name that it is registered under.
        export(source, options.to.absolute(), options.merged, base_name=str(source.base))
    except _REFUSALS as error:
        print(error, file=sys.stderr)
        return 1
    done = {"policy": str(name), "directory": str(options.to.absolute()), "merged": options.merged}
    print(json.dumps(done) if options.json else f"{name} is in {options.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
