import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/** `HISTORIES` names another directory to record to. */
const DIRECTORY = process.env['HISTORIES'] ?? fileURLToPath(new URL('../histories/', import.meta.url));

type History = ReturnType<typeof historyFromJSON>;

/** Writes a recorded history; `name` begins with the workflow's name. */
export function writeHistory(name: string, history: History): void {
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(join(DIRECTORY, `${name}.json.gz`), gzipSync(historyToJSON(history), { level: 9 }));
}

/** The recorded histories, by name. */
export function readHistories(): { name: string; history: History }[] {
  return readdirSync(DIRECTORY)
    .sort()
    .map((file) => ({
      name: file.replace('.json.gz', ''),
      history: historyFromJSON(JSON.parse(gunzipSync(readFileSync(join(DIRECTORY, file))).toString('utf8'))),
    }));
}
