"""Entry point of the verification: python -m flow_grpo.verify [--run RUN] [--json]"""

import argparse
import os
import sys
from collections.abc import Sequence

from flow_grpo.environment import BadEnvironment
from flow_grpo.stored_runs import StoredRuns
from flow_grpo.trainer.settings import read_settings
from flow_grpo.verify.report import total
from flow_grpo.verify.run import verify_run


def main(arguments: Sequence[str]) -> int:
    """Verify one run or all. Returns the exit code: 1 where something is wrong, 2 for bad arguments or environment."""
    parser = argparse.ArgumentParser(prog="verify", description=__doc__)
    parser.add_argument("--run", help="only this training run")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(os.environ)
    except BadEnvironment as error:
        print(error, file=sys.stderr)
        return 2
    database_url = settings.database_url.get_secret_value()
    runs = StoredRuns(database_url).ids()
    if options.run and options.run not in runs:
        print(f"No policy of a run {options.run} was ever committed.", file=sys.stderr)
        return 2
    wanted = [options.run] if options.run else runs
    report = total(verify_run(settings.artifacts, database_url, run_id) for run_id in wanted)
    if options.json:
        print(report.as_json())
    else:
        for problem in report.problems:
            print(problem)
        print(report.summary)
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
