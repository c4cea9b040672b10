import { z } from 'zod'
import type { RetentionFile } from '../policy/retention-file.js'
import * as examples from './examples.js'

export const CustodyRound = z
  .strictObject({
    id: z.uuid(),
    beganAt: z.iso.datetime(),
    endedAt: z.iso.datetime(),
    checked: z.int().describe('Files that were read and compared with their digests'),
    size: z.int().describe('Bytes that were read'),
    damaged: z.int().describe('Files found missing or altered, that were sound before'),
    mended: z.int().describe('Files found sound, that were damaged before'),
    unanswered: z.int().describe('Files of which the store said nothing'),
  })
  .meta({
    id: 'CustodyRound',
    description: "A day's look at some files of the evidence store",
    examples: [examples.custody.lastRound],
  })
export type CustodyRound = z.infer<typeof CustodyRound>

/** In what state the bytes of evidence are. */
export const Custody = z
  .strictObject({
    locks: z.boolean().describe('Whether the store refuses by itself to remove what is retained or held'),
    files: z.int(),
    size: z.int().describe('Bytes'),
    unchecked: z.int().describe('Files that nobody looked at yet'),
    oldestCheckAt: z.iso.datetime().nullable().describe('When the file was checked that waits the longest'),
    withinDays: z.int().describe('Within which time policy wants every file checked'),
    damaged: z.int().describe('Files that were missing or altered when last looked at'),
    quarantined: z.int().describe('Files that wait for the virus scanner'),
    waitingForRemoval: z.int().describe('Files whose evidence was disposed of, and that are still there'),
    lastRound: CustodyRound.nullable(),
  })
  .meta({
    id: 'EvidenceStoreReport',
    description: 'In what state the bytes of evidence are',
    examples: [examples.custody],
  })
export type Custody = z.infer<typeof Custody>

export const Damage = z
  .strictObject({
    digest: z.string(),
    size: z.int().describe('Bytes that it should have'),
    found: z.enum(['missing', 'altered']),
    damagedAt: z.iso.datetime().describe('When it was found so first'),
    checkedAt: z.iso.datetime(),
    evidence: z.array(z.strictObject({ id: z.uuid(), useCase: z.string().describe('Its key') })),
  })
  .meta({
    id: 'DamagedFile',
    description: 'Bytes that are not what their digest says; restored, they are found sound within a day',
    examples: [examples.damage],
  })
export type Damage = z.infer<typeof Damage>

/** How much is read in a day: so many files that each has its turn in time, and no more bytes than that. */
export function budgetOf(
  { withinDays, atLeast, gigabytesPerDay }: RetentionFile['reconciliation'],
  files: number,
): { files: number; size: number } {
  return { files: Math.max(atLeast, Math.ceil(files / withinDays)), size: gigabytesPerDay * 1e9 }
}
