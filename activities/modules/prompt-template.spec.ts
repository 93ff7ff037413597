import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { PromptTemplate } from './prompt-template.js';

function template(text: string): PromptTemplate {
  const path = join(mkdtempSync(join(tmpdir(), 'prompt-')), 'prompt.txt');
  writeFileSync(path, text);
  return PromptTemplate.read(pathToFileURL(path));
}

describe('PromptTemplate', () => {
  it('never reads a value as a template', () => {
    const file = template(
      '=== system ===\nTools: {{tools}}\n\n{{reply}}\n=== user ===\n{{question}}\n=== reply text ===\nSay {{question}}\n',
    );
    const values = { tools: '{{question}}', question: '$1 {{tools}} === user ===' };
    expect(file.render(values)).toEqual([
      { role: 'system', content: `Tools: {{question}}\n\nSay ${values.question}` },
      { role: 'user', content: values.question },
    ]);
  });

  it('asks for the reply in the form that the model is held to', () => {
    const file = template('=== user ===\n{{reply}}\n=== reply text ===\nlabels\n=== reply json ===\nan object\n');
    expect(file.render({}, { style: 'json' })[0].content).toBe('an object');
    expect(file.render({})[0].content).toBe('labels');
  });

  it('leaves out what needs a tool that the flow lacks', () => {
    const file = template('=== user, with a and b ===\nboth\n=== user, with a ===\none\n=== user ===\nend\n');
    const contents = (tools: string[]) => file.render({}, { tools }).map(({ content }) => content);
    expect([contents(['a', 'b']), contents(['a']), contents([])]).toEqual([
      ['both', 'one', 'end'],
      ['one', 'end'],
      ['end'],
    ]);
  });

  it('is known by its text, and fails early where it is none', () => {
    expect(template('=== user ===\na\n').sha256).not.toBe(template('=== user ===\nb\n').sha256);
    expect(() => template('You are an assistant.\n')).toThrow(/must begin with a title/);
    expect(() => template('=== user ===\n{{nothing}}\n').render({})).toThrow('{{nothing}}');
  });

  it('has a place for nothing but what the flow itself holds: no clock', () => {
    const modules = new URL('./', import.meta.url);
    const all = readdirSync(modules, { recursive: true, encoding: 'utf8' });
    const files = all.filter((path) => /prompts\/.*\.txt$/.test(path));
    expect(files.length).toBeGreaterThan(9);
    const names =
      'question analysis memory turns_left tools tool tool_notes schema examples sub_goal context reply'.split(' ');
    for (const file of files) {
      const text = readFileSync(new URL(file, modules), 'utf8');
      for (const [, name] of text.matchAll(/\{\{(.*?)\}\}/g)) expect(names).toContain(name);
    }
  });
});
