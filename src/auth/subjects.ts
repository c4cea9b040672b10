import { roles, seats } from './principal.js'

/**
 * What decision rights speak about: a closed list of subjects, of what may be done to each, and of the fields
 * that conditions may name. `policies/decision-rights.json` can use no other word.
 *
 * Fields: `id` holds an id or null, `ids` several, a list of words one of them. `whole` marks a subject that lies in
 * no unit: its `orgUnitId` is always null, so that `$units` reaches it through a grant for the whole organisation only.
 */
export type FieldKind = 'id' | 'ids' | 'whole' | readonly string[]

interface SubjectShape {
  /** As in "no such use case". */
  noun: string
  actions: readonly string[]
  /** Actions on a row that does not exist yet, so that reading it cannot be asked first. */
  begins: readonly string[]
  fields: Readonly<Record<string, FieldKind>>
}

const kinds = ['human', 'service'] as const
const ofUseCase = { useCaseId: 'id', orgUnitId: 'id', businessOwnerId: 'id', riskOwnerId: 'id' } as const

export const subjects = {
  UseCase: {
    noun: 'use case',
    actions: [
      ...(['read', 'register', 'revise', 'raise_tier', 'attach', 'submit', 'retire', 'bind', 'ask'] as const),
      ...(['suspend', 'report', 'break_glass', 'hold', 'dispose'] as const),
    ],
    begins: ['register'],
    fields: { id: 'id', orgUnitId: 'id', businessOwnerId: 'id', riskOwnerId: 'id' },
  },
  Evidence: {
    noun: 'evidence',
    actions: ['read', 'judge', 'retain', 'shorten'],
    begins: [],
    fields: { ...ofUseCase, attachedBy: 'id' },
  },
  LegalHold: {
    noun: 'legal hold',
    actions: ['read', 'place', 'extend', 'release', 'lift'],
    begins: ['place'],
    fields: { orgUnitId: 'id', placedBy: 'id' },
  },
  Shortening: {
    noun: 'proposal to shorten retention',
    actions: ['read', 'judge'],
    begins: [],
    fields: { ...ofUseCase, proposedBy: 'id' },
  },
  Disposal: {
    noun: 'disposal',
    actions: ['read', 'judge'],
    begins: [],
    fields: { ...ofUseCase, proposedBy: 'id' },
  },
  EvidenceStore: { noun: 'evidence store', actions: ['read'], begins: [], fields: { orgUnitId: 'whole' } },
  // Asked for by its use case: no refusal tells which of the two is not there.
  Profile: { noun: 'use case', actions: ['read', 'assess'], begins: [], fields: ofUseCase },
  Exception: { noun: 'exception', actions: ['read'], begins: [], fields: ofUseCase },
  Review: {
    noun: 'review',
    actions: ['read', 'withdraw', 'vote'],
    begins: [],
    fields: { ...ofUseCase, submittedBy: 'id', excludedIds: 'ids' },
  },
  Vote: { noun: 'vote', actions: ['read'], begins: [], fields: ofUseCase },
  Decision: { noun: 'decision', actions: ['read'], begins: [], fields: ofUseCase },
  Condition: {
    noun: 'condition',
    actions: ['read', 'meet', 'reassign'],
    begins: [],
    fields: { ...ofUseCase, ownerId: 'id' },
  },
  Suspension: {
    noun: 'suspension',
    actions: ['read', 'lift'],
    begins: [],
    fields: { ...ofUseCase, suspendedBy: 'id' },
  },
  Incident: {
    noun: 'incident',
    actions: ['read', 'continue', 'close'],
    begins: [],
    fields: { ...ofUseCase, reportedBy: 'id' },
  },
  BreakGlass: {
    noun: 'opening by break-glass',
    actions: ['read', 'close', 'review'],
    begins: [],
    fields: { ...ofUseCase, openedBy: 'id' },
  },
  Delegation: {
    noun: 'delegation',
    actions: ['read', 'delegate', 'accept', 'end'],
    begins: ['delegate'],
    fields: { fromId: 'id', toId: 'id', orgUnitId: 'whole' },
  },
  GateAnswer: {
    noun: 'gate answer',
    actions: ['read'],
    begins: [],
    fields: { useCaseId: 'id', orgUnitId: 'id' },
  },
  Event: {
    noun: 'event',
    actions: ['read'],
    begins: [],
    fields: { aggregateId: 'id', orgUnitId: 'id', businessOwnerId: 'id', riskOwnerId: 'id' },
  },
  Register: { noun: 'register', actions: ['export'], begins: ['export'], fields: { orgUnitId: 'id' } },
  Import: {
    noun: 'import',
    actions: ['read', 'import'],
    begins: ['import'],
    fields: { createdBy: 'id', orgUnitId: 'id' },
  },
  OrgUnit: { noun: 'org unit', actions: ['read', 'manage'], begins: [], fields: { id: 'id' } },
  System: {
    noun: 'system',
    actions: ['read', 'register', 'manage'],
    begins: ['register'],
    fields: { id: 'id', orgUnitId: 'whole' },
  },
  Person: {
    noun: 'person',
    actions: ['read', 'create', 'manage', 'hand_over'],
    begins: ['create'],
    fields: { id: 'id', kind: kinds, orgUnitId: 'whole' },
  },
  Catalog: {
    noun: 'catalog',
    actions: ['read', 'import'],
    begins: ['import'],
    fields: { id: 'id', orgUnitId: 'whole' },
  },
  Webhook: {
    noun: 'webhook',
    actions: ['read', 'create', 'manage'],
    begins: ['create'],
    fields: { id: 'id', orgUnitId: 'id' },
  },
  Invitation: {
    noun: 'invitation',
    actions: ['read', 'invite', 'revoke'],
    begins: ['invite'],
    fields: { personId: 'id', orgUnitId: 'whole' },
  },
  Grant: {
    noun: 'grant',
    actions: ['read', 'grant', 'revoke'],
    begins: ['grant'],
    fields: { personId: 'id', kind: ['role', 'seat'], name: [...roles, ...seats], orgUnitId: 'id' },
  },
  Token: {
    noun: 'token',
    actions: ['read', 'issue', 'revoke'],
    begins: ['issue'],
    fields: { personId: 'id', personKind: kinds, orgUnitId: 'whole' },
  },
  Policy: {
    noun: 'policy',
    actions: ['read', 'preview', 'apply'],
    begins: [],
    fields: { orgUnitId: 'whole' },
  },
} as const satisfies Record<string, SubjectShape>

export type SubjectType = keyof typeof subjects
export type Action<T extends SubjectType = SubjectType> = (typeof subjects)[T]['actions'][number]

type Shape = { readonly [T in SubjectType]: (typeof subjects)[T]['fields'] }
type Carried<T extends SubjectType> = {
  [F in keyof Shape[T]]: Shape[T][F] extends 'whole' ? never : F
}[keyof Shape[T]]

/** The fields of a row that rights may look at. All of them must be there, so that no right is judged half-blind. */
export type RowOf<T extends SubjectType> = {
  readonly [F in Carried<T>]: Shape[T][F] extends 'ids' ? readonly string[] : string | null
}

/** For lists: where each of these fields comes from in SQL. */
export type ColumnsOf<T extends SubjectType, Column> = { readonly [F in Carried<T>]: Column }

export const subjectTypes = Object.keys(subjects) as SubjectType[]

/** The shape of a subject without its literal types, for code that goes through all of them. */
export const shapeOf = (type: SubjectType): SubjectShape => subjects[type]
