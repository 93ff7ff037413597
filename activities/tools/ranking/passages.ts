/** Characters of one passage: some 200 words of English. */
const MAX_CHARACTERS = 1_200;
/** Of a long block's end, repeated at the beginning of the next passage. */
const OVERLAP = 120;

/** Joins neighbouring blocks into passages, in order, and cuts blocks that are longer than one, at white space. */
export function passagesOf(blocks: readonly string[]): string[] {
  const passages: string[] = [];
  let open = '';
  for (const piece of blocks.flatMap(cutBlock)) {
    if (open !== '' && open.length + 1 + piece.length > MAX_CHARACTERS) {
      passages.push(open);
      open = '';
    }
    open = open === '' ? piece : `${open}\n${piece}`;
  }
  return open === '' ? passages : [...passages, open];
}

function cutBlock(block: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (block.length - start > MAX_CHARACTERS) {
    const most = block.slice(start, start + MAX_CHARACTERS + 1);
    const space = most.lastIndexOf(' ');
    // Chinese and Japanese have no spaces.
    const end = start + (space > MAX_CHARACTERS / 2 ? space : MAX_CHARACTERS);
    pieces.push(block.slice(start, end).trim());
    const again = block.slice(end - OVERLAP, end).indexOf(' ');
    start = again === -1 ? end : end - OVERLAP + again + 1;
  }
  return [...pieces, block.slice(start).trim()].filter(Boolean);
}
