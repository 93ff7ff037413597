import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';

const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.int()),
    data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
  }),
);

interface Tensor {
  name: string;
  dtype: string;
  shape: number[];
  file: string;
  start: number;
  end: number;
}

/** The format's own limit. */
const LONGEST_HEADER = 100_000_000;

/**
 * The sha256 of the tensors in safetensors files, as worker/gpu/flow_grpo/policy.py defines it: sorted by name, of each
 * its name, dtype, shape and bytes. The files are streamed.
 * @throws where a file is missing or is not safetensors
 */
export async function tensorsSha256(files: readonly string[]): Promise<string> {
  const tensors = (await Promise.all(files.map(readTensors))).flat();
  const digest = createHash('sha256');
  for (const tensor of tensors.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    digest.update(`${tensor.name}\0${tensor.dtype}\0${tensor.shape.join(',')}\0`);
    await updateWith(digest, tensor);
  }
  return digest.digest('hex');
}

async function readTensors(file: string): Promise<Tensor[]> {
  const handle = await open(file);
  try {
    const size = Number((await readAt(handle, 0, 8)).readBigUInt64LE());
    if (size > LONGEST_HEADER) throw new Error(`${file} is not a safetensors file`);
    const text = (await readAt(handle, 8, size)).toString();
    const entries = Object.entries(JSON.parse(text) as object).filter(([name]) => name !== '__metadata__');
    return Object.entries(headerSchema.parse(Object.fromEntries(entries))).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [start, end],
        },
      ]) => {
        return { name, dtype, shape, file, start: 8 + size + start, end: 8 + size + end };
      },
    );
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new Error('the file ends inside its header');
  return buffer;
}

async function updateWith(digest: Hash, { name, file, start, end }: Tensor): Promise<void> {
  if (end === start) return;
  let bytes = 0;
  for await (const chunk of createReadStream(file, { start, end: end - 1 })) {
    digest.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  if (bytes !== end - start) throw new Error(`the file ends inside the tensor ${name}`);
}
