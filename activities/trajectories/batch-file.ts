import {
  Field,
  Float32,
  Float64,
  Int32,
  List,
  makeBuilder,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Utf8,
  makeData,
  type Data,
  type DataType,
} from 'apache-arrow';
import { canonicalJson } from '../../infra/artifacts/canonical-json.js';

/** One planner turn: a single-turn sample of the gradient step. */
export interface BatchRow {
  group: number;
  rollout: number;
  turn: number;
  promptTokenIds: Int32Array;
  /** All sampled tokens, the end token included (I1). `logprobs` is as long. */
  responseTokenIds: Int32Array;
  logprobs: Float32Array;
  reward: number;
  finishReason: string;
}

const tokens = new List(new Field('item', new Int32(), false));
const numbers = new List(new Field('item', new Float32(), false));

/** The columns of the file; all are without nulls. */
const COLUMNS: { name: string; type: DataType; value: (row: BatchRow) => unknown }[] = [
  { name: 'group', type: new Int32(), value: (row) => row.group },
  { name: 'rollout', type: new Int32(), value: (row) => row.rollout },
  { name: 'turn', type: new Int32(), value: (row) => row.turn },
  { name: 'prompt_token_ids', type: tokens, value: (row) => row.promptTokenIds },
  { name: 'response_token_ids', type: tokens, value: (row) => row.responseTokenIds },
  { name: 'logprobs', type: numbers, value: (row) => row.logprobs },
  { name: 'reward', type: new Float64(), value: (row) => row.reward },
  { name: 'finish_reason', type: new Utf8(), value: (row) => row.finishReason },
];

/**
 * The bytes of a batch file: an Arrow IPC file of one record batch, rows by (group, rollout, turn), with `metadata` as
 * canonical JSON under the schema's key `agentflow`. Equal rows and metadata give equal bytes (I5).
 */
export function encodeBatch(rows: readonly BatchRow[], metadata: Record<string, unknown>): Uint8Array {
  const sorted = [...rows].sort((a, b) => a.group - b.group || a.rollout - b.rollout || a.turn - b.turn);
  const fields = COLUMNS.map(({ name, type }) => new Field(name, type, false));
  const schema = new Schema(fields, new Map([['agentflow', canonicalJson(metadata)]]));
  const children: Data[] = COLUMNS.map(({ type, value }) => columnData(type, sorted.map(value)));
  const data = makeData({ type: new Struct(fields), length: sorted.length, nullCount: 0, children });
  return tableToIPC(new Table([new RecordBatch(schema, data)]), 'file');
}

function columnData(type: DataType, values: unknown[]): Data {
  if (type === tokens) {
    const { all, valueOffsets } = joined(values as Int32Array[], Int32Array);
    return listData(tokens, valueOffsets, makeData({ type: new Int32(), nullCount: 0, data: all }));
  }
  if (type === numbers) {
    const { all, valueOffsets } = joined(values as Float32Array[], Float32Array);
    return listData(numbers, valueOffsets, makeData({ type: new Float32(), nullCount: 0, data: all }));
  }
  const builder = makeBuilder({ type, nullValues: [] });
  values.forEach((value) => builder.append(value));
  return builder.finish().flush() as Data;
}

/** List by list, and not number by number as a builder does: a step has tens of millions of tokens. */
function joined<Numbers extends Int32Array | Float32Array>(
  lists: readonly Numbers[],
  Numbers: new (length: number) => Numbers,
): { all: Numbers; valueOffsets: Int32Array } {
  const valueOffsets = new Int32Array(lists.length + 1);
  for (const [index, list] of lists.entries()) valueOffsets[index + 1] = valueOffsets[index] + list.length;
  const all = new Numbers(valueOffsets[lists.length]);
  for (const [index, list] of lists.entries()) all.set(list, valueOffsets[index]);
  return { all, valueOffsets };
}

function listData(type: List, valueOffsets: Int32Array, child: Data): Data {
  return makeData({ type, length: valueOffsets.length - 1, nullCount: 0, valueOffsets, child });
}
