import { readFileSync } from 'node:fs';
import { sha256Hex } from '../../infra/artifacts/sha256.js';
import type { ChatMessage } from '../engines/chat.js';

/** How the reply is asked for: `json` where the model can be held to it, else labelled text. */
export type ReplyStyle = 'json' | 'text';

interface Section {
  /** A role, or `reply text` and `reply json`: what stands in the place of {{reply}}. */
  title: string;
  /** Left out where the flow lacks one of these tools. */
  needs: string[];
  text: string;
}

const ROLES = ['system', 'user', 'assistant'] as const;
const TITLE = /^=== (system|user|assistant|reply text|reply json)(?:, with ([a-z0-9._ -]+))? ===$/;

/**
 * A prompt as a file: sections under lines `=== system ===`, `=== user ===`, `=== assistant ===`; `=== user, with
 * lookup and calculator ===` only where the flow has those tools. `{{name}}` is replaced once by a value, which is never read as a
 * template itself.
 */
export class PromptTemplate {
  private constructor(
    private readonly sections: readonly Section[],
    /** Of the file: in every row of a call that it was used for. */
    readonly sha256: string,
  ) {}

  /** @throws Error where the file is not a template: found when the worker starts */
  static read(url: URL): PromptTemplate {
    const file = readFileSync(url, 'utf8');
    return new PromptTemplate(parseSections(file, url), sha256Hex(file));
  }

  /** @throws Error where the template has a placeholder that no value is given for */
  render(
    values: Readonly<Record<string, string>>,
    { style = 'text', tools = [] }: { style?: ReplyStyle; tools?: readonly string[] } = {},
  ): ChatMessage[] {
    const reply = this.sections.find(({ title }) => title === `reply ${style}`)?.text ?? '';
    const filled = { ...values, reply: fill(reply, values) };
    return this.sections.flatMap(({ title, needs, text }) => {
      const role = ROLES.find((name) => name === title);
      if (!role || needs.some((tool) => !tools.includes(tool))) return [];
      return [{ role, content: fill(text, filled) }];
    });
  }
}

function parseSections(file: string, url: URL): Section[] {
  const sections: Section[] = [];
  for (const line of file.replace(/\n$/, '').split('\n')) {
    const title = TITLE.exec(line);
    if (title) sections.push({ title: title[1], needs: title[2]?.split(' and ') ?? [], text: '' });
    else if (sections.length === 0) throw new Error(`${url.pathname}: must begin with a title such as === system ===.`);
    else appendLine(sections[sections.length - 1], line);
  }
  return sections;
}

function appendLine(section: Section, line: string): void {
  section.text = section.text === '' ? line : `${section.text}\n${line}`;
}

function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{([a-z_]+)\}\}/g, (_, name: string) => {
    if (!Object.hasOwn(values, name)) throw new Error(`The prompt template has no value for {{${name}}}.`);
    return values[name];
  });
}
