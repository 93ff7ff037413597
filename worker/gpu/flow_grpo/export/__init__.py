"""Writes a policy as a directory that transformers, PEFT and vLLM load as it is."""
