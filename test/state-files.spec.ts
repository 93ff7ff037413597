import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { locateApi } from '../cli/client/locate-api.js';
import { PROJECT_ROOT } from '../infra/config/project-root.js';
import { down } from '../infra/local/commands/down.js';
import { status } from '../infra/local/commands/status.js';
import { LocalStack } from '../infra/local/local-stack.js';
import { preparePostgresHome } from '../infra/local/postgres/home.js';
import { claimSupervision } from '../infra/local/supervision.js';

/** Files that the stack keeps right in a data directory. */
const STATE_FILES = ['stack.json', 'api.json', 'supervisor.lock', 'postgres-location', 'postgres-identity'];
const HISTORY = readFileSync(join(PROJECT_ROOT, 'package.json'));

let data: string;
let cache: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'agentflow-state-'));
  cache = mkdtempSync(join(tmpdir(), 'agentflow-cache-'));
  process.env['AGENTFLOW_DATA'] = data;
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
});
afterEach(() => {
  jest.restoreAllMocks();
  delete process.env['AGENTFLOW_DATA'];
  for (const directory of [data, cache]) rmSync(directory, { recursive: true, force: true });
});

/** What a person reads of a command: what it says, or the message of its error. */
async function said(command: () => Promise<unknown>): Promise<string> {
  const log = jest.mocked(console.log);
  log.mockClear();
  const error = await command().then(
    () => undefined,
    (thrown: unknown) => thrown as Error,
  );
  return [...log.mock.calls.map(([line]) => String(line)), ...(error ? [error.message] : [])].join('\n');
}

/** A start that gets as far as to what set-up has installed: nothing is, in this cache. */
const start = () =>
  LocalStack.start(
    { dataDirectory: data, cacheDirectory: cache, databaseUrl: undefined, existingTemporal: false },
    { onEvent: (event) => console.log('message' in event ? event.message : event.type) },
  );
const prepare = async () => preparePostgresHome(data, (message) => console.log(message), join(cache, 'outside'));
const COMMANDS = { status, down, start, prepare, locate: () => locateApi({ AGENTFLOW_DATA: data }) };

/** A fault of the program itself instead of words for its user. */
const DEFECT =
  /is not a function|undefined \(|Cannot (read|destructure)|Unexpected (token|end)|^E[A-Z]+:|\bat .*:\d+:\d+/m;

describe('a file of the state of the local stack', () => {
  it.each(STATE_FILES)('%s may hold any bytes: each command goes on, or names the file', async (name) => {
    mkdirSync(join(data, 'artifacts/runs/run-a'), { recursive: true });
    writeFileSync(join(data, 'artifacts/runs/run-a/weights'), HISTORY);
    const json = fc.json().map((text) => Buffer.from(text));
    const record = fc
      .record({ children: fc.dictionary(fc.string(), fc.json()), urls: fc.jsonValue() }, { requiredKeys: [] })
      .map((value) => Buffer.from(JSON.stringify(value)));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      json,
      record,
      fc.constant(Buffer.from('{"pid":1,"startTime":"0"}')),
      fc.constant(Buffer.from('{"children":{"api":null}}')),
    );
    const property = fc.asyncProperty(bytes, async (content) => {
      for (const command of Object.values(COMMANDS)) {
        for (const other of STATE_FILES) rmSync(join(data, other), { recursive: true, force: true });
        writeFileSync(join(data, name), content);
        expect(await said(command)).not.toMatch(DEFECT);
      }
      expect(readFileSync(join(data, 'artifacts/runs/run-a/weights'))).toEqual(HISTORY);
    });
    await fc.assert(property, { numRuns: 12, endOnFailure: true });
  });

  const odd: Record<string, (path: string) => void> = {
    'a directory': (path) => {
      mkdirSync(path);
      writeFileSync(join(path, 'of the user'), 'kept');
    },
    'a pipe': (path) => void execFileSync('/bin/sh', ['-c', `mkfifo ${path}`]),
    'a device': (path) => symlinkSync('/dev/zero', path),
    'not what the local stack wrote': (path) => writeFileSync(path, Buffer.alloc(2 * 1024 * 1024, 'x')),
    'cannot be looked at': (path) => symlinkSync(path, path),
    'a link to something that is not there': (path) => symlinkSync(join(data, 'gone'), path),
  };

  it.each(STATE_FILES.flatMap((name) => Object.keys(odd).map((kind) => [name, kind] as const)))(
    '%s can be something else, %s: each command that wants it says so, and the command in its words mends it',
    async (name, kind) => {
      const path = join(data, name);
      const telling: string[] = [];
      for (const [command, run] of Object.entries(COMMANDS)) {
        rmSync(path, { recursive: true, force: true });
        odd[kind](path);
        const message = await said(run);
        expect(message).not.toMatch(DEFECT);
        const mended = new RegExp(`^${path} .*${kind}.* Move it away: (mv .*)$`, 'm').exec(message)?.[1];
        if (mended === undefined) continue;
        telling.push(command);
        execFileSync('/bin/sh', ['-c', mended]);
        expect(await said(run)).not.toContain(kind);
        if (kind === 'a directory') expect(readFileSync(join(`${path}.aside`, 'of the user'), 'utf8')).toBe('kept');
        rmSync(`${path}.aside`, { recursive: true, force: true });
      }
      const wanted = { 'stack.json': 'status', 'supervisor.lock': 'down', 'api.json': 'locate' }[name] ?? 'prepare';
      expect(telling).toContain(wanted);
    },
  );

  it.each([
    ['logs', 'a file'],
    ['logs/supervisor.log', 'a directory'],
    ['temporal.db', 'a directory'],
    ['temporal.toml', 'a directory'],
  ])('%s can be %s: a start says so', async (name, kind) => {
    mkdirSync(join(data, name, '..'), { recursive: true });
    if (kind === 'a file') writeFileSync(join(data, name), '');
    else mkdirSync(join(data, name));
    expect(await said(start)).toMatch(new RegExp(`^${join(data, name)} is ${kind}, .* Move it away: mv`));
  });

  it('can be the data directory itself', async () => {
    rmSync(data, { recursive: true });
    writeFileSync(data, 'a file of the user');
    for (const command of [start, down])
      expect(await said(command)).toContain(`${data} is a file, and the local stack`);
    expect(readFileSync(data, 'utf8')).toBe('a file of the user');
  });
});

/** The command line as a process, which may be another user's. */
function cli(args: string[], uid?: number): string {
  const env = { PATH: process.env['PATH'], AGENTFLOW_DATA: data, AGENTFLOW_CACHE: cache };
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, uid, encoding: 'utf8' });
  return stdout + stderr;
}

if (process.geteuid?.() === 0) {
  /** The user can run the program: it lies where nobody else may pass. */
  const asNobody = (command: string, modules: string) => {
    const program = `import { ${command} } from ${JSON.stringify(new URL(modules, import.meta.url).href)};
      process.setgid(65534); process.setuid(65534);
      try { console.log(await ${command}()); } catch (error) { console.log(error.name, error.message); }`;
    return cli(['--input-type=module', '-e', program]);
  };

  it('an unreadable file of the state is named to its owner and to others, with what makes it readable', () => {
    chmodSync(data, 0o755);
    for (const [name, command, modules] of [
      ['stack.json', 'status', '../dist/infra/local/commands/status.js'],
      ['supervisor.lock', 'down', '../dist/infra/local/commands/down.js'],
      ['api.json', 'locateApi', '../dist/cli/client/locate-api.js'],
    ]) {
      const path = join(data, name);
      writeFileSync(path, '', { mode: 0 });
      expect(asNobody(command, modules)).toMatch(
        new RegExp(
          `DataUnusable ${path} belongs to root .*mode 0, .* make it usable with: (sudo )?chown -R .* ${data}( # as root)?\n`,
        ),
      );
      for (const owned of [data, path]) chownSync(owned, 65_534, 65_534);
      const message = asNobody(command, modules);
      expect(message).toMatch(/mode 0, and .* cannot use it\. .*: chmod -R u\+rwX /);
      execFileSync('/bin/sh', ['-c', message.slice(message.indexOf('chmod'))]);
      expect(statSync(path).mode & 0o600).toBe(0o600);
      expect(asNobody(command, modules)).not.toContain('cannot use it');
      rmSync(path, { force: true });
    }
  }, 60_000);
}

if (process.geteuid?.() === 0) {
  it.each([
    ['up', 'dist/infra/local/main.js', ['up']],
    ['down', 'dist/infra/local/main.js', ['down']],
    ['agentflow data delete', 'dist/cli/main.js', ['data', 'delete', '--yes']],
  ])(
    '%s on a file system that is mounted read-only says so, and the command in its words mends it',
    (_, main, args) => {
      mkdirSync(join(data, 'artifacts'));
      const script = `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"; said=$("$@" 2>&1); echo "$said"
      sh -c "\${said##*Remount it: }" && touch "$0/writable" && echo mended`;
      const command = [process.execPath, join(PROJECT_ROOT, main), ...args];
      const { stdout } = spawnSync('unshare', ['--mount', 'sh', '-c', script, data, ...command], {
        env: { PATH: process.env['PATH'], AGENTFLOW_DATA: data, AGENTFLOW_CACHE: cache },
        encoding: 'utf8',
      });
      expect(stdout).toMatch(
        new RegExp(
          `^(agentflow: )?\\S+ is on a file system that is mounted read-only\\. .*: mount -o remount,rw ${data}\nmended\n$`,
        ),
      );
    },
    60_000,
  );
}

it('up takes the addresses that a killed supervisor left for no stack, and ends as the start does', () => {
  const main = join(PROJECT_ROOT, 'dist/infra/local/main.js');
  const api = 'http://127.0.0.1:8400';
  const urls = { api, docs: `${api}/docs`, temporal: '127.0.0.1:7233', database: 'postgres://gone', policyServer: api };
  const gone = { supervisor: { pid: 4_194_305, startTime: '1' }, children: {}, urls };
  writeFileSync(join(data, 'stack.json'), JSON.stringify(gone));
  const supervision = claimSupervision(data); // as the next supervisor while it starts
  const output = cli([main, 'up']);
  supervision.release();
  expect(output).toMatch(new RegExp(`runs already, under process ${process.pid}\\. Stop it`));
  expect(output).not.toContain(api);
});

it('up, status and down as processes: a directory for stack.json is said in a sentence, and stays', () => {
  const main = join(PROJECT_ROOT, 'dist/infra/local/main.js');
  mkdirSync(join(data, 'stack.json'));
  for (const command of ['up', 'status', 'down']) {
    expect(cli([main, command]).trim()).toBe(
      `${data}/stack.json is a directory, and the local stack keeps a file there. ` +
        `Move it away: mv ${data}/stack.json ${data}/stack.json.aside`,
    );
  }
  expect(readdirSync(join(data, 'stack.json'))).toEqual([]);
  expect(existsSync(join(data, 'logs'))).toBe(false);
});
