import { Ajv, type ErrorObject, type FuncKeywordDefinition } from 'ajv'
import fp from 'fastify-plugin'
import type { Static, TSchema } from 'typebox'
import { GatewayError } from '../src/base/errors.ts'
import { escapePointer, expectation, resolve } from '../src/base/validation.ts'
import { digitsOfInteger } from '../src/base/written-integers.ts'

/** Schemas are this program's own and typed: checking them against the schema of schemas would only make the start longer. */
const options = { useDefaults: true, allErrors: false, verbose: true, allowUnionTypes: true, validateSchema: false } as const

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns a function that validates a value like a request body with this schema. @throws GatewayError 400 */
    bodyChecker: <S extends TSchema>(schema: S) => (value: unknown) => Static<S>
  }
}

/** Validates requests by their schemas. Nothing is converted but ids in a body that are integers, which become the text of their digits. */
export default fp(async app => {
  const ajv = new Ajv({ ...options, keywords: ['example', 'x-consume', numberAsText] })

  app.removeContentTypeParser('text/plain')
  // Answers come from typed code, so there is nothing to filter by a schema; a serializer compiled for each would make the start longer.
  app.setSerializerCompiler(() => value => JSON.stringify(value))
  app.setValidatorCompiler<object>(({ schema }) => ajv.compile(schema))
  app.setSchemaErrorFormatter((errors, part) => refusalOf(errors as ErrorObject[], part))
  app.decorate('bodyChecker', <S extends TSchema>(schema: S) => {
    const validate = ajv.compile<Static<S>>(schema)
    return (value: unknown) => {
      if (validate(value)) return value
      throw refusalOf(validate.errors!, 'body')
    }
  })
}, { name: 'validation' })

/**
 * The keyword that replaces an integer by the text of its digits. Ajv applies it before the bounds, which refuse an integer that is not
 * exact. An integer that is written in another way, such as `1e3`, is no id: nobody can tell which text it should be.
 */
const numberAsText: FuncKeywordDefinition = {
  keyword: 'x-number-as-text',
  modifying: true,
  schema: false,
  errors: false,
  validate (value: unknown, place?: { parentData: Record<string, unknown>, parentDataProperty: string | number }): boolean {
    if (!Number.isSafeInteger(value)) return true
    const { parentData, parentDataProperty } = place!
    const digits = digitsOfInteger(value, parentData, parentDataProperty)
    if (digits === undefined) return false
    parentData[parentDataProperty] = digits
    return true
  }
}

function refusalOf (errors: ErrorObject[], part: string): GatewayError {
  const error = errors.find(({ keyword }) => keyword === 'anyOf') ?? errors[0]!
  return new GatewayError(part === 'body' ? 'InvalidBody' : 'InvalidParameter', describe(error, part))
}

function describe ({ keyword, instancePath, params, parentSchema = {} }: ErrorObject, part: string): string {
  const place = part === 'body' ? `body${instancePath}` : instancePath.slice(1)
  const within = (key: string): string => place === '' ? key : `${place}/${key}`
  if (keyword === 'required') {
    const { missingProperty } = params as { missingProperty: string }
    return `${within(missingProperty)}: is missing; expected ${expectation(resolve(parentSchema, `#/properties/${missingProperty}`))}`
  }
  if (keyword === 'additionalProperties') return `${within(shortened(escapePointer((params as { additionalProperty: string }).additionalProperty)))}: is not a known key here`
  return `${place}: expected ${expectation(parentSchema)}`
}

/** Shortens text of the caller, which an error message must not repeat in full length. */
function shortened (text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`
}
