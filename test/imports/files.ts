import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { projectRoot } from '../../src/config.js'
import { ImportProfile } from '../../src/imports/profile.js'
import type { RawRow, Table } from '../../src/imports/table.js'
import { RiskTiersFile } from '../../src/policy/risk-tiers-file.js'

const shippedIds = ['assent', 'omb-2023', 'omb-2024-v1', 'omb-2024-v2', 'omb-2025'] as const
export type ShippedId = (typeof shippedIds)[number]

/** The mapping profiles that the project ships, as it ships them. */
export const shippedProfiles: ImportProfile[] = shippedIds.map((id) =>
  ImportProfile.parse(readPolicy(`imports/${id}.json`)),
)

export function shipped(id: ShippedId): ImportProfile {
  const profile = shippedProfiles.find((candidate) => candidate.id === id)
  if (!profile) throw new Error(`no profile ${id} is shipped`)
  return profile
}

export const questions = RiskTiersFile.parse(readPolicy('risk-tiers.json')).questions

export async function allRows(table: Table): Promise<RawRow[]> {
  const rows: RawRow[] = []
  for await (const row of table.rows()) rows.push(row)
  return rows
}

export interface Part {
  name: string
  content: Buffer
  /** What the directory says it unpacks to; left out, the truth. */
  claims?: number
}

/** A ZIP archive, byte by byte, so that tests can make one that lies. */
export function archiveOf(parts: Part[]): Buffer {
  let offset = 0
  const packed = parts.map((part) => ({ ...part, data: deflateRawSync(part.content) }))
  const bodies = packed.map(({ name, data, content, claims }) =>
    Buffer.concat([
      header(0x04034b50, 30, name, data.length, claims ?? content.length),
      Buffer.from(name),
      data,
    ]),
  )
  const entries = packed.map(({ name, data, content, claims }, index) => {
    const entry = header(0x02014b50, 46, name, data.length, claims ?? content.length)
    entry.writeUInt32LE(offset, 42)
    offset += bodies[index]?.length ?? 0
    return Buffer.concat([entry, Buffer.from(name)])
  })
  const directory = Buffer.concat(entries)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(parts.length, 8)
  end.writeUInt16LE(parts.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...bodies, directory, end])
}

/** Local headers and directory entries hold the same fields, two bytes apart. */
function header(signature: number, length: number, name: string, packed: number, unpacked: number): Buffer {
  const fields = Buffer.alloc(length)
  const shift = length === 46 ? 2 : 0
  fields.writeUInt32LE(signature, 0)
  fields.writeUInt16LE(20, 4 + shift)
  fields.writeUInt16LE(8, 8 + shift)
  fields.writeUInt32LE(packed, 18 + shift)
  fields.writeUInt32LE(unpacked, 22 + shift)
  fields.writeUInt16LE(Buffer.byteLength(name), 26 + shift)
  return fields
}

export interface Book {
  /** What stands inside `sheetData`. */
  rows: string
  /** The part with shared strings, whole. */
  sharedStrings?: string
  /** What the directory says the sheet unpacks to; left out, the truth. */
  claims?: number
}

/** The least workbook there can be. */
export function bookOf({ rows, sharedStrings, claims }: Book): Buffer {
  const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
  const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
  const relation = (id: number, type: string, target: string) =>
    `<Relationship Id="rId${id}" Type="${office}/${type}" Target="${target}"/>`
  const relations = (...all: string[]) => `<Relationships>${all.join('')}</Relationships>`
  const part = (name: string, content: string): Part => ({ name, content: Buffer.from(content) })
  return archiveOf([
    part('[Content_Types].xml', '<Types/>'),
    part('_rels/.rels', relations(relation(1, 'officeDocument', 'xl/workbook.xml'))),
    part(
      'xl/workbook.xml',
      `<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="R" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    ),
    part(
      'xl/_rels/workbook.xml.rels',
      relations(
        relation(1, 'worksheet', 'worksheets/sheet1.xml'),
        relation(2, 'sharedStrings', 'sharedStrings.xml'),
      ),
    ),
    {
      ...part(
        'xl/worksheets/sheet1.xml',
        `<worksheet xmlns="${main}"><sheetData>${rows}</sheetData></worksheet>`,
      ),
      claims,
    },
    ...(sharedStrings === undefined ? [] : [part('xl/sharedStrings.xml', sharedStrings)]),
  ])
}

function readPolicy(name: string): unknown {
  return JSON.parse(readFileSync(join(projectRoot, 'policies', name), 'utf8'))
}
