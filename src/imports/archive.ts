import { RegistryError } from '../errors.js'
import { count, type Limits, megabytes } from './limits.js'

/** What the directory of a ZIP archive says of one entry (PKWARE APPNOTE 4.3.12); sizes in bytes. */
interface Entry {
  name: string
  packed: number
  unpacked: number
  /** General purpose bit 3: sizes follow the data, the directory repeats them. */
  sizesFollow: boolean
}

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const END_LENGTH = 22
const ENTRY_LENGTH = 46
const LONGEST_COMMENT = 0xffff
const ZIP64 = 0xffffffff
const ZIP64_COUNT = 0xffff
const ZIP64_LOCATOR = 0x07064b50
const ZIP64_LOCATOR_LENGTH = 20
const STORED = 0
/** Bytes up to which a part may be any number of times larger than in the archive. */
const SMALL = 2 ** 16

/**
 * Judges a workbook by the directory of its archive, before anything is inflated. The reader that follows stops an
 * entry at the size stated here, so a directory that lies about sizes gains nothing.
 * @throws RegistryError `invalid` when it is not a workbook, or would unpack to more than the limits allow
 */
export function assertHarmless(archive: Buffer, limits: Limits): void {
  const entries = listEntries(archive, limits)
  if (!entries.some(({ name }) => name === 'xl/workbook.xml')) {
    throw new RegistryError(
      'invalid',
      'the file is an archive but not a workbook; save the register as .xlsx or CSV',
    )
  }
  for (const entry of entries) assertEntry(entry, limits)
  const unpacked = entries.reduce((sum, entry) => sum + entry.unpacked, 0)
  if (unpacked > limits.workbookBytes) {
    const [is, most] = [megabytes(unpacked), megabytes(limits.workbookBytes)]
    throw new RegistryError(
      'invalid',
      `the workbook unpacks to ${is}, and ${most} is the most; save the sheet as CSV`,
    )
  }
}

function assertEntry({ packed, unpacked, sizesFollow }: Entry, limits: Limits): void {
  const isSizeless = (unpacked === 0 && packed > 2) || (packed === 0 && (sizesFollow || unpacked > 0))
  if (isSizeless || packed === ZIP64 || unpacked === ZIP64) {
    throw new RegistryError(
      'invalid',
      'the workbook does not say how large its parts are; save it again as .xlsx',
    )
  }
  if (unpacked > SMALL && unpacked > packed * limits.workbookRatio) {
    const ratio = `${count(limits.workbookRatio)} times`
    const advice = 'save the sheet as CSV and import that'
    throw new RegistryError(
      'invalid',
      `a part of the workbook unpacks to more than ${ratio} its size; ${advice}`,
    )
  }
}

function listEntries(archive: Buffer, limits: Limits): Entry[] {
  const end = findEnd(archive)
  const start = findDirectory(archive, end)
  const total = archive.readUInt16LE(end + 10)
  if (total > limits.workbookEntries) {
    const most = count(limits.workbookEntries)
    throw new RegistryError('invalid', `the workbook has more than ${most} parts; save the sheet as CSV`)
  }
  const entries: Entry[] = []
  let offset = start
  for (let index = 0; index < total; index += 1) {
    if (offset + ENTRY_LENGTH > end || archive.readUInt32LE(offset) !== DIRECTORY_ENTRY) throw damaged()
    const nameLength = archive.readUInt16LE(offset + 28)
    entries.push(readEntry(archive, offset, nameLength))
    offset +=
      ENTRY_LENGTH + nameLength + archive.readUInt16LE(offset + 30) + archive.readUInt16LE(offset + 32)
  }
  if (offset !== end) throw damaged()
  return entries
}

/** The directory ends where the end record begins, and neither may point to another one, as ZIP64 would. */
function findDirectory(archive: Buffer, end: number): number {
  const [size, offset] = [archive.readUInt32LE(end + 12), archive.readUInt32LE(end + 16)]
  const locator = end - ZIP64_LOCATOR_LENGTH
  const isZip64 =
    [size, offset].includes(ZIP64) ||
    archive.readUInt16LE(end + 10) === ZIP64_COUNT ||
    (locator >= 0 && archive.readUInt32LE(locator) === ZIP64_LOCATOR)
  if (isZip64) {
    throw new RegistryError('invalid', 'the workbook is a ZIP64 archive; save it again as .xlsx, or as CSV')
  }
  const isWhole = archive.readUInt16LE(end + 8) === archive.readUInt16LE(end + 10)
  const closes = end + END_LENGTH + archive.readUInt16LE(end + 20) === archive.length
  if (offset + size !== end || !isWhole || !closes) throw damaged()
  return offset
}

function readEntry(archive: Buffer, offset: number, nameLength: number): Entry {
  const nameStart = offset + ENTRY_LENGTH
  const packed = archive.readUInt32LE(offset + 20)
  const stated = archive.readUInt32LE(offset + 24)
  return {
    name: archive.toString('utf8', nameStart, nameStart + nameLength),
    packed,
    unpacked: archive.readUInt16LE(offset + 10) === STORED ? Math.max(packed, stated) : stated,
    sizesFollow: (archive.readUInt16LE(offset + 8) & 0b1000) !== 0,
  }
}

/** The end record is the last thing in the file, before a comment of any length. */
function findEnd(archive: Buffer): number {
  const first = Math.max(0, archive.length - END_LENGTH - LONGEST_COMMENT)
  for (let offset = archive.length - END_LENGTH; offset >= first; offset -= 1) {
    if (archive.readUInt32LE(offset) === END_OF_DIRECTORY) return offset
  }
  throw damaged()
}

function damaged(): RegistryError {
  return new RegistryError('invalid', 'the workbook is damaged or cut short; save it again as .xlsx')
}
