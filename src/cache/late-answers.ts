import { LRUCache } from 'lru-cache'
import type { OriginAnswer, OriginRequest } from '../origins/origin.ts'
import type { UserVersions } from './user-versions.ts'

/** Answers of a provider that came after the hedge had been served: they cost a call, and the user may ask again any moment. */
export interface LateAnswers {
  /** The answer to the same request, unless the user has sent an event since it was asked for. */
  get: (request: OriginRequest) => OriginAnswer | undefined
  /** To be called when the provider is asked; what it returns takes the answer, should it come late. */
  expect: (request: OriginRequest) => (answer: OriginAnswer) => void
}

const mostAnswers = 1_000
const keptMs = 10_000

interface LateAnswer {
  answer: OriginAnswer
  version: number
}

export function createLateAnswers (versions: UserVersions): LateAnswers {
  const answers = new LRUCache<string, LateAnswer>({ max: mostAnswers, ttl: keptMs })
  const versionFor = ({ namespace, userId }: OriginRequest): number => userId === undefined ? 0 : versions.of(namespace, userId)
  return {
    get (request) {
      const late = answers.get(keyOf(request))
      return late?.version === versionFor(request) ? late.answer : undefined
    },
    expect (request) {
      const version = versionFor(request)
      return answer => { answers.set(keyOf(request), { answer, version }) }
    }
  }
}

/** Requests that mean the same have the same key. */
function keyOf ({ userId, itemId, itemIds, numResults, filter, filterValues, context, decorateItems }: OriginRequest): string {
  return JSON.stringify([userId, itemId, itemIds, numResults, filter, sorted(filterValues), sorted(context), decorateItems])
}

function sorted (map: Readonly<Record<string, string>> = {}): Array<[string, string]> {
  return Object.entries(map).sort(([a], [b]) => a < b ? -1 : 1)
}
