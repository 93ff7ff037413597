import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type AsyncBuffer,
  type FileMetaData,
  type RowGroup,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { checkPages } from './page-checksums.js';
import { parseJson } from './parse-json.js';
import { asStored, exactValues } from './parquet-values.js';
import { type Found, type Row, RowError, type Wanted } from './rows.js';

const PARSERS = { jsonFromBytes: (bytes?: Uint8Array) => bytes && parseJson(Buffer.from(bytes).toString('utf8')) };

/**
 * The records of a Parquet file with those of the columns that it has, one row group in memory at a time.
 * @throws RowError if it is no Parquet file, or is damaged
 */
export async function* readParquet(path: string, { columns }: Wanted): AsyncGenerator<Found> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((error: Error) => {
    throw new RowError(`${path}: is not Parquet: ${error.message}`, { cause: error });
  });
  const { children } = parquetSchema(metadata);
  const present = children.map(({ element }) => element.name);
  const wanted = present.filter((name) => columns.some((column) => column === name || column.startsWith(`${name}.`)));
  const twice = wanted.find((name, index) => wanted.indexOf(name) !== index);
  if (twice !== undefined) throw new RowError(`${path}: has two columns ${twice}. Rename one of them.`);
  const exact = new Map(children.map((child) => [child.element.name, exactValues(child)]));
  const stored = asStored(metadata);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await readGroup(file, stored, group, { columns: wanted, rowStart, rowEnd }).catch((error: Error) => {
      throw new RowError(`${path}: records ${rowStart + 1} to ${rowEnd} cannot be read: ${error.message}`, {
        cause: error,
      });
    });
    for (const row of rows) {
      const value = Object.fromEntries(Object.entries(row).map(([name, one]) => [name, exact.get(name)?.(one)]));
      yield { value, columns: present };
    }
    rowStart = rowEnd;
  }
}

async function readGroup(
  file: AsyncBuffer,
  metadata: FileMetaData,
  group: RowGroup,
  part: { columns: string[]; rowStart: number; rowEnd: number },
): Promise<Row[]> {
  for (const { meta_data: column } of group.columns) {
    if (column && part.columns.includes(column.path_in_schema[0])) await checkPages(file, column);
  }
  return parquetReadObjects({ file, metadata, ...part, compressors, parsers: PARSERS, utf8: false });
}
