import Type from 'typebox'
import { json, type Call, type Reply } from '../call.ts'
import { reader } from '../input.ts'
import { restFaults, restJson } from '../protocol.ts'
import { Refusal } from '../refusal.ts'
import type { Scope } from '../scope.ts'
import type { Service } from '../service.ts'
import type { Configuration } from '../state/configurations.ts'

const Identifier = Type.String({ minLength: 1, maxLength: 128 })
const readStart = reader(Type.Object({
  ApplicationIdentifier: Identifier,
  EnvironmentIdentifier: Identifier,
  ConfigurationProfileIdentifier: Identifier,
  RequiredMinimumPollIntervalInSeconds: Type.Optional(Type.Integer({ minimum: 15, maximum: 86_400 }))
}))

interface Session {
  current: () => Configuration | undefined
  /** The configuration that the session got last. */
  seen: Configuration | undefined
  /** The least time between two polls, in ms. */
  interval: number
  polledAt: number
  expiresAt: number
}

const dayMs = 24 * 60 * 60 * 1000
const mostTokens = 10_000
const tokenPattern = /^[0-9a-f-]{36}$/

/** Opens the data plane of AWS AppConfig, with the deployed configurations. */
export function appconfigdata ({ configurations, pollInterval, newId, now }: Scope): Service {
  /** By token. A session has one valid token at a time. */
  const sessions = new Map<string, Session>()

  function issue (session: Session): string {
    const token = newId()
    sessions.set(token, session)
    if (sessions.size > mostTokens) sessions.delete(sessions.keys().next().value!)
    return token
  }

  function start ({ body }: Call): Reply {
    const { RequiredMinimumPollIntervalInSeconds = 0, ...names } = readStart(body)
    const current = (): Configuration | undefined =>
      configurations.get(names.ApplicationIdentifier, names.EnvironmentIdentifier, names.ConfigurationProfileIdentifier)
    if (current() === undefined) throw new Refusal('404', 'There is no such configuration.', { more: { ResourceType: 'Configuration', ReferencedBy: names } })
    const interval = RequiredMinimumPollIntervalInSeconds * 1000
    const session = { current, seen: undefined, interval, polledAt: -Infinity, expiresAt: now() + dayMs }
    return json({ InitialConfigurationToken: issue(session) }, 201)
  }

  function poll ({ query }: Call): Reply {
    const token = query['configuration_token'] ?? ''
    const session = sessions.get(token)
    // An unknown token in the right format was already used, or is too old.
    if (session === undefined || session.expiresAt < now()) throw badToken(tokenPattern.test(token) ? 'Expired' : 'Corrupted')
    if (now() < session.polledAt + session.interval) throw badToken('PollIntervalNotSatisfied')
    sessions.delete(token)

    const latest = session.current()
    const unchanged = latest === undefined || latest === session.seen
    const next = issue({ ...session, seen: latest, polledAt: now(), expiresAt: now() + dayMs })
    return {
      status: 200,
      headers: {
        'next-poll-configuration-token': next,
        'next-poll-interval-in-seconds': String(Math.max(pollInterval, session.interval / 1000)),
        'content-type': latest?.contentType ?? 'application/octet-stream',
        ...(!unchanged && latest.versionLabel !== undefined && { 'version-label': latest.versionLabel })
      },
      body: unchanged ? '' : latest.text
    }
  }

  return {
    name: 'appconfigdata',
    protocol: restJson('Message'),
    faults: { ...restFaults, 400: { code: 'BadRequestException', status: 400 } },
    operations: { 'POST /configurationsessions': { answer: start }, 'GET /configuration': { answer: poll } }
  }
}

function badToken (Problem: 'Corrupted' | 'Expired' | 'PollIntervalNotSatisfied'): Refusal {
  const Details = { InvalidParameters: { ConfigurationToken: { Problem } } }
  return new Refusal('400', 'The ConfigurationToken is not valid.', { more: { Reason: 'InvalidParameters', Details } })
}
