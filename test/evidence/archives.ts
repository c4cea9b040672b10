// ZIP archives that others can read (PKWARE APPNOTE 4.3), each entry deflated.
import { crc32, deflateRawSync } from 'node:zlib'

type Entries = Record<string, string | Buffer>

/** Entries in their order, then their directory. */
export function archive(entries: Entries): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  for (const [name, content] of Object.entries(entries)) {
    const deflated = deflateRawSync(content)
    const about = described(name, content, deflated)
    const offset = Buffer.alloc(4)
    offset.writeUInt32LE(sizeOf(locals))
    locals.push(Buffer.from('PK\x03\x04'), about, Buffer.from(name), deflated)
    directory.push(Buffer.from('PK\x01\x02\x14\0'), about, Buffer.alloc(10), offset, Buffer.from(name))
  }
  const end = Buffer.alloc(18)
  const count = Object.keys(entries).length
  end.writeUInt16LE(count, 4)
  end.writeUInt16LE(count, 6)
  end.writeUInt32LE(sizeOf(directory), 8)
  end.writeUInt32LE(sizeOf(locals), 12)
  return Buffer.concat([...locals, ...directory, Buffer.from('PK\x05\x06'), end])
}

/** What the header before an entry and its line in the directory have in common. */
function described(name: string, content: string | Buffer, deflated: Buffer): Buffer {
  const about = Buffer.alloc(26)
  about.writeUInt16LE(20, 0)
  about.writeUInt16LE(8, 4)
  about.writeUInt32LE(crc32(content), 10)
  about.writeUInt32LE(deflated.length, 14)
  about.writeUInt32LE(Buffer.byteLength(content), 18)
  about.writeUInt16LE(Buffer.byteLength(name), 22)
  return about
}

function sizeOf(parts: Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0)
}
