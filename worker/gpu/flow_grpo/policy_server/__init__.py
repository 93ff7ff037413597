"""The embedded policy server: OpenAI-compatible, batch-invariant to the bit, on CPU."""
