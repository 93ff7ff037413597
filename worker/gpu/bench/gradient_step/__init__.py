"""How fast a gradient step is, beside TRL's GRPOTrainer and a naive padded one: `npm run bench:gradient-step`."""
