import ora, { type Ora } from 'ora';

/** Lines that stay, and on a terminal one below them that changes. */
export interface Screen {
  say: (line: string) => void;
  spinner: Ora;
}

/** @param print writes a line that stays */
export function openScreen(print: (line: string) => void): Screen {
  const spinner = ora({ stream: process.stderr, discardStdin: false });
  const say = (line: string): void => {
    spinner.clear(); // else what is said would be appended to the line that changes
    print(line);
  };
  return { say, spinner };
}
