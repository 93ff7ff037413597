"""The trainer worker: Flow-GRPO gradient steps as durable, replayable Temporal activities."""

# Named in every batch and manifest. Another number means other arithmetic: old steps cannot be replayed by it.
TRAINER_VERSION = "flow-grpo-3"
