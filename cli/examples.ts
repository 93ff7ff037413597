import type { Command } from 'commander';

/** What the help of each command shows, by the command's words: a few lines that can be typed as they stand. */
export const EXAMPLES: Record<string, string[]> = {
  quickstart: ['agentflow quickstart', 'agentflow quickstart --steps 4 --detach'],
  train: [
    'agentflow train run.yaml --follow',
    'agentflow train run.yaml --dry-run --device-gib 80',
    'agentflow train run.yaml --from run-abc@12 --set training.learning_rate=5e-5',
  ],
  solve: [
    'agentflow solve "Which river flows through the capital of France?"',
    'agentflow solve --policy run-abc@12 --max-turns 3 "What is 7 times 8?"',
    'agentflow solve --id flow-abc    # watches one that was asked before',
  ],
  eval: [
    'agentflow eval evaluation.yaml',
    'agentflow eval --benchmarks bamboogle,2wiki --policies base,run-abc@12 --questions 100',
    'agentflow eval --id eval-abc --answers undecided',
  ],
  'runs list': ['agentflow runs list --status running', 'agentflow runs list --name first --json'],
  'runs show': ['agentflow runs show run-abc'],
  'runs answers': ['agentflow runs answers run-abc --step 12'],
  'runs watch': ['agentflow runs watch run-abc', 'agentflow runs watch run-abc --json > events.jsonl'],
  'runs fork': ['agentflow runs fork run-abc --step 12 --set training.learning_rate=5e-5'],
  'runs pause': ['agentflow runs pause run-abc', 'agentflow runs pause run-abc --now'],
  'runs resume': ['agentflow runs resume run-abc'],
  'runs stop': ['agentflow runs stop run-abc'],
  'runs cancel': ['agentflow runs cancel run-abc'],
  'runs revive': ['agentflow runs revive run-abc'],
  'runs delete': ['agentflow runs delete run-abc'],
  'runs learning-rate': ['agentflow runs learning-rate run-abc 5e-5'],
  'runs extend': ['agentflow runs extend run-abc 40'],
  steps: ['agentflow steps run-abc', 'agentflow steps run-abc --step 12'],
  'rollouts list': [
    'agentflow rollouts list run-abc --step 12 --sort=-advantage    # those that taught most in step 12',
    'agentflow rollouts list run-abc --tool none --reward-max 0     # plans that nobody could read',
  ],
  'rollouts show': ['agentflow rollouts show run-abc/3/0/1'],
  'policies list': ['agentflow policies list run-abc'],
  'policies show': ['agentflow policies show run-abc@12'],
  'policies pin': ['agentflow policies pin run-abc@12'],
  'policies unpin': ['agentflow policies unpin run-abc@12'],
  'datasets list': ['agentflow datasets list'],
  'datasets fetch': ['agentflow datasets fetch bamboogle'],
  'datasets check': ['agentflow datasets check', 'agentflow datasets check atlas --model smollm2-135m-instruct'],
  'datasets upload': [
    'agentflow datasets upload geography.csv --name geography --columns question=Question,answer=Answer --wait',
  ],
  'datasets show': ['agentflow datasets show geography'],
  'datasets preview': ['agentflow datasets preview geography'],
  'datasets delete': ['agentflow datasets delete geography'],
  'passages index': [
    'agentflow passages index wiki.jsonl --name wiki',
    'agentflow passages index wiki.jsonl --name wiki-e5 --dense float32',
  ],
  decide: [
    'agentflow decide run-abc skip-group --groups 1,2',
    'agentflow decide run-abc skip-step',
    'agentflow decide run-abc learning-rate 5e-5',
  ],
  'checkpoints verify': ['agentflow checkpoints verify', 'agentflow checkpoints verify run-abc'],
  export: ['agentflow export run-abc@12 --to planner', 'agentflow export run-abc@12 --to planner --merged'],
  'exports create': ['agentflow exports create run-abc@12 --wait', 'agentflow exports create run-abc@12 --merged'],
  'exports list': ['agentflow exports list --status completed'],
  'exports show': ['agentflow exports show export-abc'],
  'exports download': ['agentflow exports download export-abc --to planner'],
  'exports cancel': ['agentflow exports cancel export-abc'],
  'exports revive': ['agentflow exports revive export-abc'],
  'exports delete': ['agentflow exports delete export-abc'],
  'keys create': ['agentflow keys create notebook --scopes read,submit --expires 90d'],
  'keys list': ['agentflow keys list'],
  'keys revoke': ['agentflow keys revoke key-abc'],
  'projects create': ['agentflow projects create vision-team'],
  'projects list': ['agentflow projects list'],
  usage: ['agentflow usage --by day --from 2026-01-01', 'agentflow usage --run run-abc'],
  audit: ['agentflow audit --limit 100', 'agentflow audit --project vision-team'],
  'webhooks create': ['agentflow webhooks create https://example.org/hook --events run.completed,run.failed'],
  'webhooks list': ['agentflow webhooks list'],
  'webhooks show': ['agentflow webhooks show webhook-abc'],
  'webhooks deliveries': ['agentflow webhooks deliveries webhook-abc --status failed'],
  'webhooks delivery': ['agentflow webhooks delivery delivery-abc'],
  'webhooks test': ['agentflow webhooks test webhook-abc'],
  'webhooks replay': ['agentflow webhooks replay delivery-abc'],
  'webhooks enable': ['agentflow webhooks enable webhook-abc'],
  'webhooks disable': ['agentflow webhooks disable webhook-abc'],
  'webhooks delete': ['agentflow webhooks delete webhook-abc'],
  dashboard: ['agentflow dashboard    # open what it prints in a browser'],
  mcp: ['agentflow mcp    # an assistant starts it: docs/mcp.md'],
  'data delete': ['agentflow data delete'],
  up: ['agentflow up'],
  down: ['agentflow down'],
  status: ['agentflow status', 'agentflow status --json'],
  doctor: ['agentflow doctor'],
  completion: ['agentflow completion bash'],
};

/** Adds its examples to the help of every command that has none below it. */
export function addExamples(program: Command): void {
  for (const { path, command } of leavesOf(program)) {
    const examples = EXAMPLES[path] ?? [];
    const title = examples.length > 1 ? 'Examples:' : 'Example:';
    if (examples.length > 0) command.addHelpText('after', ['', title, ...examples.map((one) => `  ${one}`)].join('\n'));
  }
}

/** The commands that do something, with their words after the program's name. */
export function leavesOf(command: Command, words: string[] = []): { path: string; command: Command }[] {
  if (command.commands.length === 0) return [{ path: words.join(' '), command }];
  return command.commands.flatMap((below) => leavesOf(below, [...words, below.name()]));
}
