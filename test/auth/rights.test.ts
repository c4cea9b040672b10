import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  authorize,
  authorizeSome,
  buildAbility,
  explain,
  mayEver,
  possibleActions,
  readRights,
} from '../../src/auth/decision-rights.js'
import { type Principal, SEAT_HOLDER } from '../../src/auth/principal.js'
import { type SubjectType, shapeOf, subjectTypes } from '../../src/auth/subjects.js'
import { projectRoot } from '../../src/config.js'
import { DecisionRightsFile } from '../../src/policy/rights-file.js'

const idOf = (n: number) => `00000000-0000-7000-8000-00000000000${n}`
const [me, other, third, unit, elsewhere] = [0, 1, 2, 3, 4].map(idOf) as [
  string,
  string,
  string,
  string,
  string,
]

const policy = readFileSync(join(projectRoot, 'policies/decision-rights.json'), 'utf8')
const shipped = readRights(DecisionRightsFile.parse(JSON.parse(policy)))

const grantOf = (name: string) =>
  name === SEAT_HOLDER ? ({ kind: 'seat', name: 'legal' } as const) : ({ kind: 'role', name } as const)
const principalWith = (roles: string[], over: Partial<Principal> = {}): Principal => ({
  personId: me,
  kind: 'human',
  name: 'Me',
  grants: roles.map((name) => ({ ...grantOf(name), orgUnitId: unit, units: [unit] })),
  boundUseCaseIds: [],
  ...over,
})
const abilityWith = (roles: string[], over?: Partial<Principal>) =>
  buildAbility(shipped, principalWith(roles, over))

const useCase = { id: other, orgUnitId: unit, businessOwnerId: other, riskOwnerId: third }
const review = {
  useCaseId: other,
  orgUnitId: unit,
  businessOwnerId: other,
  riskOwnerId: third,
  submittedBy: other,
  excludedIds: [other, third],
}

t.test('what one may do, the right that allows it says', async (t) => {
  t.equal(authorize(abilityWith([SEAT_HOLDER]), 'vote', 'Review', review), 'DR-32')
  t.equal(authorize(abilityWith(['business_owner']), 'register', 'UseCase', useCase), 'DR-20')
})

t.test('a denial wins over every allowance and speaks in its own sentence', async (t) => {
  for (const [row, rule, sentence] of [
    [{ ...review, submittedBy: me }, 'DR-70', 'Whoever submitted a use case does not vote on it'],
    [{ ...review, businessOwnerId: me }, 'DR-71', 'The business owner of a use case does not vote on it'],
    [{ ...review, riskOwnerId: me }, 'DR-72', 'The risk owner of a use case does not vote on it'],
    [
      { ...review, excludedIds: [third, me] },
      'DR-73',
      'Whoever submitted, wrote or owns a use case does not vote on it',
    ],
  ] as const) {
    const vote = () => authorize(abilityWith([SEAT_HOLDER]), 'vote', 'Review', row)
    t.throws(vote, { code: 'forbidden', message: sentence, rule })
  }
})

t.test('each denial of the shipped policy wins over a right that allows everything', async (t) => {
  for (const denial of shipped.deny) {
    for (const type of denial.a) {
      for (const action of denial.may.filter((word) => shapeOf(type).actions.includes(word))) {
        const rights = readRights({
          version: 1,
          allow: [
            { id: 'DR-01', roles: ['anyone'], may: ['read', action], a: [type], because: 'Everybody may' },
          ].map((right) => (shapeOf(type).actions.includes('read') ? right : { ...right, may: [action] })),
          deny: [JSON.parse(JSON.stringify(denial))],
        })
        const kind = denial.roles.includes('service') ? 'service' : 'human'
        const ability = buildAbility(
          rights,
          principalWith([...denial.roles], { kind, grants: wholly(denial.roles) }),
        )
        const row = rowMeeting(denial.when, type)
        t.throws(() => authorize(ability, action as never, type, row as never), {
          code: 'forbidden',
          message: denial.because,
          rule: denial.id,
        })
      }
    }
  }
})

const wholly = (roles: readonly string[]): Principal['grants'] =>
  roles.map((name) => ({ kind: 'role', name, orgUnitId: unit, units: 'all' }))

/** A row of this subject on which a condition of the shipped denials holds. */
function rowMeeting(when: Readonly<Record<string, { $eq?: string | null }>>, type: SubjectType): object {
  const fields = Object.entries(shapeOf(type).fields).map(([field, kind]) => {
    const meets = when[field]?.$eq === '$me' ? me : other
    return [field, kind === 'ids' ? [meets] : typeof kind === 'string' ? meets : kind[0]]
  })
  return Object.fromEntries(fields)
}

t.test('R-41: what is denied to one person is denied to who stands for them', async (t) => {
  const standsFor = [{ personId: third, asOfEventNo: 1 }]
  const delegate = abilityWith([SEAT_HOLDER, 'risk_owner'], { standsFor })
  const fine = { ...review, riskOwnerId: other, excludedIds: [other] }
  t.equal(authorize(delegate, 'vote', 'Review', fine), 'DR-32')
  for (const [row, rule] of [
    [{ ...fine, submittedBy: third }, 'DR-70'],
    [{ ...fine, businessOwnerId: third }, 'DR-71'],
    [{ ...fine, riskOwnerId: third }, 'DR-72'],
    [{ ...fine, excludedIds: [other, third] }, 'DR-73'],
  ] as const) {
    t.throws(() => authorize(delegate, 'vote', 'Review', row), {
      code: 'forbidden',
      rule,
      message: /; while somebody has delegated to you, what they may not do you may not do either$/,
    })
  }
  const suspension = { ...useCase, useCaseId: other, suspendedBy: third }
  t.throws(() => authorize(delegate, 'lift', 'Suspension', suspension), { code: 'forbidden', rule: 'DR-78' })
  const opening = { ...useCase, useCaseId: other, openedBy: third }
  t.throws(() => authorize(delegate, 'review', 'BreakGlass', opening), { code: 'forbidden', rule: 'DR-79' })

  await t.test('and nothing of theirs is allowed on their behalf', async (t) => {
    const stranger = abilityWith([], { standsFor })
    t.throws(() => authorize(stranger, 'revise', 'UseCase', useCase), {
      code: 'not_found',
      message: /use case/,
    })
  })
})

t.test('where nothing allows it, the refusal says who may', async (t) => {
  t.throws(
    () => authorize(abilityWith(['auditor']), 'import', 'Import', { createdBy: me, orgUnitId: elsewhere }),
    {
      code: 'forbidden',
      message: 'Administrators import registers into their units; ask an administrator of this unit',
      rule: 'DR-58',
    },
  )
  t.throws(() => authorize(abilityWith(['committee_member']), 'raise_tier', 'UseCase', useCase), {
    code: 'forbidden',
    message:
      /^Risk owners raise tiers[^;]*; The risk owner of a use case [^;]*; ask an administrator of this unit$/,
  })
})

t.test('what one may not see does not exist, whatever one wanted to do to it', async (t) => {
  const far = { ...useCase, orgUnitId: elsewhere }
  for (const action of ['read', 'revise', 'submit', 'ask'] as const)
    t.throws(() => authorize(abilityWith(['risk_owner']), action, 'UseCase', far), {
      code: 'not_found',
      message: 'there is no such use case, or none that you may see; check its id',
      rule: undefined,
    })
  t.throws(() => explain(abilityWith(['risk_owner']), far, 'UseCase', ['read']), { code: 'not_found' })
})

t.test('what does not exist yet cannot be hidden: to begin it elsewhere is forbidden', async (t) => {
  const far = { ...useCase, orgUnitId: elsewhere }
  t.throws(() => authorize(abilityWith(['risk_owner']), 'register', 'UseCase', far), {
    code: 'forbidden',
    rule: 'DR-20',
  })
})

t.test('a grant reaches its unit and those below, and no other', async (t) => {
  const grants: Principal['grants'] = [
    { kind: 'role', name: 'risk_owner', orgUnitId: unit, units: [unit, third] },
  ]
  const ability = abilityWith([], { grants })
  t.equal(authorize(ability, 'revise', 'UseCase', { ...useCase, orgUnitId: third }), 'DR-21')
  t.throws(() => authorize(ability, 'revise', 'UseCase', { ...useCase, orgUnitId: elsewhere }), {
    code: 'not_found',
  })
  t.throws(() => authorize(ability, 'revise', 'UseCase', { ...useCase, orgUnitId: null }), {
    code: 'not_found',
  })
})

t.test('the units of one role do not widen those of another', async (t) => {
  const grants: Principal['grants'] = [
    { kind: 'role', name: 'auditor', orgUnitId: other, units: 'all' },
    { kind: 'role', name: 'risk_owner', orgUnitId: unit, units: [unit] },
  ]
  const ability = abilityWith([], { grants })
  t.throws(() => authorize(ability, 'register', 'UseCase', { ...useCase, orgUnitId: elsewhere }), {
    code: 'forbidden',
  })
})

t.test(
  'a seat lets its holder see and vote in its units, and a role without one does not vote',
  async (t) => {
    const seated = abilityWith([SEAT_HOLDER])
    t.equal(authorize(seated, 'read', 'UseCase', useCase), 'DR-05')
    t.equal(authorize(seated, 'judge', 'Evidence', { ...review, attachedBy: other }), 'DR-30')
    t.throws(() => authorize(seated, 'revise', 'UseCase', useCase), { code: 'forbidden' })
    t.throws(() => authorize(seated, 'vote', 'Review', { ...review, orgUnitId: elsewhere }), {
      code: 'not_found',
    })
    const vote = () => authorize(abilityWith(['committee_member']), 'vote', 'Review', review)
    t.throws(vote, { code: 'forbidden', rule: 'DR-32', message: /^Whoever holds a seat votes through it/ })
    t.equal(mayEver(abilityWith(['committee_member']), 'vote', 'Review'), false)
  },
)

t.test('a human is no pipeline', async (t) => {
  const pipeline: Partial<Principal> = { boundUseCaseIds: [useCase.id] }
  t.throws(() => authorize(abilityWith(['pipeline'], pipeline), 'ask', 'UseCase', useCase), {
    code: 'not_found',
  })
  t.equal(
    authorize(abilityWith(['pipeline'], { ...pipeline, kind: 'service' }), 'ask', 'UseCase', useCase),
    'DR-40',
  )
})

t.test('what lies in no unit is reached through the whole organisation alone', async (t) => {
  const person = { id: other, kind: 'human' }
  t.throws(() => authorize(abilityWith(['administrator']), 'manage', 'Person', person), { code: 'forbidden' })
  const ability = abilityWith([], { grants: wholly(['administrator']) })
  t.equal(authorize(ability, 'manage', 'Person', person), 'DR-50')
})

t.test('a row of which a field is missing is a bug, never a pass', async (t) => {
  const { excludedIds: _, ...blind } = review
  const vote = (row: object) => () =>
    authorize(abilityWith([SEAT_HOLDER]), 'vote', 'Review', row as typeof review)
  t.throws(vote(blind), TypeError)
  t.throws(vote({ ...review, excludedIds: null }), TypeError)
  t.throws(vote({ ...review, submittedBy: undefined }), TypeError)
})

t.test('the row stays as it was, and may hold anything else', async (t) => {
  const row = Object.freeze({ ...review, __caslSubjectType__: 'Policy', toString: 'x' })
  t.equal(authorize(abilityWith([SEAT_HOLDER]), 'vote', 'Review', row), 'DR-32')
  t.same(Object.keys(row), [...Object.keys(review), '__caslSubjectType__', 'toString'])
})

t.test('why, and why not, for one row', async (t) => {
  const row = { ...review, excludedIds: [me] }
  t.same(explain(abilityWith([SEAT_HOLDER]), row, 'Review', ['read', 'vote', 'withdraw']), [
    {
      action: 'read',
      allowed: true,
      right: 'DR-05',
      because: 'Whoever holds a role or a seat in a unit sees its use cases and what was decided about them',
    },
    {
      action: 'vote',
      allowed: false,
      right: 'DR-73',
      because: 'Whoever submitted, wrote or owns a use case does not vote on it',
    },
    {
      action: 'withdraw',
      allowed: false,
      right: 'DR-33',
      because: [
        'Whoever submitted a use case may withdraw it',
        'The business owner of a use case may withdraw it from review',
        'ask an administrator of this unit',
      ].join('; '),
    },
  ])
})

t.test('menus show what is possible somewhere', async (t) => {
  t.equal(mayEver(abilityWith([SEAT_HOLDER]), 'vote', 'Review'), true)
  t.equal(mayEver(abilityWith(['administrator', SEAT_HOLDER]), 'vote', 'Review'), false)
  t.equal(mayEver(abilityWith(['auditor']), 'manage', 'OrgUnit'), false)
  t.same(possibleActions(abilityWith(['auditor'])).Register, ['export'])
  t.throws(() => authorizeSome(abilityWith(['committee_member']), 'export', 'Register'), {
    code: 'forbidden',
    rule: 'DR-09',
  })
  t.doesNotThrow(() => authorizeSome(abilityWith(['auditor']), 'export', 'Register'))
})

t.test('`manage` is a word like any other, not a wildcard', async (t) => {
  const ability = abilityWith(['administrator'])
  t.equal(mayEver(ability, 'manage', 'OrgUnit'), true)
  t.throws(() => authorize(ability, 'revise', 'UseCase', useCase), { code: 'forbidden' })
  t.equal(ability.rules.can('vote' as never, 'all'), false)
})

t.test('the first right of the file that allows it is the one named', async (t) => {
  const right = { roles: ['anyone'], may: 'read', a: 'Policy' }
  const allow = ['DR-07', 'DR-03'].map((id) => ({ ...right, id, because: `Because of ${id}` }))
  const ability = buildAbility(readRights({ version: 1, allow, deny: [] }), principalWith([]))
  t.equal(authorize(ability, 'read', 'Policy', {}), 'DR-07')
})

t.test('every action on every subject is allowed to somebody, or it is dead', async (t) => {
  for (const type of subjectTypes)
    for (const action of shapeOf(type).actions)
      t.ok(
        shipped.allow.some(({ may, a }) => may.includes(action) && a.includes(type)),
        `${action} ${type}`,
      )
})

t.test('a word that the code does not know refuses to start, and says where', async (t) => {
  const right = { id: 'DR-01', roles: ['anyone'], may: 'read', a: 'UseCase', because: 'Because' }
  const faults: [string, object, string | RegExp][] = [
    ['/allow/0/roles', { roles: ['risk_manager'] }, /there is no role risk_manager/],
    ['/allow/0/a', { a: 'UseCases' }, /there is no subject UseCases/],
    ['/allow/0/a', { a: ['UseCase', 'toString'] }, /there is no subject toString/],
    ['/allow/0/may', { may: ['read', 'approve'] }, /nobody can approve a UseCase/],
    ['/allow/0/may', { may: ['read', 'vote'] }, /nobody can vote a UseCase/],
    ['/allow/0/a', { may: 'vote', a: ['Review', 'Policy'] }, /none of these actions is done to a Policy/],
    ['/allow/0/when/owner', { when: { owner: '$me' } }, /a UseCase has no owner/],
    ['/allow/0/when/constructor', { when: { constructor: '$me' } }, /has no constructor/],
    ['/allow/0/when/orgUnitId', { when: { orgUnitId: '$myself' } }, '$myself is not $me or an id'],
    ['/allow/0/when/orgUnitId', { when: { orgUnitId: { $in: '$units' } } }, /name the role instead/],
    ['/allow/0/when/id', { when: { id: { $exists: true, $ne: '$me' } } }, /not both/],
    ['/allow/0/when/id', { when: { id: { $all: ['$me'] } } }, /holds one value/],
    ['/allow/0/when/kind', { a: 'Person', when: { kind: 'robot' } }, 'robot is not human or service'],
    ['/allow/0/when/kind', { a: 'Person', when: { kind: { $in: '$bound' } } }, /stands for ids/],
  ]
  for (const [path, change, message] of faults) {
    const file = DecisionRightsFile.parse({ version: 1, allow: [{ ...right, ...change }], deny: [] })
    const error = t.throws(() => readRights(file), { code: 'invalid', issues: [{ path, message }] })
    t.match(error instanceof Error ? error.message : '', path)
  }
})
