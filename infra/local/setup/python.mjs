import { SetupError, tryCommand } from './command.mjs';

const CANDIDATES = ['python3.11', 'python3.12', 'python3.13', 'python3', 'python'];

/** A Python on PATH that is new enough for the project. @throws SetupError */
export function findPython() {
  const isNewEnough = 'import sys; sys.exit(sys.version_info < (3, 11))';
  const found = CANDIDATES.find((candidate) => tryCommand(candidate, ['-c', isNewEnough]) !== undefined);
  if (found) return found;
  throw new SetupError(
    `No Python 3.11 or newer on PATH (looked for ${CANDIDATES.join(', ')}). Install one, for example with ` +
      '`apt-get install python3.11 python3.11-venv` or `brew install python@3.11`.',
  );
}
