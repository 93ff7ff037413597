import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { type Found, RowError, type Wanted } from './rows.js';

/**
 * The records of a Parquet file with those of the columns that it has, one row group in memory at a time.
 * @throws RowError if it is no Parquet file, or is damaged
 */
export async function* readParquet(path: string, { columns }: Wanted): AsyncGenerator<Found> {
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((error: Error) => {
    throw new RowError(`${path}: is not Parquet: ${error.message}`, { cause: error });
  });
  const present = parquetSchema(metadata).children.map(({ element }) => element.name);
  const wanted = present.filter((name) => columns.some((column) => column === name || column.startsWith(`${name}.`)));
  let rowStart = 0;
  for (const { num_rows: rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(rows);
    const values = await parquetReadObjects({ file, metadata, columns: wanted, rowStart, rowEnd, compressors }).catch(
      (error: Error) => {
        throw new RowError(`${path}: records ${rowStart + 1} to ${rowEnd} cannot be read: ${error.message}`, {
          cause: error,
        });
      },
    );
    for (const value of values) yield { value, columns: present };
    rowStart = rowEnd;
  }
}
