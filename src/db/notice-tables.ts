import { boolean, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { bytea, instant } from './columns.js'

/** The part of the data dictionary that is about telling others; `schema.ts` holds it too. */

export const webhooks = pgTable('webhook', {
  id: uuid().primaryKey(),
  name: text().notNull(),
  url: text().notNull(),
  orgUnitId: uuid().notNull(),
  /** Null is every type. */
  eventTypes: text().array(),
  lastEventNo: integer().notNull().default(0),
  lastEventAt: instant(),
  createdBy: uuid().notNull(),
  createdAt: instant().notNull(),
  disabledAt: instant(),
  disabledBecause: text({ enum: ['asked', 'gone', 'gave_up'] }),
  endedBy: uuid(),
  endedAt: instant(),
})

export const webhookSecrets = pgTable('webhook_secret', {
  id: uuid().primaryKey(),
  webhookId: uuid().notNull(),
  /** Encrypted; null once it is over. */
  sealed: bytea(),
  createdBy: uuid().notNull(),
  createdAt: instant().notNull(),
  expiresAt: instant(),
})

export const outbox = pgTable('outbox', {
  eventId: uuid().primaryKey(),
  type: text().notNull(),
  aggregateKind: text().notNull(),
  aggregateId: uuid().notNull(),
  recordedAt: instant().notNull(),
  /** When its deliveries were made. */
  expandedAt: instant(),
})

export const deliveries = pgTable('delivery', {
  id: uuid().primaryKey(),
  eventId: uuid().notNull(),
  webhookId: uuid(),
  personId: uuid(),
  state: text({ enum: ['pending', 'delivered', 'given_up', 'dropped'] })
    .notNull()
    .default('pending'),
  attempts: integer().notNull().default(0),
  /** Since it was made, or asked for again. */
  tries: integer().notNull().default(0),
  nextAt: instant().notNull(),
  createdAt: instant().notNull(),
  doneAt: instant(),
})

export const deliveryAttempts = pgTable('delivery_attempt', {
  deliveryId: uuid().notNull(),
  ordinal: integer().notNull(),
  attemptedAt: instant().notNull(),
  tookMs: integer().notNull(),
  /** Of HTTP or SMTP. */
  status: integer(),
  problem: text(),
})

export const notices = pgTable('notice', {
  type: text().notNull(),
  subjectId: uuid().notNull(),
  reason: text().notNull(),
  since: instant().notNull(),
  givenAt: instant().notNull(),
})

export const noticeWatch = pgTable('notice_watch', {
  id: text().primaryKey(),
  lookedAt: instant().notNull(),
})

export const noticeChoices = pgTable('notice_choice', {
  personId: uuid().primaryKey(),
  mail: boolean().notNull(),
  chosenAt: instant().notNull(),
})
