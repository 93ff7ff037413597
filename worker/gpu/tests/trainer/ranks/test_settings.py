"""The number of ranks as a trainer's environment gives it."""

import pytest
import torch

from flow_grpo.environment import BadEnvironment
from flow_grpo.trainer.settings import read_settings

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://localhost/nothing",
    "AGENTFLOW_ARTIFACTS": "file:///artifacts",
    "AGENTFLOW_MODELS_CACHE": "/models",
}


@pytest.mark.parametrize(("gpus", "refused"), [(0, "0"), (2, "3")])
def test_every_rank_needs_a_gpu_of_its_own_where_there_are_any(
    monkeypatch: pytest.MonkeyPatch, gpus: int, refused: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert read_settings(ENVIRONMENT).ranks == 1
    assert read_settings({**ENVIRONMENT, "AGENTFLOW_TRAINER_RANKS": "2"}).ranks == 2
    with pytest.raises(BadEnvironment, match="AGENTFLOW_TRAINER_RANKS"):
        read_settings({**ENVIRONMENT, "AGENTFLOW_TRAINER_RANKS": refused})
