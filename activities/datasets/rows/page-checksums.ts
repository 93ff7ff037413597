import { crc32 } from 'node:zlib';
import type { AsyncBuffer, ColumnMetaData } from 'hyparquet';

/**
 * Compares the pages of a column with their checksums, which few files have and the reader does not look at.
 * @throws Error if a page is another than was written
 */
export async function checkPages(file: AsyncBuffer, column: ColumnMetaData): Promise<void> {
  const start = Number(column.dictionary_page_offset || column.data_page_offset);
  const bytes = new Uint8Array(await file.slice(start, start + Number(column.total_compressed_size)));
  for (let at = 0; at < bytes.length;) {
    const header = new PageHeader(bytes, at);
    if (header.checksum === undefined) return;
    const page = bytes.subarray(header.end, header.end + header.size);
    if (page.length < header.size || crc32(page) !== header.checksum >>> 0) {
      throw new Error(
        `a page of ${column.path_in_schema.join('.')} is damaged: its checksum is another. Fetch the file again`,
      );
    }
    at = header.end + header.size;
  }
}

/** What a page's header says, as Thrift's compact protocol writes it. */
class PageHeader {
  /** Bytes of the page. */
  size = 0;
  checksum: number | undefined;
  /** Where the page begins. */
  end: number;

  constructor(
    private readonly bytes: Uint8Array,
    start: number,
  ) {
    this.end = start;
    this.fields((field) => {
      if (field === 3) this.size = this.integer();
      else if (field === 4) this.checksum = this.integer();
      else return false;
      return true;
    });
  }

  /** All fields of a struct; those that `take` does not take are skipped. */
  private fields(take: (field: number) => boolean): void {
    for (let field = 0; ;) {
      const head = this.byte();
      const type = head & 0x0f;
      if (type === 0) return;
      field = head >> 4 === 0 ? this.integer() : field + (head >> 4);
      if (!take(field)) this.skip(type);
    }
  }

  private skip(type: number): void {
    if (type === 3) this.byte();
    else if (type >= 4 && type <= 6) this.integer();
    else if (type === 7) this.pass(8);
    else if (type === 8) this.pass(this.unsigned());
    else if (type === 12) this.fields(() => false);
    else if (type > 2) throw new Error('a page has a header that is none');
  }

  private pass(count: number): void {
    this.end += count;
  }

  private byte(): number {
    if (this.end >= this.bytes.length) throw new Error('a page has a header that does not end');
    return this.bytes[this.end++];
  }

  /** Seven bits a byte, the lowest first. */
  private unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Zigzag: 0, -1, 1, -2. */
  private integer(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
