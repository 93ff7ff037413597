import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet';

type Convert = (value: unknown) => unknown;

/**
 * The same file with decimals and times as they are stored: the reader would round decimals to doubles, and has no
 * times. Byte arrays that say nothing of themselves are texts.
 */
export function asStored(metadata: FileMetaData): FileMetaData {
  return { ...metadata, schema: metadata.schema.map(storedElement) };
}

function storedElement(element: SchemaElement): SchemaElement {
  // The reader decodes half floats by what the file says of them.
  if (exactly(element) !== undefined && element.logical_type?.type !== 'FLOAT16') {
    return { ...element, converted_type: undefined, logical_type: undefined };
  }
  const saysNothing = element.converted_type === undefined && element.logical_type === undefined;
  return element.type === 'BYTE_ARRAY' && saysNothing ? { ...element, converted_type: 'UTF8' } : element;
}

/**
 * Makes values of a column that were read as stored exact: decimals and times become texts, and a float of 32 or 16
 * bits the shortest number that is rounded to it.
 * @param tree of the file as it is, and not as stored
 */
export function exactValues({ element, children }: SchemaTree): Convert {
  if (children.length === 0) return each(exactly(element) ?? ((value) => value));
  const [inner] = children;
  if (element.converted_type === 'LIST' && children.length === 1 && inner.children.length <= 1) {
    return each(exactValues(inner.children[0] ?? inner));
  }
  if (element.converted_type === 'MAP' && children.length === 1 && inner.children.length === 2) {
    const convert = exactValues(inner.children[1]);
    return each((map) => mapped(map as object, () => convert));
  }
  const fields = new Map(children.map((child) => [child.element.name, exactValues(child)]));
  return each((group) => mapped(group as object, (name) => fields.get(name) as Convert));
}

/** Of a value, or of all in lists of them. */
function each(convert: Convert): Convert {
  const convertAll: Convert = (value) => {
    if (value === null || value === undefined) return value;
    return Array.isArray(value) ? value.map(convertAll) : convert(value);
  };
  return convertAll;
}

function mapped(object: object, convertOf: (name: string) => Convert): object {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, convertOf(name)(value)]));
}

/** Undefined for what the reader gives as it is. */
function exactly({
  type,
  converted_type: converted,
  logical_type: logical,
  scale,
}: SchemaElement): Convert | undefined {
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') {
    const places = logical?.type === 'DECIMAL' ? logical.scale : (scale ?? 0);
    return (value) => withoutLastZeros(decimalText(integerOf(value), places));
  }
  if (logical?.type === 'TIME') return (value) => timeText(BigInt(value as bigint), PER_SECOND[logical.unit]);
  if (converted === 'TIME_MILLIS') return (value) => timeText(BigInt(value as number), PER_SECOND.MILLIS);
  if (converted === 'TIME_MICROS') return (value) => timeText(value as bigint, PER_SECOND.MICROS);
  if (logical?.type === 'FLOAT16') return (value) => shortest(value as number, roundToHalf);
  if (type === 'FLOAT') return (value) => shortest(value as number, Math.fround);
  return undefined;
}

/** Digits behind the point of a second. */
const PER_SECOND = { MILLIS: 3, MICROS: 6, NANOS: 9 };

function integerOf(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  const digits = Buffer.from(value).toString('hex');
  return digits === '' ? 0n : BigInt.asIntN(8 * value.length, BigInt(`0x${digits}`));
}

function decimalText(unscaled: bigint, places: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  return places === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-places)}`;
}

/** `1.50` of a column with two places is the number 1.5, as of any other file. */
function withoutLastZeros(decimal: string): string {
  return decimal.replace(/(\.\d*?)0+$/, (_, part: string) => (part === '.' ? '' : part));
}

/** `03:04:05`, and as much of a second as there is: `03:04:05.25`. */
function timeText(ticks: bigint, places: number): string {
  const [seconds, part] = withoutLastZeros(decimalText(ticks, places)).split('.') as [string, string?];
  const two = (value: number) => String(value).padStart(2, '0');
  const all = Number(seconds);
  const time = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60].map(two).join(':');
  return part === undefined ? time : `${time}.${part}`;
}

/** The number of fewest digits that is rounded to this one; an integer is what it is. */
function shortest(value: number, round: (value: number) => number): number {
  if (Number.isSafeInteger(value)) return value;
  for (let digits = 1; digits < 10; digits += 1) {
    const candidate = Number(value.toPrecision(digits));
    if (round(candidate) === value) return candidate;
  }
  return value;
}

/** To the nearest float of 16 bits: 11 bits, or fewer below 2^-14. */
function roundToHalf(value: number): number {
  const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
  const steps = value / step;
  const isTie = Math.abs(steps % 1) === 0.5;
  return step * (isTie ? 2 * Math.round(steps / 2) : Math.round(steps));
}
