"""What math-verify says of answers: `npm run bench:scoring` (bench/scoring) calls it.

Reads a JSON array of [truth, answer] from standard input; writes one of true, false and null, which stands for
an answer or a truth in which it finds nothing to compare.
"""

import json
import sys

from math_verify import parse, verify


def ruling(truth: str, answer: str) -> bool | None:
    # The truth goes first: the comparison is not symmetric.
    wanted = parse(f"${truth}$")
    given = parse(answer)
    return verify(wanted, given) if wanted and given else None


if __name__ == "__main__":
    json.dump([ruling(truth, answer) for truth, answer in json.load(sys.stdin)], sys.stdout)
