"""Several processes that make a step together, one for each accelerator of the machine: the ranks.

Rank 0 is the trainer worker. It starts the others, which hold shards of the model and follow its commands.
"""
