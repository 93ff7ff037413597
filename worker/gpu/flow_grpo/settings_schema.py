"""Prints the environment variables of both processes as JSON schemas, for docs/configuration.md.

python -m flow_grpo.settings_schema
"""

import json

from flow_grpo.policy_server.settings import Settings as PolicyServerSettings
from flow_grpo.trainer.settings import Settings as TrainerSettings

if __name__ == "__main__":
    print(
        json.dumps(
            {
                "trainer": TrainerSettings.model_json_schema(),
                "policy server": PolicyServerSettings.model_json_schema(),
            }
        )
    )
