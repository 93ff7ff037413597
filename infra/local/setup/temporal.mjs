import { lstatSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { run, say, SetupError, tryCommand } from './command.mjs';
import { CACHE, TEMPORAL } from './paths.mjs';

/** The newest version that `go install` can build: later ones have a `replace` in go.mod, which it refuses. */
const MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
/** Older servers lack what the workflows use (user metadata, activity pause and reset). */
const OLDEST_SERVER = [1, 29];

export const temporal = {
  title: 'Temporal server',
  needs: [],
  // An existing cluster needs no server of ours.
  isDone: () => Boolean(process.env.TEMPORAL_ADDRESS) || works(TEMPORAL),
  async run() {
    mkdirSync(dirname(TEMPORAL), { recursive: true });
    const onPath = process.env.PATH.split(delimiter)
      .map((directory) => join(directory, 'temporal'))
      .find(works);
    if (onPath) {
      makeRoom();
      symlinkSync(onPath, TEMPORAL);
      say(`  Using ${onPath}`);
    } else {
      await build();
    }
  },
};

/** Whether this is a Temporal CLI whose built-in server is new enough. */
function works(path) {
  const version = /Server (\d+)\.(\d+)/.exec(tryCommand(path, ['--version']) ?? '');
  if (!version) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > OLDEST_SERVER[0] || (major === OLDEST_SERVER[0] && minor >= OLDEST_SERVER[1]);
}

/** A link is ours. A program that has the name may be the user's, and is too old or broken: it is kept beside ours. */
function makeRoom() {
  const there = lstatSync(TEMPORAL, { throwIfNoEntry: false });
  if (!there) return;
  if (there.isSymbolicLink()) return rmSync(TEMPORAL);
  const aside = `${TEMPORAL}.earlier-${there.mtime.toISOString().slice(0, 10)}`;
  renameSync(TEMPORAL, aside);
  say(`  ${TEMPORAL} was no server that is new enough: kept as ${aside}`);
}

/** Builds from the Go module. What the build needs besides the binary lies in one directory and goes at the end. */
async function build() {
  if (tryCommand('go', ['version']) === undefined) {
    throw new SetupError(
      `No \`temporal\` (with a server of ${OLDEST_SERVER.join('.')} or newer) and no Go to build it with. Get one of them:\n` +
        '  brew install temporal\n' +
        '  curl -sSf https://temporal.download/cli.sh | sh       (then put ~/.temporalio/bin on PATH)\n' +
        '  Go from https://go.dev/dl: the server is then built from its source\n' +
        'or name an existing cluster: TEMPORAL_ADDRESS=host:7233',
    );
  }
  const go = join(CACHE, 'temporal-build'); // not `go`: that is the user's own, where AGENTFLOW_CACHE is a home directory
  const env = {
    GOPATH: go,
    GOBIN: join(go, 'bin'),
    GOCACHE: process.env.GOCACHE || join(go, 'build'),
    GOFLAGS: `${process.env.GOFLAGS ?? ''} -modcacherw`.trim(),
    CGO_ENABLED: '0',
  };
  await run(
    'Building the Temporal server from its Go module (3 to 6 minutes, once)',
    'go',
    ['install', '-v', '-ldflags', '-s -w', MODULE],
    {
      env,
      hint: 'Go needs its module proxy (GOPROXY). Or install the CLI yourself: https://docs.temporal.io/cli',
    },
  );
  if (!works(join(env.GOBIN, 'temporal'))) throw new SetupError('The Temporal server that was built does not start.');
  makeRoom();
  renameSync(join(env.GOBIN, 'temporal'), TEMPORAL);
  rmSync(go, { recursive: true, force: true });
}
