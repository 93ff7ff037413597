import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { RowError } from './rows.js';

/**
 * The records of a Parquet file with those of the columns that it has, one row group in memory at a time.
 * @throws RowError where it is no Parquet file
 */
export async function* readParquet(path: string, columns: readonly string[]): AsyncGenerator<unknown> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((error: Error) => {
    throw new RowError(`${path}: is not Parquet: ${error.message}`, { cause: error });
  });
  const present = parquetSchema(metadata).children.map(({ element }) => element.name);
  const wanted = present.filter((name) => columns.includes(name));
  let rowStart = 0;
  for (const { num_rows: rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(rows);
    yield* await parquetReadObjects({ file, metadata, columns: wanted, rowStart, rowEnd, compressors });
    rowStart = rowEnd;
  }
}
