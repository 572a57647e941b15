/** The records of bench/events-stress.ts: the events that were sent, the outcomes that their senders were told, and the arrived events. */
import { targetNames, type TakenBody, type TargetName } from './events-stub.ts'

/** The outcomes of an event at a target, as its sender was told. */
export const told = {
  notSent: 0,
  delivered: 1,
  /** The target does not have it. */
  missing: 2,
  /** The whole request was refused: no target has any of its events. */
  refused: 3,
  /** The connection was cut before there was an answer: each target may have it or not. */
  nothing: 4
} as const

export type Told = typeof told[keyof typeof told]

/** The counts of one target, in events. */
export interface Account {
  delivered: number
  missing: number
  refused: number
  unanswered: number
  arrived: number
  /** Events that were reported as delivered, but have not arrived. */
  lost: number
  /** Events that have arrived more than once. */
  twice: number
  /** Events that were reported as missing or refused, but have arrived. */
  thereAfterAll: number
  /** Events that have arrived after an event of the same user that was sent later. */
  outOfOrder: number
}

export const violations = ['lost', 'twice', 'thereAfterAll', 'outOfOrder'] as const

export interface Book {
  /** Adds an event of a user. @returns its number, its id, and its place in the user's sequence */
  write: (user: number) => { number: number, eventId: string, seq: number }
  answer: (target: TargetName, eventNumber: number, what: Told) => void
  onTaken: (target: TargetName, body: TakenBody) => void
  balance: () => Record<TargetName, Account>
}

export function createBook (mostEvents: number, users: number): Book {
  const userOf = new Uint32Array(mostEvents)
  const sequences = new Uint32Array(users)
  const pages = Object.fromEntries(targetNames.map(target => [target, {
    told: new Uint8Array(mostEvents),
    arrived: new Uint8Array(mostEvents),
    newest: new Uint32Array(users),
    outOfOrder: 0
  }])) as Record<TargetName, { told: Uint8Array, arrived: Uint8Array, newest: Uint32Array, outOfOrder: number }>
  let count = 0

  function account ({ told: answers, arrived, outOfOrder }: typeof pages[TargetName]): Account {
    const sum = { delivered: 0, missing: 0, refused: 0, unanswered: 0, arrived: 0, lost: 0, twice: 0, thereAfterAll: 0, outOfOrder }
    for (let i = 0; i < count; i++) {
      const times = arrived[i]!
      if (times > 0) sum.arrived++
      if (times > 1) sum.twice++
      if (answers[i] === told.delivered) {
        sum.delivered++
        if (times === 0) sum.lost++
      } else if (answers[i] === told.nothing) {
        sum.unanswered++
      } else {
        if (answers[i] === told.missing) sum.missing++
        else sum.refused++
        if (times > 0) sum.thereAfterAll++
      }
    }
    return sum
  }

  return {
    write (user) {
      const number = count++
      userOf[number] = user
      return { number, eventId: `event-${number}`, seq: ++sequences[user]! }
    },
    answer (target, eventNumber, what) { pages[target].told[eventNumber] = what },
    onTaken (target, { eventList }) {
      const { arrived, newest } = pages[target]
      for (const { eventId, properties } of eventList) {
        const number = Number(eventId.slice('event-'.length))
        const { seq } = JSON.parse(properties!) as { seq: number }
        const user = userOf[number]!
        arrived[number]!++
        if (seq < newest[user]!) pages[target].outOfOrder++
        newest[user] = Math.max(newest[user]!, seq)
      }
    },
    balance: () => Object.fromEntries(targetNames.map(target => [target, account(pages[target])])) as Record<TargetName, Account>
  }
}
