import { authorize } from '../auth/decision-rights.js'
import { rolesOf } from '../auth/principal.js'
import type { Database } from '../db/database.js'
import type { Idempotency } from '../db/idempotency.js'
import { isDuplicate } from '../db/pg-error.js'
import type { ReadTx, WriteRequest, WriteTx } from '../db/transaction.js'
import { RegistryError } from '../errors.js'
import { addSeconds } from '../instant.js'
import { cutPage, type PageOf, type PageRequest } from '../page.js'
import { findPrincipal } from '../people/service.js'
import { enforcementOf } from '../policy/gate-policy.js'
import type { Policies } from '../policy/load.js'
import { getReadable } from '../use-cases/reading.js'
import { assertNotRetired } from '../use-cases/use-case.js'
import { assertPipeline, type Binding } from './binding.js'
import type { Answer, AnswerOnRecord, LoggedAnswer, Question } from './gate.js'
import { evaluate, isStillGood, notRegistered, type Situation, wantsOpening } from './judging.js'
import * as store from './store.js'

/** What the gate answers from: the policy in force, and connections of its own for its reads. */
export interface Gate {
  policies: Policies
  lines: store.Asked
}

/** Answers, and keeps nothing of it. Read from the database on each call. */
export async function look(tx: ReadTx, gate: Gate, question: Question): Promise<Answer> {
  const facts = await store.findAtGate(gate.lines, question.useCase)
  if (!facts || !maySee(tx, facts)) return notRegistered(question, gate.policies.digest, tx.now)
  const situation = situationOf(tx, gate, question, facts)
  if (!wantsOpening(situation)) return evaluate(situation)
  const { environment } = question
  const opening = await store.findOpening(gate.lines, { useCaseId: facts.id, environment, now: tx.now })
  return evaluate({ ...situation, opening })
}

function situationOf(tx: ReadTx, { policies }: Gate, question: Question, facts: store.GateRow): Situation {
  const { digest: policyDigest, gate } = policies
  return {
    question,
    facts,
    policyDigest,
    isBound: tx.principal.kind === 'human' || tx.principal.boundUseCaseIds.includes(facts.id),
    enforcement: enforcementOf(gate, question.environment),
    answersValidForMinutes: gate.answersValidForMinutes,
    now: tx.now,
  }
}

/** @throws RegistryError `forbidden` to whoever may see it but not ask */
function maySee({ ability }: ReadTx, facts: store.GateRow): boolean {
  try {
    authorize(ability, 'ask', 'UseCase', facts)
    return true
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'not_found') return false
    throw error
  }
}

const REPLAY_SECONDS = 60
const ATTEMPTS = 5

/**
 * Answers and keeps the answer. The same key within a minute gets the same answer again, if it would still be given:
 * of two at once, one is kept and the other finds it.
 */
export async function ask(
  database: Pick<Database, 'read' | 'write'>,
  request: WriteRequest,
  gate: Gate,
  question: Question,
  idempotency: Idempotency | undefined,
): Promise<{ answer: LoggedAnswer; replayed: boolean }> {
  for (let attempt = 1; ; attempt += 1) {
    const { answer, earlier, ordinal } = await database.read(
      request,
      async (tx) => await answerAnew(tx, gate, question, idempotency),
    )
    if (earlier) return { answer: earlier, replayed: true }
    const key = idempotency && { ...idempotency, ordinal: ordinal + 1 }
    try {
      const { value } = await database.write(request, async (tx) => await keep(tx, answer, question, key))
      return { answer: value, replayed: false }
    } catch (error) {
      if (attempt === ATTEMPTS || !isDuplicate(error, 'gate_answer_once')) throw error
    }
  }
}

interface Answered {
  answer: Answer
  /** What this key was given before, if it is to be given again. */
  earlier?: LoggedAnswer
  /** How many answers this key was given. */
  ordinal: number
}

/** @throws RegistryError `conflict` when the key came with another question less than a minute ago */
async function answerAnew(
  tx: ReadTx,
  gate: Gate,
  question: Question,
  idempotency: Idempotency | undefined,
): Promise<Answered> {
  if (!idempotency) return { answer: await look(tx, gate, question), ordinal: 0 }
  const { key, digest } = idempotency
  const [found, answer] = await Promise.all([
    store.findEarlier(gate.lines, tx.principal.personId, key),
    look(tx, gate, question),
  ])
  const ordinal = found?.ordinal ?? 0
  if (!found || found.askedAt <= addSeconds(tx.now, -REPLAY_SECONDS)) return { answer, ordinal }
  if (found.requestDigest !== digest) {
    throw new RegistryError(
      'conflict',
      'this Idempotency-Key was used for another question; choose a new one',
    )
  }
  const { answer: earlier } = split(found)
  return isStillGood(earlier, answer) ? { answer, earlier, ordinal } : { answer, ordinal }
}

/** The answer and its event, in one transaction. */
async function keep(
  tx: WriteTx,
  answer: Answer,
  question: Question,
  key: store.Key | undefined,
): Promise<LoggedAnswer> {
  const row = store.insertAnswer(tx, answer, question, key)
  const { useCaseId, environment, decision, enforced, reasons, policyDigest: policy } = answer
  const codes = reasons.map(({ code }) => code)
  const breakGlassId = answer.breakGlassId ?? undefined
  const said = { useCaseId, environment, decision, enforced, reasons: codes, policy, breakGlassId }
  tx.record(row, { type: 'gate.answered', ...said, sealed: { question } })
  return { id: row.id, ...answer }
}

export async function getAnswer(tx: ReadTx, gate: Gate, id: string): Promise<AnswerOnRecord> {
  const row = await store.getAnswerRow(gate.lines, id)
  authorize(tx.ability, 'read', 'GateAnswer', row)
  const { answer, askedBy, question } = split(row)
  return { ...answer, askedBy, question }
}

function split({
  orgUnitId: _unit,
  requestDigest: _digest,
  ordinal: _ordinal,
  askedBy,
  question,
  ...answer
}: store.AnswerRow): { answer: LoggedAnswer; askedBy: string; question: Question } {
  return { answer, askedBy, question }
}

/** Lets a pipeline ask for clearance of this use case. */
export async function bindPipeline(tx: WriteTx, useCase: string, personId: string): Promise<Binding> {
  const row = await getReadable(tx, useCase)
  const right = authorize(tx.ability, 'bind', 'UseCase', row)
  assertNotRetired(row)
  const account = await lockAccount(tx, personId)
  const principal = await findPrincipal(tx.sql, personId, tx.now)
  assertPipeline(account, principal ? rolesOf(principal) : new Set())
  const { id, useCaseId, boundBy, boundAt } = await store.insertBinding(tx, row.id, personId)
  tx.record(account, { type: 'pipeline.bound', right, bindingId: id, useCaseId, sealed: {} })
  return { id, useCaseId, personId, name: account.name, boundBy, boundAt }
}

export async function unbindPipeline(tx: WriteTx, useCase: string, personId: string): Promise<Binding> {
  const row = await getReadable(tx, useCase)
  const right = authorize(tx.ability, 'bind', 'UseCase', row)
  const account = await lockAccount(tx, personId)
  const { id, useCaseId, boundBy, boundAt } = await store.endBinding(tx, row.id, personId)
  tx.record(account, { type: 'pipeline.unbound', right, bindingId: id, useCaseId, sealed: {} })
  return { id, useCaseId, personId, name: account.name, boundBy, boundAt }
}

/** Its events carry the binding, and what it may ask changes. */
async function lockAccount(tx: WriteTx, personId: string) {
  const account = await store.lockPipeline(tx, personId)
  authorize(tx.ability, 'read', 'Person', account)
  return account
}

export async function listPipelines(
  tx: ReadTx,
  useCase: string,
  page: PageRequest,
): Promise<PageOf<Binding>> {
  const { id } = await getReadable(tx, useCase)
  const rows = await store.listBindings(tx, id, page)
  return cutPage(rows, page.limit, (binding) => [binding.boundAt, binding.id])
}
