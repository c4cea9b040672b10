import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Ability, authorize, buildAbility, readRights } from '../../src/auth/decision-rights.js'
import { type Principal, roles, SEAT_HOLDER } from '../../src/auth/principal.js'
import { type RowOf, type SubjectType, shapeOf, subjectTypes } from '../../src/auth/subjects.js'
import { projectRoot } from '../../src/config.js'
import { RegistryError } from '../../src/errors.js'
import { DecisionRightsFile } from '../../src/policy/rights-file.js'

const snapshot = join(projectRoot, 'test/policies/decision-rights-matrix.md')
const file = JSON.parse(readFileSync(join(projectRoot, 'policies/decision-rights.json'), 'utf8'))
const rights = readRights(DecisionRightsFile.parse(file))

const ids = ['me', 'somebody', 'a third', 'own unit', 'other unit', 'a case', 'bound case', 'a system']
const [me, other, third, ownUnit, otherUnit, aCase, boundCase, aSystem] = ids.map(
  (_, index) => `00000000-0000-7000-8000-00000000000${index}`,
) as [string, string, string, string, string, string, string, string]

/** Who sits in a column: everybody holds the roles in `own unit`, or in the whole organisation where a row says so. */
const columns: Record<string, { kind: Principal['kind']; roles: readonly string[] }> = {
  ...Object.fromEntries(
    roles.map((role) => [role, { kind: role === 'pipeline' ? 'service' : 'human', roles: [role] } as const]),
  ),
  [SEAT_HOLDER]: { kind: 'human', roles: [SEAT_HOLDER] },
  'no role': { kind: 'human', roles: [] },
  'service account': {
    kind: 'service',
    roles: ['administrator', 'business_owner', 'risk_owner', 'committee_member', SEAT_HOLDER],
  },
}

type Rows<T extends SubjectType> = Record<string, RowOf<T>>

const nobodys = { businessOwnerId: other, riskOwnerId: third }
const ownCase = { useCaseId: aCase, orgUnitId: ownUnit, ...nobodys }
const otherCase = { ...ownCase, orgUnitId: otherUnit }
const places = <Row extends object>(row: Row) => ({
  'own unit': { ...row, orgUnitId: ownUnit },
  'another unit': { ...row, orgUnitId: otherUnit },
  'whole organisation, any unit': { ...row, orgUnitId: otherUnit },
})
const cases = <Row extends object>(row: Row) => ({
  ...places({ ...ownCase, ...row }),
  'business owner, another unit': { ...otherCase, ...row, businessOwnerId: me },
  'risk owner, another unit': { ...otherCase, ...row, riskOwnerId: me },
})

const review = { ...ownCase, submittedBy: other, excludedIds: [other, third] }
const situations: { [T in SubjectType]: Rows<T> } = {
  UseCase: {
    ...cases({ id: aCase }),
    'bound to it, another unit': { ...otherCase, id: boundCase },
  },
  Evidence: {
    ...cases({ attachedBy: other }),
    'attached it, own unit': { ...ownCase, attachedBy: me },
    'attached it as risk owner, own unit': { ...ownCase, riskOwnerId: me, attachedBy: me },
  },
  Review: {
    ...cases({ submittedBy: other, excludedIds: [other, third] }),
    'submitted it, own unit': { ...review, submittedBy: me, excludedIds: [me] },
    'wrote it, own unit': { ...review, excludedIds: [me] },
    'business owner, own unit': { ...review, businessOwnerId: me },
    'risk owner, own unit': { ...review, riskOwnerId: me },
  },
  LegalHold: {
    ...places({ placedBy: other }),
    'placed it, own unit': { orgUnitId: ownUnit, placedBy: me },
  },
  Shortening: {
    ...cases({ proposedBy: other }),
    'proposed it, own unit': { ...ownCase, proposedBy: me },
  },
  Disposal: {
    ...cases({ proposedBy: other }),
    'proposed it, own unit': { ...ownCase, proposedBy: me },
  },
  EvidenceStore: { any: {}, 'whole organisation': {} },
  Profile: cases({}),
  Exception: cases({}),
  Vote: cases({}),
  Decision: cases({}),
  Condition: {
    ...cases({ ownerId: other }),
    'owns the condition, another unit': { ...otherCase, ownerId: me },
  },
  Suspension: {
    ...cases({ suspendedBy: other }),
    'ordered it, own unit': { ...ownCase, suspendedBy: me },
    'ordered it as risk owner, own unit': { ...ownCase, riskOwnerId: me, suspendedBy: me },
  },
  Incident: { ...cases({ reportedBy: other }), 'reported it, own unit': { ...ownCase, reportedBy: me } },
  BreakGlass: {
    ...cases({ openedBy: other }),
    'opened it, own unit': { ...ownCase, openedBy: me },
    'opened it as risk owner, own unit': { ...ownCase, riskOwnerId: me, openedBy: me },
  },
  Delegation: {
    'between others': { fromId: other, toId: third },
    'whole organisation, between others': { fromId: other, toId: third },
    'from me': { fromId: me, toId: other },
    'to me': { fromId: other, toId: me },
  },
  GateAnswer: {
    ...places({ useCaseId: aCase }),
    'bound to it, another unit': { useCaseId: boundCase, orgUnitId: otherUnit },
  },
  Event: {
    ...cases({ aggregateId: aCase }),
    'no unit': { aggregateId: other, ...nobodys, orgUnitId: null },
    'whole organisation, no unit': { aggregateId: other, ...nobodys, orgUnitId: null },
  },
  Register: {
    ...places({}),
    'no unit named': { orgUnitId: null },
    'whole organisation, no unit named': { orgUnitId: null },
  },
  Import: {
    ...places({ createdBy: other }),
    'started it, another unit': { createdBy: me, orgUnitId: otherUnit },
  },
  OrgUnit: {
    'own unit': { id: ownUnit },
    'another unit': { id: otherUnit },
    'whole organisation, any unit': { id: otherUnit },
  },
  System: { 'own unit': { id: aSystem }, 'whole organisation': { id: aSystem } },
  Person: {
    'own unit': { id: other, kind: 'human' },
    'whole organisation': { id: other, kind: 'human' },
    self: { id: me, kind: 'human' },
  },
  Catalog: { 'own unit': { id: aCase }, 'whole organisation': { id: aCase } },
  Webhook: places({ id: other, orgUnitId: ownUnit }),
  Invitation: {
    'own unit': { personId: other },
    'whole organisation': { personId: other },
    self: { personId: me },
  },
  Grant: {
    ...places({ personId: other, kind: 'role', name: 'auditor' }),
    'self, own unit': { personId: me, kind: 'role', name: 'auditor', orgUnitId: ownUnit },
    'self, whole organisation': { personId: me, kind: 'seat', name: 'legal', orgUnitId: ownUnit },
  },
  Token: {
    'own unit, for a service account': { personId: other, personKind: 'service' },
    'whole organisation, for a service account': { personId: other, personKind: 'service' },
    'whole organisation, for a person': { personId: other, personKind: 'human' },
    self: { personId: me, personKind: 'human' },
    'self, whole organisation': { personId: me, personKind: 'human' },
  },
  Policy: { any: {}, 'whole organisation': {} },
}

t.test('the matrix of decision rights is the committed one', async (t) => {
  const matrix = writeMatrix()
  if (process.env.UPDATE_SNAPSHOTS === '1') writeFileSync(snapshot, matrix)
  t.equal(
    matrix,
    readFileSync(snapshot, 'utf8'),
    'run with UPDATE_SNAPSHOTS=1, and read the difference before you commit it',
  )
})

function writeMatrix(): string {
  return [
    '# Who may do what',
    '',
    'Written by `decision-rights-matrix.test.ts` out of `policies/decision-rights.json`; never edited by hand.',
    'Everybody holds their role in `own unit` alone, except where a situation says `whole organisation`.',
    'A cell names the right that allows. `no DR-nn` is the right that denies, `no` means that none allows,',
    'and `404` that not even its existence is told. `service account` holds every role of a person but auditor,',
    'and a seat.',
    ...subjectTypes.flatMap((type) => ['', `## ${type}`, '', ...tableOf(type)]),
    '',
  ].join('\n')
}

function tableOf(type: SubjectType): string[] {
  const rows = shapeOf(type).actions.flatMap((action) =>
    Object.entries(situations[type]).map(([situation, row]) => [
      action,
      situation,
      ...Object.keys(columns).map((column) => cellOf(abilityIn(column, situation), action, type, row)),
    ]),
  )
  const head = ['action', 'situation', ...Object.keys(columns)]
  const widths = head.map((_, index) =>
    Math.max(...[head, ...rows].map((cells) => cells[index]?.length ?? 0)),
  )
  const line = (cells: string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}

function abilityIn(column: string, situation: string): Ability {
  const { kind, roles: held } = columns[column] ?? { kind: 'human', roles: [] }
  const units: 'all' | string[] = situation.includes('whole organisation') ? 'all' : [ownUnit]
  return buildAbility(rights, {
    personId: me,
    kind,
    name: column,
    grants: held.map((name) => ({
      ...(name === SEAT_HOLDER ? { kind: 'seat', name: 'legal' } : { kind: 'role', name }),
      ...{ orgUnitId: ownUnit, units },
    })),
    boundUseCaseIds: kind === 'service' ? [boundCase] : [],
  })
}

function cellOf(ability: Ability, action: string, type: SubjectType, row: object): string {
  try {
    return authorize(ability, action as never, type, row as never)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    if (error.code === 'not_found') return '404'
    return rights.deny.some(({ id }) => id === error.rule) ? `no ${error.rule}` : 'no'
  }
}
