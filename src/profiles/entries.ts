import type { Instant } from '../instant.js'
import { type Holdings, missing, type Piece, subjectOf } from '../policy/missing.js'
import type { Asked } from '../policy/requirements.js'
import { keyOf, statesWith } from './assessment.js'
import { applicableOf, coverageOf, type KnownCatalog, type KnownCatalogs } from './coverage.js'
import { type ControlAssessment, type ControlProfile, nameOf, type ProfileEntry } from './profile.js'

/** What the caller may read of a piece of evidence. */
export type NamedPiece = Pick<ProfileEntry['evidence'][number], 'kind' | 'title' | 'digest'>

/** All that a profile is made of, as of one instant. */
export interface Parts {
  asks: readonly Asked[]
  /** The last assessment of each control. */
  said: readonly ControlAssessment[]
  catalogs: KnownCatalogs
  pieces: readonly Piece[]
  /** By id, those that the caller may read. */
  readable: ReadonlyMap<string, NamedPiece>
  at: Instant
}

/** The controls that apply, and those assessed beyond, each with what is asked of it, and how far all of them are. */
export function entriesOf(parts: Parts): Pick<ControlProfile, 'controls' | 'coverage'> {
  const { asks, said, catalogs } = parts
  const holdings: Holdings = { controls: said, pieces: parts.pieces }
  const asked = bySubject(asks)
  const gaps = bySubject(missing(asks, holdings, parts.at), ({ asked }) => asked)
  const last = new Map(said.map((one) => [keyOf(one), one]))
  const sound = parts.pieces.filter((piece) => counts(piece, parts.at))
  const counting = new Set(sound.flatMap(({ id, replaces }) => [id, ...replaces]))
  const controls = namedBy(asks, said, catalogs).map((name): ProfileEntry => {
    const key = keyOf(name)
    const own = asked.get(key) ?? []
    return {
      ...{ catalog: name.catalog, version: name.version, control: name.control, ...placeOf(name) },
      ...{ applies: own.length > 0, asked: own.map(askingOf) },
      missing: (gaps.get(key) ?? []).map(({ sentence }) => sentence),
      ...lastOf(last.get(key), (id) => ({ ...pieceOf(parts, id), counts: counting.has(id) })),
    }
  })
  return { controls, coverage: coverageIn(parts, controls) }
}

/** As requirements have it; pieces that were rejected, disposed of or replaced are not even among them. */
function counts({ verdict, freshUntil }: Piece, at: Instant): boolean {
  return verdict === 'accepted' && (freshUntil === null || at < freshUntil)
}

/** Asks for controls, by what they are about. */
function bySubject<T>(all: readonly T[], askedOf = (one: T): Asked => one as Asked): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const one of all) {
    const { ask } = askedOf(one)
    if (ask.type !== 'control') continue
    found.set(subjectOf(ask), [...(found.get(subjectOf(ask)) ?? []), one])
  }
  return found
}

interface Name {
  catalog: string
  version: string
  control: string
  /** Undefined where that catalog is here no more, or never had it. */
  known: KnownCatalog['controls'][number] | undefined
}

/** Every control that is asked for or was assessed, by catalog, and in the order of each. */
function namedBy(
  asks: readonly Asked[],
  said: readonly ControlAssessment[],
  catalogs: KnownCatalogs,
): Name[] {
  const wanted = new Map<string, { catalog: string; version: string; controls: Set<string> }>()
  for (const one of [...asks.map(({ ask }) => ask), ...said]) {
    if ('type' in one && one.type === 'evidence') continue
    const { catalog, version, control } = one
    const own = wanted.get(nameOf(one)) ?? { catalog, version, controls: new Set() }
    wanted.set(nameOf(one), { ...own, controls: own.controls.add(control) })
  }
  return [...wanted.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, { catalog, version, controls }]) => {
      const known = (catalogs.get(name)?.controls ?? []).filter(({ id }) => controls.has(id))
      const lost = [...controls].filter((id) => !known.some((one) => one.id === id)).sort()
      const here = known.map((one) => ({ catalog, version, control: one.id, known: one }))
      return [...here, ...lost.map((control) => ({ catalog, version, control, known: undefined }))]
    })
}

function placeOf({ known }: Name): Pick<ProfileEntry, 'title' | 'function' | 'category'> {
  return {
    title: known?.title ?? null,
    function: known?.function ?? null,
    category: known?.category ?? null,
  }
}

function askingOf({ requirement: { id, because }, ask }: Asked): ProfileEntry['asked'][number] {
  const { states, withEvidence } = ask.type === 'control' ? ask : { states: [], withEvidence: false }
  return { requirement: id, because, states, withEvidence }
}

function lastOf(
  said: ControlAssessment | undefined,
  pieceOf: (id: string) => ProfileEntry['evidence'][number],
) {
  return {
    state: said?.state ?? 'not_assessed',
    note: said?.note ?? '',
    assessedBy: said?.assessedBy ?? null,
    assessedAt: said?.assessedAt ?? null,
    copiedFrom: said?.copiedFrom ?? null,
    evidence: (said?.evidenceIds ?? []).map(pieceOf),
    assessments: said?.ordinal ?? 0,
  } as const
}

function pieceOf({ readable }: Parts, id: string): NamedPiece & { id: string } {
  const { kind, title, digest } = readable.get(id) ?? { kind: null, title: null, digest: null }
  return { id, kind, title, digest }
}

function coverageIn(
  { asks, said, catalogs }: Parts,
  controls: readonly ProfileEntry[],
): ControlProfile['coverage'] {
  const { total, functions } = coverageOf(applicableOf(asks, catalogs), statesWith(said))
  const shown = controls.filter(
    ({ applies, state, evidence }) =>
      applies && state === 'in_place' && evidence.some((piece) => piece.counts),
  )
  return {
    ...total,
    withEvidence: shown.length,
    beyond: controls.filter(({ applies, assessments }) => !applies && assessments > 0).length,
    functions: functions.map((one) => ({
      ...one,
      withEvidence: shown.filter((entry) => nameOf(entry) === nameOf(one) && entry.function === one.function)
        .length,
    })),
  }
}
