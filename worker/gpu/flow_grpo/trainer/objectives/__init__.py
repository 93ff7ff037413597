"""The objectives that a run can train by, each in a file of its own: the Python side of contracts/objectives/."""

from typing import Annotated

from pydantic import Field

from flow_grpo.trainer.objectives.flow_grpo import FlowGrpo
from flow_grpo.trainer.objectives.sft import Sft

Training = Annotated[FlowGrpo | Sft, Field(discriminator="objective")]
