"""How fast the policy server samples a step's rollouts, beside transformers: `npm run bench:policy-server`."""
