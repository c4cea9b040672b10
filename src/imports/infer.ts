import { RegistryError } from '../errors.js'
import type { Question } from '../policy/risk-tiers-file.js'
import { listFields } from './bind.js'
import { likeness, words } from './likeness.js'
import { lookUp, meaningsOf } from './meanings.js'
import { ImportProfile } from './profile.js'
import type { Column, RawRow } from './table.js'
import { blankWords, headerWords, retiredWords, stageWords, techniqueWords } from './vocabulary.js'
import { fold, isEmpty } from './wording.js'

/** A column that seems to hold a field. Nothing is imported by it until a person has confirmed the profile. */
export interface Proposal {
  column: string
  /** A fact, `id`, or `answers.<question id>`. */
  field: string
  /** 0 to 1. */
  confidence: number
}

export interface Inference {
  profile: ImportProfile
  /** Best first. */
  proposals: Proposal[]
  /** Columns for which nothing is proposed; they are kept with the row. */
  unused: string[]
}

/** What is looked for, and by which words and values it shows. */
interface Target {
  field: string
  headers: string[]
  values: Record<string, string>
}

const required = new Set(['title', 'purpose'])

/** Below this, a column stays unused rather than misused. */
const ENOUGH = 0.5

/** How much the values of a column count beside its header. */
const VALUE_SHARE = 0.4

/**
 * Proposes a mapping for a header that no profile fits, from the words of the headers and a sample of the rows.
 * Deterministic: the same file, the same proposal.
 * @param questions of `policies/risk-tiers.json`
 * @param register the register that rows shall belong to, as a slug
 */
export function inferProfile(
  columns: Column[],
  sample: RawRow[],
  questions: Question[],
  register: string,
): Inference {
  const targets = targetsOf(questions)
  const proposals = assign(columns.flatMap((column) => candidates(column, sample, targets)))
  const fields = new Map(proposals.map(({ field, column }) => [field, column]))
  if (!fields.has('title')) {
    throw new RegistryError(
      'invalid',
      'no column reads like a title; name one of them “Title”, or send a mapping',
    )
  }
  return {
    profile: profileOf(columns, fields, targets, register),
    proposals,
    unused: columns
      .map(({ name }) => name)
      .filter((name) => !proposals.some(({ column }) => column === name)),
  }
}

function targetsOf(questions: Question[]): Target[] {
  const values: Record<string, Record<string, string>> = { stage: stageWords, technique: techniqueWords }
  const facts = Object.entries(headerWords).map(([field, headers]) => ({
    field,
    headers,
    values: values[field] ?? {},
  }))
  const answers = questions.map(({ id, text, options }) => ({
    field: `answers.${id}`,
    headers: [id.replaceAll('_', ' '), text],
    values: Object.fromEntries(options.flatMap((option) => optionWords(option))),
  }))
  return [...facts, ...answers]
}

/** An option goes by its id and by its label. */
function optionWords({ id, label }: { id: string; label: string }): [word: string, option: string][] {
  return fold(id) === fold(label)
    ? [[label, id]]
    : [
        [id.replaceAll('_', ' '), id],
        [label, id],
      ]
}

function candidates(column: Column, sample: RawRow[], targets: Target[]): Proposal[] {
  const cells = sample.map(({ cells }) => cells[column.index] ?? '')
  return targets.flatMap((target) => {
    const likest = Math.max(...target.headers.map((header) => likeness(words(column.header), words(header))))
    const proof = likest < ENOUGH ? undefined : proofOf(target, cells)
    const confidence = proof === undefined ? likest : likest * (1 - VALUE_SHARE) + proof * VALUE_SHARE
    if (confidence < ENOUGH) return []
    return [{ column: column.name, field: target.field, confidence: Math.round(confidence * 100) / 100 }]
  })
}

/** What the cells say for a target, 0 to 1: ids differ from row to row, options are known words; else undefined. */
function proofOf({ field, values }: Target, cells: string[]): number | undefined {
  const filled = cells.filter((cell) => !isEmpty(cell))
  if (filled.length === 0) return undefined
  if (field === 'id') return new Set(filled).size / cells.length
  const known = meaningsOf(values)
  if (known.size === 0) return undefined
  return filled.filter((cell) => lookUp(known, cell, 'start') !== undefined).length / filled.length
}

/** Each column to one field and each field to one column: first what every use case must have, then the surest. */
function assign(proposals: Proposal[]): Proposal[] {
  const rank = ({ field, confidence }: Proposal) => confidence + (required.has(field) ? 1 : 0)
  const chosen: Proposal[] = []
  for (const proposal of proposals.toSorted((a, b) => rank(b) - rank(a))) {
    const isTaken = chosen.some(({ column, field }) => column === proposal.column || field === proposal.field)
    if (!isTaken) chosen.push(proposal)
  }
  return chosen.sort((a, b) => b.confidence - a.confidence)
}

function profileOf(
  columns: Column[],
  fields: Map<string, string>,
  targets: Target[],
  register: string,
): ImportProfile {
  const from = (field: string) => ({ from: fields.get(field) })
  const choice = ({ field, values }: Target) => ({ ...from(field), match: 'start', values })
  const found = targets.filter(({ field }) => fields.has(field))
  const lists = listFields.filter((field) => fields.has(field))
  const choices = found.filter(({ field }) => field === 'stage' || field === 'technique')
  const plain = ['title', 'purpose', 'benefits', 'outputs', 'businessOwner', 'riskOwner'].filter((field) =>
    fields.has(field),
  )
  const stage = fields.get('stage')
  return ImportProfile.parse({
    version: 1,
    id: 'inferred',
    title: 'Inferred from the file',
    about:
      'Proposed from the words of the header and a sample of the rows; a person confirms it before it is used.',
    register,
    headers: columns.map(({ name }) => name),
    blanks: blankWords,
    identity: {
      id: fields.get('id'),
      name: fields.get('title'),
      within: fields.has('orgUnit') ? [fields.get('orgUnit')] : [],
    },
    ...(stage && { retired: { from: stage, match: 'start', values: retiredWords } }),
    facts: {
      ...Object.fromEntries(plain.map((field) => [field, from(field)])),
      ...Object.fromEntries(lists.map((field) => [field, { ...from(field), separators: [';', '\n'] }])),
      ...Object.fromEntries(choices.map((target) => [target.field, choice(target)])),
      ...(fields.has('orgUnit') && { orgUnit: [from('orgUnit')] }),
    },
    answers: Object.fromEntries(
      found
        .filter(({ field }) => field.startsWith('answers.'))
        .map((target) => [target.field.slice('answers.'.length), choice(target)]),
    ),
  })
}
