import Type from 'typebox'
import { strict } from '../base/schema.ts'
import { flagCaller, flagHeaders, type Flag } from './appconfig-agent.ts'
import { commonProperties } from './common.ts'
import { experimentIdOf, experimentMethod, type Assignment } from './experiment.ts'
import { createRemembered } from './remembered.ts'
import { createTroubleLog, Trouble } from './trouble.ts'

const part = Type.String({ minLength: 1, maxLength: 2048 })

/**
 * The limits of calls of the agent. It is on this machine and knows the newest configuration, so that its answers are remembered only as
 * long as one visit to a page takes, whose lists should agree.
 */
const flags = { most: 20_000, age: 2_000, patience: 50, mostUnderWay: 256 }

/**
 * Flags of AWS AppConfig, with their variants or the treatments of an AppConfig experiment, as the AppConfig agent evaluates them.
 * A user whose flag has a variant takes part; a flag without variants is the same for everybody, and decides for who is in no experiment.
 */
export const appconfig = experimentMethod({
  type: 'appconfig',
  schema: strict({
    method: Type.Literal('appconfig'),
    ...commonProperties,
    application: part,
    environment: part,
    profile: part,
    flag: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'The key of the flag. Default: the feature.' })),
    attribute: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'The attribute of the flag that names the variation. Default: variation.' }))
  }),
  async open ({ application, environment, profile, flag, attribute = 'variation' }, place, scope) {
    const { openHttpClient } = await import('../origins/http-client.ts')
    const client = await scope.share('http', async () => openHttpClient(), async closing => closing.close())
    const experimentId = experimentIdOf(place)
    const ask = flagCaller(client, scope.appConfigAgentUrl, { application, environment, profile, flag: flag ?? place.feature })
    const remembered = createRemembered<Flag>({ ...flags, steady: scope.steady })
    const onUnavailable = createTroubleLog(scope, `the AppConfig agent does not evaluate ${experimentId}`)

    function unavailable (cause: unknown): Assignment {
      scope.experimentStats.of(experimentId).unavailable++
      onUnavailable(cause)
      return { variation: undefined, why: 'unavailable', hashes: {} }
    }

    function decide (flag: Flag): Assignment {
      if (flag['enabled'] === false) return { variation: undefined, why: 'not-running', hashes: {} }
      const variant = textOf(flag, '_variant')
      const variation = [textOf(flag, attribute), variant].find(name => name !== undefined && place.variations.includes(name))
      if (variation === undefined) return unavailable(new Trouble('the flag names no variation'))
      if (variant === undefined) return { variation, why: 'not-in-experiment', hashes: {} }
      return { variation, why: 'assigned', hashes: {}, details: { variant } }
    }

    return {
      shares: undefined,
      assign (unit) {
        const headers = flagHeaders(unit)
        const flag = remembered.of(JSON.stringify(headers), async signal => ask(headers, signal))
        return flag instanceof Promise ? flag.then(decide, unavailable) : decide(flag)
      }
    }
  }
})

/** Returns a member of an answer if it is a text that is not empty. */
function textOf (flag: Flag, key: string): string | undefined {
  const value = Object.hasOwn(flag, key) ? flag[key] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}
