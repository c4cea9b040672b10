import { z } from 'zod'
import { ControlId } from '../catalogs/catalog.js'
import { type Issue, RegistryError } from '../errors.js'
import { ControlState } from '../policy/requirements.js'
import { text } from '../text.js'
import { StandingReason, StandingWord } from '../use-cases/standing.js'
import { Coverage, type KnownCatalogs } from './coverage.js'
import * as examples from './examples.js'
import { type ControlAssessment, controlNames, nameOf } from './profile.js'

/** In one request, once categories and functions stand for their controls. */
const MOST = 500
const NOTE = 4000

const Line = z
  .strictObject({
    catalog: controlNames.catalog,
    version: controlNames.version,
    control: controlNames.control.optional(),
    category: ControlId.optional().describe('Instead of a control: every control of this category'),
    function: ControlId.optional().describe('Instead of a control: every control of this function'),
    state: ControlState.optional().describe('Left out, it stays as it is'),
    note: text(NOTE)
      .trim()
      .optional()
      .describe(
        'Left out, it stays as long as the state does; `not_applicable` and `not_effective` need one',
      ),
    evidenceIds: z
      .array(z.uuid())
      .max(50)
      .optional()
      .describe('All that shows it, of this use case; left out, it stays as it is'),
  })
  .refine(
    ({ control, category, function: group }) =>
      [control, category, group].filter((name) => name !== undefined).length === 1,
    'name one of control, category and function',
  )
  .refine(
    ({ state, note, evidenceIds }) => [state, note, evidenceIds].some((said) => said !== undefined),
    'say a state, a note or evidence',
  )
type Line = z.infer<typeof Line>

export const NewAssessments = z.strictObject({ assessments: z.array(Line).min(1).max(MOST) }).meta({
  id: 'NewAssessments',
  description: `What is said of controls, of ${MOST} at most; all of it is taken, or nothing`,
  examples: [examples.newAssessments],
})
export type NewAssessments = z.infer<typeof NewAssessments>

/** What an answer says of assessments that were taken. */
export const Assessed = z
  .strictObject({
    useCaseId: z.uuid(),
    revision: z.int().describe('Of the use case; it is the ETag'),
    assessed: z.int().describe('Controls of which something new was said'),
    unchanged: z.int().describe('Controls of which nothing new was said'),
    standing: StandingWord.describe(
      'With these controls: one that fell out of place lapses an approval that rests on it',
    ),
    reasons: z.array(StandingReason),
    coverage: Coverage,
  })
  .meta({ id: 'AssessedControls', examples: [examples.assessed] })
export type Assessed = z.infer<typeof Assessed>

/** What is said of one control. */
export type Saying = Pick<
  ControlAssessment,
  'catalog' | 'version' | 'control' | 'state' | 'note' | 'evidenceIds'
>

/** What was last said of it. */
export type Said = Saying & Pick<ControlAssessment, 'ordinal'>

/** A piece of evidence that somebody names, of the use case at hand. */
export interface NameablePiece {
  id: string
  verdict: 'accepted' | 'refused' | null
  state: 'quarantined' | 'available' | 'rejected' | 'disposed'
  /** A newer piece that somebody accepted in its place. */
  replacedById: string | null
}

/** What there is to judge lines by. */
export interface Grounds {
  catalogs: KnownCatalogs
  said: readonly Said[]
  pieces: readonly NameablePiece[]
}

export interface Plan {
  sayings: Saying[]
  /** Controls of which nothing new is said. */
  unchanged: number
}

interface Target {
  index: number
  line: Line
  control: string
}

/**
 * what these lines come to, all of them or none. A state that is left out stays, and so do a note as long as its
 * state and evidence until other evidence is named.
 * @throws RegistryError `invalid` with an issue for each line that cannot be taken, or when nothing would change
 */
export function plan({ assessments }: NewAssessments, grounds: Grounds): Plan {
  const issues: Issue[] = []
  const targets: Target[] = []
  for (const [index, line] of assessments.entries()) {
    targets.push(...targetsOf(line, index, grounds.catalogs, issues))
    if (targets.length > MOST)
      throw new RegistryError('invalid', `this speaks of more than ${MOST} controls; send it in parts`)
  }
  issues.push(
    ...repeated(targets),
    ...assessments.flatMap((line, index) => flawsOfEvidence(line, index, grounds)),
  )
  const before = new Map(grounds.said.map((one) => [keyOf(one), one]))
  const sayings = targets.map((target) => {
    const said = before.get(keyOf({ ...target.line, control: target.control }))
    return { target, said, saying: sayingOf(target, said) }
  })
  issues.push(...sayings.flatMap(({ target, saying }) => flawOfNote(target, saying)))
  assertTaken(issues)
  const fresh = sayings.filter(({ saying, said }) => differs(saying, said)).map(({ saying }) => saying)
  if (fresh.length > 0) return { sayings: fresh, unchanged: sayings.length - fresh.length }
  throw new RegistryError('invalid', 'nothing would change; say something new of at least one control')
}

/** One issue a line: the first that is found, which may be the cause of the others. */
function assertTaken(issues: Issue[]): void {
  const byLine = new Map<string, Issue>()
  for (const issue of issues) {
    const [, , index = ''] = issue.path.split('/')
    if (!byLine.has(index)) byLine.set(index, issue)
  }
  const [first, ...others] = [...byLine.entries()]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, one]) => one)
  if (!first) return
  const more = others.length > 0 ? `, and ${others.length} more` : ''
  const message = `nothing was taken; correct ${first.path}: it ${first.message}${more}`
  throw new RegistryError('invalid', message, { issues: [first, ...others] })
}

export const keyOf = (one: { catalog: string; version: string; control: string }): string =>
  `${nameOf(one)} ${one.control}`

function targetsOf(line: Line, index: number, catalogs: KnownCatalogs, issues: Issue[]): Target[] {
  const place = `/assessments/${index}`
  const { catalog: id, version, control, category, function: group } = line
  const catalog = catalogs.get(nameOf(line))
  if (!catalog) {
    issues.push({
      path: `${place}/catalog`,
      message: `is ${id} ${version}, which is not here; import it first`,
    })
    return []
  }
  const found = catalog.controls.filter(
    (one) => one.id === control || one.category === category || one.function === group,
  )
  const named = control !== undefined ? 'control' : category !== undefined ? 'category' : 'function'
  if (found.length === 0) {
    issues.push({
      path: `${place}/${named}`,
      message: `is no ${named} of ${id} ${version}; look it up there`,
    })
  }
  return found.map((one) => ({ index, line, control: one.id }))
}

function repeated(targets: Target[]): Issue[] {
  const seen = new Map<string, number>()
  return targets.flatMap(({ index, line, control }) => {
    const key = keyOf({ ...line, control })
    const first = seen.get(key) ?? index
    seen.set(key, first)
    if (first === index) return []
    const message = `speaks of ${control}, of which line ${first + 1} speaks already; say it once`
    return [{ path: `/assessments/${index}`, message }]
  })
}

function flawsOfEvidence({ evidenceIds = [] }: Line, index: number, { pieces }: Grounds): Issue[] {
  return evidenceIds.flatMap((id, at) => {
    const message = objectionTo(pieces.find((piece) => piece.id === id))
    const isRepeated = evidenceIds.indexOf(id) !== at
    const objection = isRepeated ? 'is named before; name it once' : message
    return objection ? [{ path: `/assessments/${index}/evidenceIds/${at}`, message: objection }] : []
  })
}

/** What nobody judged yet may be named: it counts once it is accepted. */
function objectionTo(piece: NameablePiece | undefined): string | undefined {
  if (!piece) return 'is no evidence of this use case; attach it here first'
  if (piece.state === 'disposed') return 'was disposed of; name another'
  if (piece.state === 'rejected') return 'was rejected by the virus scanner; attach a clean one'
  if (piece.verdict === 'refused') return 'was refused; attach another'
  if (piece.replacedById === null) return undefined
  return `has a newer piece in its place; name ${piece.replacedById}`
}

function sayingOf({ line, control }: Target, said: Said | undefined): Saying {
  const { catalog, version, state: given, note: words, evidenceIds } = line
  const before = said?.state ?? 'not_assessed'
  const state = given ?? before
  const kept = state === before ? (said?.note ?? '') : ''
  return {
    ...{ catalog, version, control, state },
    note: words ?? kept,
    evidenceIds: [...(evidenceIds ?? said?.evidenceIds ?? [])].sort(),
  }
}

function flawOfNote({ index, line, control }: Target, { state, note }: Saying): Issue[] {
  if (note !== '' || (state !== 'not_applicable' && state !== 'not_effective')) return []
  const which = line.control === undefined ? `, for ${control} too` : ''
  const message = `must say why it is ${state.replaceAll('_', ' ')}${which}`
  return [{ path: `/assessments/${index}/note`, message }]
}

function differs(saying: Saying, said: Said | undefined): boolean {
  const { state, note, evidenceIds } = said ?? { state: 'not_assessed', note: '', evidenceIds: [] }
  const isSameEvidence = saying.evidenceIds.join() === [...evidenceIds].sort().join()
  return saying.state !== state || saying.note !== note || !isSameEvidence
}

/** The states of a use case, as `control_profile` keeps them, with what is said now. */
export function statesWith(
  said: readonly Pick<Saying, 'catalog' | 'version' | 'control' | 'state'>[],
): Record<string, Record<string, ControlState>> {
  const states = new Map<string, Map<string, ControlState>>()
  for (const one of said) {
    const ofCatalog = states.get(nameOf(one)) ?? new Map<string, ControlState>()
    states.set(nameOf(one), ofCatalog.set(one.control, one.state))
  }
  return Object.fromEntries([...states].map(([name, controls]) => [name, Object.fromEntries(controls)]))
}

/** Bytes of ids and states that one event may hold: a leaf of the log has 65,535, with what surrounds them. */
const LEAF = 50_000

/** What events hold of assessments: one event for each version of a catalog, or several where one would be too large. */
interface EventPart {
  catalog: string
  version: string
  controls: { id: string; state: ControlState; evidenceIds: string[] }[]
  sealed: { notes: Record<string, string> }
}

export function inEvents(sayings: readonly Saying[]): EventPart[] {
  const parts = new Map<string, { part: EventPart; size: number }[]>()
  for (const { catalog, version, control: id, state, note, evidenceIds } of sayings) {
    const name = nameOf({ catalog, version })
    const size = JSON.stringify({ id, state, evidenceIds }).length
    const own = parts.get(name) ?? []
    parts.set(name, own)
    let last = own.at(-1)
    if (!last || last.size + size > LEAF) {
      last = { part: { catalog, version, controls: [], sealed: { notes: {} } }, size: 0 }
      own.push(last)
    }
    last.size += size
    last.part.controls.push({ id, state, evidenceIds })
    if (note !== '') last.part.sealed.notes[id] = note
  }
  return [...parts.values()].flat().map(({ part }) => part)
}
