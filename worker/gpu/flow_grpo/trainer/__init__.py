"""The trainer worker: Flow-GRPO gradient steps as durable, replayable Temporal activities."""

# Named in every batch and manifest. Another number means other arithmetic.
TRAINER_VERSION = "flow-grpo-4"

# Versions whose batches are computed as they were then, so that runs from before go on and replay. Before 4, a pass of
# which some mini-batches were empty was scaled as if none were (step.py).
REPLAYABLE_VERSIONS = ("flow-grpo-3", TRAINER_VERSION)
