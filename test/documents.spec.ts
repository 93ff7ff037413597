import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Command, Option } from 'commander';
import { createProgram } from '../cli/program.js';
import type { CliContext } from '../cli/context.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';

/*
 * What the documents name exists: relative links and their anchors, paths, npm scripts, commands of `agentflow` with their
 * options, environment variables, and symbols of the code.
 */

const tracked = execFileSync('git', ['ls-files'], { cwd: PROJECT_ROOT, encoding: 'utf8' }).trim().split('\n');
const documents = tracked.filter((path) => path.endsWith('.md'));
const read = (path: string) => readFileSync(join(PROJECT_ROOT, path), 'utf8');
const sourceFiles = tracked
  .filter((path) => /\.(ts|mjs|py|json|ya?ml|txt|toml|go)$/.test(path) && !path.endsWith('package-lock.json'))
  .filter((path) => path !== relative(PROJECT_ROOT, new URL(import.meta.url).pathname));
const sources = sourceFiles.map(read).join('\n');
const words = new Set(sources.match(/[\w$]+/g));
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
const program = createProgram({} as CliContext);

const FILE = /\.(ts|mjs|js|py|md|json|jsonl|ya?ml|txt|svg|png|db|log|arrow|safetensors|toml)$/;
/** Of other projects, which docs/parity.md and docs/performance.md compare with, and the pattern of a file's name. */
const NOT_OURS = new Set([
  'ContinuousBatchingManager',
  'max_steps',
  'max_time',
  'num_return_sequences',
  'quick_start',
  'subject.role.ts',
]);

/** What a document names in code: between backticks, and in the lines of its shell blocks. */
function codeOf(text: string): { spans: string[]; commands: string[] } {
  const blocks = [...text.matchAll(/```(\w*)\n([^]*?)```/g)];
  const shell = blocks.filter(([, language]) => language === 'sh').flatMap(([, , body]) => body.split('\n'));
  const spans = [...text.replace(/```[^]*?```/g, '').matchAll(/`([^`\n]+)`/g)].map(([, span]) => span);
  return { spans, commands: [...shell, ...spans] };
}

/** What is wrong with a name, or undefined. */
function fault(span: string): string | undefined {
  const name = span.replace(/\(\)$/, '');
  if (NOT_OURS.has(name)) return undefined;
  if (isPath(name)) return pathExists(name) ? undefined : `no file ${name}`;
  const variable = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=.*)?$/.exec(name)?.[1];
  if (variable) return words.has(variable) ? undefined : `no variable or constant ${variable}`;
  const isSymbol = /^[A-Za-z_$][\w$]*$/.test(name) && /[a-z0-9][A-Z]|^[A-Z][a-z]+[A-Z]|_/.test(name);
  return isSymbol && !words.has(name) ? `no symbol ${name}` : undefined;
}

function isPath(name: string): boolean {
  if (/[\s<>{}*=:,|]|…|^https?|^\/|^@|^\./.test(name)) return false;
  return (
    FILE.test(name) ||
    (/^[a-z][\w-]*\/[\w./-]*$/.test(name) && tracked.some((path) => path.startsWith(`${name.split('/')[0]}/`)))
  );
}

/** On disk, whole or by its end (`turn-store.ts`); compiled from such a file; or made by the program, whose code names it. */
function pathExists(name: string): boolean {
  const path = name.replace(/^dist\//, '').replace(/\/$/, '');
  const forms = [path, path.replace(/\.js$/, '.ts')];
  const found = forms.some((form) =>
    tracked.some((file) => file === form || file.endsWith(`/${form}`) || `/${file}`.includes(`/${form}/`)),
  );
  return found || sources.includes(path.split('/').at(-1)!);
}

/** What is wrong with the commands in a line of shell. */
function commandFaults(line: string): string[] {
  const npm = [...line.matchAll(/\bnpm (?:run(?: --silent)? )([\w:-]+)/g)].flatMap(([, script]) =>
    script in scripts ? [] : [`no script ${script}`],
  );
  const [, called] = /^(?:\$\s*)?(?:npx )?agentflow (.+)$/.exec(line.replace(/ #.*$/, '').trim()) ?? [];
  return called ? [...npm, ...agentflowFaults(called.split(/\s+/))] : npm;
}

function agentflowFaults(parts: string[]): string[] {
  let command: Command = program;
  let index = 0;
  for (; index < parts.length; index += 1) {
    const next = command.commands.find(
      (child) => child.name() === parts[index] || child.aliases().includes(parts[index]),
    );
    if (!next) break;
    command = next;
  }
  if (command === program && parts[0] && !parts[0].startsWith('-')) return [`no command agentflow ${parts[0]}`];
  const offered = (command.options as Option[]).flatMap(({ long, short, negate }) => [long, short, negate && long]);
  return parts
    .slice(index)
    .flatMap((part) => /^\[?(--[a-z][a-z-]*)/.exec(part)?.[1] ?? [])
    .filter((option) => option !== '--help' && !offered.includes(option))
    .map((option) => `agentflow ${command.name()} has no option ${option}`);
}

/** GitHub's anchors of a document's headings. */
function anchors(text: string): string[] {
  return [...text.replace(/```[^]*?```/g, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

function linkFaults(document: string, text: string): string[] {
  const links = [...text.replace(/```[^]*?```/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .flatMap((link) => {
      const [path, anchor] = link.split('#');
      const target = path ? join(PROJECT_ROOT, dirname(document), path) : join(PROJECT_ROOT, document);
      if (!existsSync(target)) return [`link to ${link}: no such file`];
      if (!anchor || statSync(target).isDirectory()) return [];
      return anchors(readFileSync(target, 'utf8')).includes(anchor) ? [] : [`link to ${link}: no such heading`];
    });
}

/** What is wrong with the pages of this project that a source names, such as `docs/data.md#tables`. */
function citationFaults(source: string): string[] {
  const cited = source.match(/(?<![\w./-])(docs\/[\w-]+|ARCHITECTURE|CONTRIBUTING|README)\.md(#[\w-]+)?/g) ?? [];
  return linkFaults('README.md', cited.map((place) => `[a](${place})`).join(' '));
}

describe('documents name what exists', () => {
  it.each(documents)('%s: links', (document) => {
    expect(linkFaults(document, read(document))).toEqual([]);
  });

  // The changelog tells what was.
  it.each(documents.filter((path) => path !== 'CHANGELOG.md'))(
    '%s: paths, symbols, variables and commands',
    (document) => {
      const { spans, commands } = codeOf(read(document));
      const faults = [...spans.flatMap((span) => fault(span) ?? []), ...commands.flatMap(commandFaults)];
      expect([...new Set(faults)]).toEqual([]);
    },
  );

  it.each([
    ['`infra/local/no-such-file.ts`', 'no file infra/local/no-such-file.ts'],
    ['`no-such-file.spec.ts`', 'no file no-such-file.spec.ts'],
    ['`AGENTFLOW_NO_SUCH_VARIABLE`', 'no variable or constant AGENTFLOW_NO_SUCH_VARIABLE'],
    ['`noSuchSymbol`', 'no symbol noSuchSymbol'],
    ['`npm run no-such-script`', 'no script no-such-script'],
    ['`agentflow nothing`', 'no command agentflow nothing'],
    ['```sh\nnpx agentflow runs list --no-such-option\n```', 'agentflow list has no option --no-such-option'],
  ])('a document that names %s is told of it', (text, told) => {
    const { spans, commands } = codeOf(text);
    expect([...spans.flatMap((span) => fault(span) ?? []), ...commands.flatMap(commandFaults)]).toContain(told);
  });

  it('docs/README.md has a line for every page', () => {
    const pages = documents.filter((path) => dirname(path) === 'docs' && path !== 'docs/README.md');
    const lines = read('docs/README.md')
      .match(/^- \[[^\]]+\]\(([^)]+)\): /gm)
      ?.map((line) => line.slice(3, line.indexOf(']')));
    expect(lines?.map((page) => `docs/${page}`).sort()).toEqual(pages);
  });

  it('the code cites pages and headings that are in the repository, by path and anchor', () => {
    expect(sources.match(/.*(\bdesign \d|\bARCHITECTURE(?!\.md)).*/g) ?? []).toEqual([]);
    expect(sourceFiles.flatMap((path) => citationFaults(read(path)).map((fault) => `${path}: ${fault}`))).toEqual([]);
  });

  it('a page or a heading that a comment cites and that is not there is told', () => {
    expect(citationFaults('(docs/none.md) (docs/data.md#none) (ARCHITECTURE.md#invariants, docs/data.md)')).toEqual([
      'link to docs/none.md: no such file',
      'link to docs/data.md#none: no such heading',
    ]);
  });

  it('a link to a file or a heading that is not there is told', () => {
    expect(
      linkFaults('README.md', '[a](docs/none.md) [b](ARCHITECTURE.md#none) [c](#none) [d](ARCHITECTURE.md#words)'),
    ).toEqual([
      'link to docs/none.md: no such file',
      'link to ARCHITECTURE.md#none: no such heading',
      'link to #none: no such heading',
    ]);
  });
});
