"""README.md of an export: what the model is, what it was made from, how it did, and how to load it."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from flow_grpo.export.source import Source
from flow_grpo.policy import Adapter

_METRICS = ("reward_mean", "loss", "kl", "entropy", "gradient_norm", "learning_rate")


def model_card(source: Source, adapter: Adapter | None, files: Mapping[str, str]) -> str:
    """The model card in Markdown. `adapter`: what is exported, where it is no whole model. `files`: sha256 by name."""
    sections = [
        f"# {source.name}\n\n{_introduction(source, adapter)}",
        f"## Use\n\n```python\n{_python(adapter)}\n```\n\n```sh\n{_vllm(adapter)}\n```",
        f"## Origin\n\n{_table(('what', 'value'), _origin(source))}",
        f"## Evaluation\n\n{_evaluation(source)}",
        f"## Metrics of the last step\n\n{_step_metrics(source)}",
        f"## Configuration of the run\n\n```yaml\n{_yaml(source.configuration)}```",
        f"## Files\n\n{_table(('file', 'sha256'), sorted(files.items()))}",
    ]
    return f"---\n{_yaml(_front_matter(source, adapter))}---\n\n" + "\n\n".join(sections) + "\n"


def _front_matter(source: Source, adapter: Adapter | None) -> dict[str, Any]:
    return {
        "base_model": source.policy.base_model,
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["agentflow", "flow-grpo", "lora" if adapter else "full" if source.whole else "merged"],
    }


def _introduction(source: Source, adapter: Adapter | None) -> str:
    what = "A LoRA adapter" if adapter else "The fp32 weights" if source.whole else "Merged fp32 weights"
    text = (
        f"{what} of the planner after step {source.name.step} of the training run `{source.name.run}` of durable "
        f"AgentFlow, trained in the flow on `{source.policy.base_model}`."
    )
    if not adapter:
        return text
    return (
        f"{text} `adapter_config.json` names the base model by its directory on the machine that exported it, or as it "
        "is registered there: elsewhere, set `base_model_name_or_path` to a copy whose weights have the sha256 given "
        "below."
    )


def _python(adapter: Adapter | None) -> str:
    comment = "" if not adapter else "  # with peft installed: loads the base model and the adapter"
    return (
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        f'model = AutoModelForCausalLM.from_pretrained(".", dtype="float32"){comment}\n'
        'tokenizer = AutoTokenizer.from_pretrained(".")'
    )


def _vllm(adapter: Adapter | None) -> str:
    if not adapter:
        return "vllm serve . --dtype float32"
    rank = adapter.config["r"]
    return f"vllm serve BASE_MODEL --dtype float32 --enable-lora --max-lora-rank {rank} --lora-modules planner=."


def _origin(source: Source) -> list[tuple[str, str]]:
    fork = source.manifest.get("forked_from")
    return [
        ("policy", str(source.name)),
        ("sha256 of the policy", source.policy.sha256),
        ("sha256 of the policy before it", str(source.row.parent_sha256)),
        ("sha256 of the batch it was made from", str(source.row.batch_sha256)),
        ("base model", source.policy.base_model),
        ("sha256 of the base model", source.base_sha256),
        ("what trained", f"`{json.dumps(source.manifest['weights'])}`"),
        ("dataset", f"`{json.dumps(source.configuration.get('dataset'))}`"),
        ("run started from", f"{fork['policy_name']}, sha256 {fork['policy_sha256']}" if fork else "the base model"),
        ("trainer version", source.manifest["trainer_version"]),
    ]


def _evaluation(source: Source) -> str:
    if not source.evaluations:
        return "The run was not evaluated."
    head = ("planner", "after step", "held-out questions", "accuracy", "95 % interval")
    rows = [
        (
            found["planner"],
            found["step"],
            found["questions"],
            f"{found['accuracy']:.3f}",
            f"{found['interval_low']:.3f} to {found['interval_high']:.3f}",
        )
        for found in source.evaluations
    ]
    return _table(head, rows)


def _step_metrics(source: Source) -> str:
    metrics = source.row.metrics
    rows = [(name, f"{metrics[name]:.6g}") for name in _METRICS if name in metrics]
    return _table(("metric", "value"), rows) if rows else "Policy 0 was not trained by the run."


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(document), sort_keys=True, allow_unicode=True)
