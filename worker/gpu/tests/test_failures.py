"""The closed list of failure types is one list in two languages."""

import re
from pathlib import Path

from flow_grpo.failures import FailureType

CONTRACT = Path(__file__).parents[3] / "contracts" / "failures.ts"


def test_the_list_equals_the_contract() -> None:
    pairs = re.findall(r"^  (\w+): '(\w+)',$", CONTRACT.read_text(), re.MULTILINE)
    assert dict(pairs) == {member.name: member.value for member in FailureType}
