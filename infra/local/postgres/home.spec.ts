import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { DataUnusable } from '../data-unusable.js';
import { findFreePort } from '../ports.js';
import { endGroup, waitUntil } from '../process-group.js';
import { postgresProcess } from '../processes/postgres.process.js';
import { SupervisedProcess, UNOBSERVED } from '../supervised-process.js';
import { databaseUrl, ensureCluster, ensureDatabase } from './cluster.js';
import { isCluster, readCluster } from './cluster-state.js';
import { preparePostgresHome, type PostgresHome } from './home.js';
import { pgdata } from './location.js';
import { findUser } from './system-user.js';

/** PostgreSQL runs as another user only for root: what comes of that exists for root alone. */
const describeAsRoot = (name: string, body: () => void) => {
  if (process.geteuid?.() === 0) describe(name, body);
};
const NOBODY = { uid: 65_534, gid: 65_534 };

const shell = (command: string) => execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8', stdio: 'pipe' });

/** Runs work on the server of a home, and stops the server. */
async function withServer<T>(home: PostgresHome, work: (port: number) => Promise<T>): Promise<T> {
  const port = await findFreePort();
  const log = join(home.dataDirectory, 'logs/postgres.log');
  const server = new SupervisedProcess(postgresProcess(home, port, { PATH: process.env['PATH'] }, log), UNOBSERVED);
  await server.start();
  try {
    return await work(port);
  } finally {
    await server.stop();
  }
}

async function query(home: PostgresHome, port: number, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: databaseUrl(home, port) });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** Path and content's length of every file below: what must be there afterwards, too. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !/postmaster|\blogs\b|pg_wal/.test(path))
    .map((path) => join(directory, path));
}

let root: string;
let template: string;
let parent: string;
let notices: string[];
const notice = (message: string) => notices.push(message);

/** A data directory with a run in its database, stopped. Copied, because making one takes seconds. */
function dataDirectoryIn(place: string): string {
  mkdirSync(join(root, place), { recursive: true });
  const directory = join(root, place, 'data-directory');
  shell(`cp -a ${template} ${directory}`);
  return directory;
}

/** As much of a cluster as a decision looks at. */
function sketchCluster(home: string, identifier = 42n): void {
  const control = Buffer.alloc(8192);
  control.writeBigUInt64LE(identifier);
  mkdirSync(join(home, 'data/global'), { recursive: true });
  mkdirSync(join(home, 'data/base'));
  writeFileSync(join(home, 'data/global/pg_control'), control);
  writeFileSync(join(home, 'data/PG_VERSION'), '18\n');
  writeFileSync(join(home, 'password'), 'p\n');
  chmodSync(join(home, 'data'), 0o700);
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = findUser();
  shell(`chown -R ${uid}:${gid} ${home}`);
}

/** A data directory for what is decided without a server. */
function sketchedDirectoryIn(place: string): string {
  const directory = join(root, place, 'data-directory');
  mkdirSync(directory, { recursive: true });
  sketchCluster(join(directory, 'postgres'));
  writeFileSync(join(directory, 'postgres-identity'), '42\n');
  writeFileSync(join(directory, 'temporal.db'), 'history');
  return directory;
}

async function open(dataDirectory: string): Promise<PostgresHome> {
  const home = preparePostgresHome(dataDirectory, notice, parent);
  await ensureCluster(home, notice);
  return home;
}

function refusal(dataDirectory: string): string {
  try {
    preparePostgresHome(dataDirectory, notice, parent);
  } catch (error) {
    expect(error).toBeInstanceOf(DataUnusable);
    return (error as Error).message;
  }
  throw new Error('It was not refused.');
}

/** The command that ends a refusal. */
function commandOf(message: string, before: string): string {
  return message.slice(message.indexOf(before) + before.length).replace('sudo ', '');
}

const readRuns = (home: PostgresHome) => withServer(home, (port) => query(home, port, 'SELECT name FROM runs'));
const identifier = (home: PostgresHome) => {
  const cluster = readCluster(pgdata(home));
  return isCluster(cluster) ? cluster.systemIdentifier : undefined;
};

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'agentflow-home-'));
  chmodSync(root, 0o711);
  template = join(root, 'template');
  notices = [];
  mkdirSync(template);
  const home = await open(template);
  await withServer(home, async (port) => {
    await ensureDatabase(home, port);
    await query(home, port, `CREATE TABLE runs AS SELECT 'weeks of work' AS name`);
  });
  writeFileSync(join(template, 'temporal.db'), 'history');
}, 120_000);
afterAll(() => rmSync(root, { recursive: true }));

let place = 0;
beforeEach(() => {
  place += 1;
  parent = join(root, `parent-${place}`);
  notices = [];
});

describe(preparePostgresHome, () => {
  let data: string;
  let before: string[];

  beforeEach(() => {
    data = sketchedDirectoryIn(String(place));
    before = filesIn(data);
  });
  /** With a database in which there is a run. */
  const useRealDatabase = () => {
    data = dataDirectoryIn(`${place}-real`);
    before = filesIn(data);
  };
  /** Whatever was decided, what was there is there (I13). */
  afterEach(() => {
    if (existsSync(data)) expect(filesIn(data)).toEqual(expect.arrayContaining(before));
  });

  it('I13: uses the database that is there, also after the directory was moved', async () => {
    useRealDatabase();
    expect(await readRuns(await open(data))).toEqual([{ name: 'weeks of work' }]);
    const moved = `${data}-moved`;
    renameSync(data, moved);
    expect(await readRuns(await open(moved))).toEqual([{ name: 'weeks of work' }]);
    expect(notices).toEqual([]);
  }, 60_000);

  it.each(['PG_VERSION', 'global/pg_control'])('I13: refuses a database without %s and leaves it', (file) => {
    unlinkSync(join(data, 'postgres/data', file));
    before = filesIn(data);
    const message = refusal(data);
    expect(message).toContain(file);
    shell(commandOf(message, 'with `').split('`')[0]);
    before = [];
    unlinkSync(join(data, 'postgres-identity'));
    expect(preparePostgresHome(data, notice, parent).cluster).toBeUndefined();
    expect(existsSync(join(data, 'postgres/data.aside/base'))).toBe(true);
  });

  it('I13: refuses a database of another major version', () => {
    writeFileSync(join(data, 'postgres/data/PG_VERSION'), '17\n');
    expect(refusal(data)).toMatch(/made by PostgreSQL 17.*brings PostgreSQL 18.*pg_upgrade/);
  });

  it('I13: makes no new database where one was', () => {
    renameSync(join(data, 'postgres'), join(data, 'elsewhere'));
    before = filesIn(data);
    const message = refusal(data);
    expect(message).toContain('is gone');
    renameSync(join(data, 'elsewhere'), join(data, 'postgres'));
    before = filesIn(data);
    expect(preparePostgresHome(data, notice, parent).cluster).toBeDefined();
  });

  it('I13: refuses another database in its place', () => {
    const file = join(data, 'postgres/data/global/pg_control');
    const control = readFileSync(file);
    control[0] ^= 1;
    writeFileSync(file, control);
    expect(refusal(data)).toContain('holds another database');
  });

  it('refuses a copy that others may read, as PostgreSQL does, and says how it is mended', async () => {
    useRealDatabase();
    chmodSync(join(data, 'postgres/data'), 0o755);
    shell(commandOf(refusal(data), 'refuses it: '));
    expect(await readRuns(await open(data))).toEqual([{ name: 'weeks of work' }]);
  }, 60_000);

  describeAsRoot('a part of it that its user cannot use', () => {
    const pgdataOf = (path = '') => join(data, 'postgres/data', path);
    const accidents: Record<string, () => void> = {
      'a directory without rights': () => chmodSync(pgdataOf('base'), 0),
      "a directory below that is another user's": () => void shell(`chown -R nobody ${pgdataOf('base/5')}`),
      "root's log, which can be read": () =>
        void shell(`chown -R root ${pgdataOf('pg_wal')}; chmod 555 ${pgdataOf('pg_wal')}`),
      'a file without rights': () => chmodSync(pgdataOf('global/1262'), 0),
      'settings of root': () => void shell(`chown root ${pgdataOf('postgresql.conf')}`),
      "root's log, on another disk": () => {
        const disk = join(root, `disk-${place}`);
        shell(`mv ${pgdataOf('pg_wal')} ${disk}; ln -s ${disk} ${pgdataOf('pg_wal')}; chown -R root ${disk}`);
      },
    };

    it.each(Object.keys(accidents))(
      '%s: refused before it starts, and the command in its words mends it',
      async (name) => {
        useRealDatabase();
        accidents[name]();
        before = filesIn(data);
        const message = refusal(data);
        expect(message).toMatch(
          /, a part of the database in .*\/postgres\/data, belongs to .*, mode \d+, and PostgreSQL's user/,
        );
        shell(message.slice(message.indexOf('with: ') + 'with: '.length));
        expect(await readRuns(await open(data))).toEqual([{ name: 'weeks of work' }]);
      },
      60_000,
    );

    it('is no part that it only reads, or that is not its own', async () => {
      useRealDatabase();
      chmodSync(pgdataOf('pg_hba.conf'), 0o444);
      mkdirSync(pgdataOf('lost+found'), { mode: 0o700 });
      expect(await readRuns(await open(data))).toEqual([{ name: 'weeks of work' }]);
    }, 60_000);
  });

  it('names the command that sets a lost password, and the command works', async () => {
    useRealDatabase();
    unlinkSync(join(data, 'postgres/password'));
    before = filesIn(data);
    shell(commandOf(refusal(data), 'Set a new one: '));
    expect(await readRuns(await open(data))).toEqual([{ name: 'weeks of work' }]);
  }, 60_000);

  it('takes a database of an earlier version, which is not remembered yet, and remembers it', async () => {
    unlinkSync(join(data, 'postgres-identity'));
    before = filesIn(data);
    const home = await open(data);
    expect(readFileSync(join(data, 'postgres-identity'), 'utf8').trim()).toBe(identifier(home));
  });

  it.each([
    ['is gone', (named: string) => rmSync(named, { recursive: true, force: true })],
    ['is empty', (named: string) => mkdirSync(named)],
    ['holds no whole database', (named: string) => mkdirSync(join(named, 'data/base'), { recursive: true })],
  ])('I13: refuses a postgres-location that names a directory that %s', (_, make) => {
    const named = join(root, `named-${place}`);
    renameSync(join(data, 'postgres'), join(data, 'kept'));
    make(named);
    writeFileSync(join(data, 'postgres-location'), `${named}\n`);
    before = filesIn(data);
    expect(refusal(data)).toContain(named);
  });

  it.each([
    ['a name alone', 'postgres\n'],
    ['zeros', '\0\0\0'],
    ['garbage', '\u0001\u0002 \ufffd'],
    ['a path that is too long', `/${'x'.repeat(9_000)}`],
  ])(
    'I13: refuses a postgres-location with %s, names the database that it found, and a command that goes on with it',
    (_, garbage) => {
      writeFileSync(join(data, 'postgres-location'), garbage);
      const message = refusal(data);
      expect(message).toContain('holds no absolute path');
      expect(message).toContain(`go on with the database in ${join(data, 'postgres')} (last used 20`);
      shell(commandOf(message, '), '));
      expect(preparePostgresHome(data, notice, parent).cluster?.systemIdentifier).toBeDefined();
    },
  );

  it('I13: a postgres-location without a path, if there is no database: the command begins with an empty one', () => {
    const none = join(root, 'none');
    mkdirSync(none);
    for (const identity of [undefined, '42\n']) {
      writeFileSync(join(none, 'postgres-location'), 'garbage');
      if (identity) writeFileSync(join(none, 'postgres-identity'), identity);
      const message = refusal(none);
      expect(message).toContain('No database of this data directory was found');
      shell(commandOf(message, 'an empty one, '));
      expect(preparePostgresHome(none, notice, parent).cluster).toBeUndefined();
    }
    writeFileSync(join(data, 'postgres-location'), '');
  });

  it('I13: refuses to choose between two databases, and says when each was used', async () => {
    useRealDatabase();
    unlinkSync(join(data, 'postgres-identity')); // as an earlier version left it
    before = filesIn(data);
    const other = sketchedDirectoryIn(`${place}-other`);
    writeFileSync(join(data, 'postgres-location'), `${join(other, 'postgres')}\n`);
    const message = refusal(data);
    expect(message.match(/last used \d{4}-/g)).toHaveLength(2);
    before = before.filter((path) => !path.endsWith('postgres-location'));
    shell(/(rm .*?);/.exec(message)![1]);
    expect(await readRuns(await open(data))).toEqual([{ name: 'weeks of work' }]);
  }, 60_000);
});

describe(ensureCluster, () => {
  let data: string;

  beforeEach(() => {
    data = join(root, `fresh-${place}`);
    mkdirSync(data);
  });

  it('I13: moves aside, and never removes, what a killed initdb left', async () => {
    const home = preparePostgresHome(data, notice, parent);
    const user = home.user && { uid: home.user.uid, gid: home.user.gid };
    const fresh = `${pgdata(home)}.new`;
    const args = ['--auth=trust', '--username=agentflow', `--pgdata=${fresh}`];
    const options = { ...user, cwd: '/', detached: true, stdio: 'ignore' } as const;
    const initdb = spawn(join(home.bin, 'initdb'), args, options);
    expect(await waitUntil(() => existsSync(join(fresh, 'base')), 30_000)).toBe(true);
    const dead = once(initdb, 'exit');
    await endGroup(initdb.pid!, 'SIGKILL', 5_000);
    await dead;
    const left = readdirSync(fresh);

    const made = await open(data);
    const aside = readdirSync(home.directory).filter((name) => name.startsWith('data.new.'));
    expect(aside).toHaveLength(1);
    expect(readdirSync(join(home.directory, aside[0]))).toEqual(left);
    expect(notices).toEqual([expect.stringContaining(aside[0])]);
    expect(identifier(made)).toBeDefined();
  }, 60_000);

  it('finishes what it had made when the start died before it got its name', async () => {
    const home = await open(data);
    const made = identifier(home);
    renameSync(pgdata(home), `${pgdata(home)}.new`);
    expect(identifier(await open(data))).toBe(made);
    expect(existsSync(`${pgdata(home)}.new`)).toBe(false);
  }, 60_000);
});

describeAsRoot('I13: as root, when PostgreSQL runs as another user', () => {
  let data: string;
  let closed: string;

  beforeEach(() => {
    data = sketchedDirectoryIn(`${place}/closed`);
    closed = join(root, `${place}/closed`);
  });

  it('refuses when a directory above was closed, leaves the database, and the command in its words opens it', async () => {
    rmSync(data, { recursive: true });
    data = dataDirectoryIn(`${place}/closed`);
    const before = filesIn(data);
    chmodSync(closed, 0o700);
    const message = refusal(data);
    expect(message).toContain(`cannot enter ${closed} (mode 700`);
    expect(filesIn(data)).toEqual(before);
    expect(existsSync(parent)).toBe(false);
    shell(commandOf(message, 'Let it pass: '));
    expect(await readRuns(await open(data))).toEqual([{ name: 'weeks of work' }]);
  }, 60_000);

  it('lets PostgreSQL through the data directory itself, and changes no other bit of it', () => {
    chmodSync(data, 0o740);
    expect(preparePostgresHome(data, notice, parent).cluster).toBeDefined();
    expect(statSync(data).mode & 0o777).toBe(0o751);
  });

  it('takes no answer for "cannot reach" when the probe cannot start', () => {
    const program = `
      import { preparePostgresHome } from ${JSON.stringify(new URL('../../../dist/infra/local/postgres/home.js', import.meta.url).href)};
      try { preparePostgresHome(${JSON.stringify(data)}, console.log, ${JSON.stringify(parent)}); }
      catch (error) { console.log(error.name, error.message); }`;
    const before = filesIn(data);
    const output = execFileSync('prlimit', ['--nproc=0', process.execPath, '--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(output).toMatch(/^DataUnusable It cannot be found out .*did not start.*Nothing was changed/);
    expect(filesIn(data)).toEqual(before);
    expect(existsSync(parent)).toBe(false);
  });

  it('runs the database of another user as that user, and refuses one of its own with the command', async () => {
    rmSync(data, { recursive: true });
    data = dataDirectoryIn(`${place}/closed`);
    shell(`chown -R ${NOBODY.uid}:${NOBODY.gid} ${data}/postgres`);
    const home = await open(data);
    expect(home.user).toMatchObject(NOBODY);
    expect(await readRuns(home)).toEqual([{ name: 'weeks of work' }]);
    expect(statSync(pgdata(home)).uid).toBe(NOBODY.uid);

    shell(`chown -R 0:0 ${data}/postgres`);
    shell(commandOf(refusal(data), 'runs: '));
    expect(await readRuns(await open(data))).toEqual([{ name: 'weeks of work' }]);
  }, 60_000);

  it('refuses another user what root made, and the command in its words hands it over', () => {
    chmodSync(data, 0o755);
    const before = filesIn(data);
    const asNobody = <T>(work: () => T): T => {
      process.setegid!(NOBODY.gid);
      process.seteuid!(NOBODY.uid);
      try {
        return work();
      } finally {
        process.seteuid!(0);
        process.setegid!(0);
      }
    };
    const message = asNobody(() => refusal(data));
    expect(message).toContain(`belongs to ${findUser().name}`);
    expect(filesIn(data)).toEqual(before);
    shell(`${commandOf(message, 'take it over: ')} && chown ${NOBODY.uid} ${data} ${data}/postgres-identity`);
    expect(asNobody(() => preparePostgresHome(data, notice, parent)).cluster).toBeDefined();
  });

  describe('and has its database outside of the data directory', () => {
    let home: PostgresHome;

    beforeEach(() => {
      rmSync(data, { recursive: true });
      mkdirSync(data);
      chmodSync(closed, 0o700);
      home = preparePostgresHome(data, notice, parent);
      sketchCluster(home.directory);
      writeFileSync(join(data, 'temporal.db'), 'history');
      home = preparePostgresHome(data, notice, parent);
      expect(home.directory.startsWith(parent)).toBe(true);
      expect(notices).toEqual([expect.stringContaining(home.directory)]);
      notices = [];
    });

    it('uses it again, also when the data directory could be reached by now', async () => {
      expect((await open(data)).directory).toBe(home.directory);
      chmodSync(closed, 0o755);
      expect((await open(data)).directory).toBe(home.directory);
      expect(notices).toEqual([]);
    });

    it.each(['lost', 'empty'])('finds it when postgres-location is %s, and says so', async (how) => {
      const file = join(data, 'postgres-location');
      if (how === 'lost') unlinkSync(file);
      else writeFileSync(file, '');
      expect((await open(data)).directory).toBe(home.directory);
      expect(readFileSync(file, 'utf8').trim()).toBe(home.directory);
      expect(notices).toEqual([expect.stringContaining('was lost')]);
    });

    it.each(['garbage', '/nowhere/at-all'])(
      'finds it when postgres-location says %s, and says how to use it',
      (line) => {
        const file = join(data, 'postgres-location');
        writeFileSync(file, `${line}\n`);
        const message = refusal(data);
        expect(message).toContain(`go on with the database in ${home.directory} (last used 20`);
        shell(commandOf(message, '), '));
        expect(preparePostgresHome(data, notice, parent).directory).toBe(home.directory);
      },
    );

    it('refuses to take or to empty the one of a data directory that was removed', () => {
      const before = filesIn(home.directory);
      rmSync(data, { recursive: true });
      mkdirSync(data);
      const message = refusal(data);
      expect(message).toContain('earlier data directory');
      expect(filesIn(home.directory)).toEqual(before);
      shell(/echo .*?(?=;)/.exec(message)![0]);
      expect(preparePostgresHome(data, notice, parent).directory).toBe(home.directory);
    });

    it('refuses a location whose directory is gone or empty once it was used', () => {
      renameSync(home.directory, `${home.directory}-away`);
      expect(refusal(data)).toContain('is not there');
      mkdirSync(home.directory);
      expect(refusal(data)).toContain('holds no database');
    });

    it('goes on with a home that a killed first start had only begun', async () => {
      unlinkSync(join(data, 'postgres-identity'));
      rmSync(pgdata(home), { recursive: true });
      expect((await open(data)).directory).toBe(home.directory);
    }, 60_000);

    it('follows a data directory that moves, and gives a copy none of it until it has its own', async () => {
      const moved = `${data}-moved`;
      renameSync(data, moved);
      expect((await open(moved)).directory).toBe(home.directory);
      expect(notices).toEqual([expect.stringContaining(`was ${data} before`)]);

      const copy = `${moved}-copy`;
      shell(`cp -a ${moved} ${copy}`);
      const message = refusal(copy);
      expect(message).toContain(`belongs to the data directory ${moved}`);
      shell(commandOf(message, 'a database of its own: '));
      expect((await open(copy)).directory).toBe(`${home.directory}-copy`);
      expect((await open(moved)).directory).toBe(home.directory);
    });
  });

  it('survives a full disk in initdb: nothing half made stays under the name, and with space the start goes on', async () => {
    const disk = join(root, `disk-${place}`);
    mkdirSync(disk);
    shell(`mount -t tmpfs -o size=16m,mode=711 tmpfs ${disk}`);
    try {
      const home = preparePostgresHome(disk, notice, parent);
      await expect(ensureCluster(home, notice)).rejects.toThrow(/initdb in .*No space left on device/s);
      expect(existsSync(pgdata(home))).toBe(false);
      shell(`mount -o remount,size=256m ${disk}`);
      expect(identifier(await open(disk))).toBeDefined();
    } finally {
      shell(`umount ${disk}`);
    }
  }, 120_000);
});

describeAsRoot('I13, for any sequence of accidents', () => {
  /** The path of `postgres-location`, which is not there any more. */
  const location = (data: string) => {
    rmSync(join(data, 'postgres-location'), { recursive: true, force: true });
    return join(data, 'postgres-location');
  };
  const accidents: Record<string, (data: string) => void> = {
    'the parent is closed': (data) => chmodSync(join(data, '..'), 0o700),
    'the parent is opened': (data) => chmodSync(join(data, '..'), 0o755),
    'the data directory is closed': (data) => chmodSync(data, 0o700),
    'the location is lost': (data) => location(data),
    'the location is emptied': (data) => writeFileSync(location(data), ''),
    'the location names nothing': (data) => writeFileSync(location(data), '/nowhere/at-all\n'),
    'the location is garbage': (data) => writeFileSync(location(data), '\u0007\0garbage'),
    'the location is a directory': (data) => mkdirSync(location(data)),
    'the location is damaged': (data) => {
      if (statSync(join(data, 'postgres-location'), { throwIfNoEntry: false })?.isFile())
        appendFileSync(join(data, 'postgres-location'), '\0');
    },
    'the identity is lost': (data) => rmSync(join(data, 'postgres-identity'), { force: true }),
    'the identity is another': (data) => writeFileSync(join(data, 'postgres-identity'), '7\n'),
    'root takes the database': (data) => existsSync(join(data, 'postgres')) && chownSync(join(data, 'postgres'), 0, 0),
    'a start': () => undefined,
  };

  it('each start uses the database that has the runs or refuses; nothing of it is removed, no other is begun', () => {
    let round = 0;
    const property = fc.property(
      fc.boolean(),
      fc.array(fc.constantFrom(...Object.keys(accidents)), { minLength: 1, maxLength: 6 }),
      (outside, names) => {
        const grounds = join(root, `accidents-${place}-${round++}`);
        const data = join(grounds, 'parent/data');
        const elsewhere = join(grounds, 'elsewhere');
        mkdirSync(data, { recursive: true });
        writeFileSync(join(data, 'temporal.db'), 'history');
        if (outside) chmodSync(join(grounds, 'parent'), 0o700);
        const { directory } = preparePostgresHome(data, notice, elsewhere);
        sketchCluster(directory);
        const kept = filesIn(directory);
        for (const name of names) {
          accidents[name](data);
          try {
            const home = preparePostgresHome(data, notice, elsewhere);
            expect(home.directory).toBe(directory);
            expect(home.cluster?.systemIdentifier).toBe('42');
          } catch (error) {
            if (!(error instanceof DataUnusable)) throw error;
          }
          expect(filesIn(directory)).toEqual(expect.arrayContaining(kept));
        }
      },
    );
    fc.assert(property, { numRuns: 60, endOnFailure: true });
  }, 120_000);
});
