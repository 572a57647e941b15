import { Ajv, type ErrorObject } from 'ajv'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/errors.ts'
import { expectation, resolve } from '../src/validation.ts'

const options = { useDefaults: true, allErrors: false, verbose: true, allowUnionTypes: true } as const

/** Validates requests by their schemas: text from the URL is converted, a JSON body is taken at its word. */
export default fp(async app => {
  const forText = new Ajv({ ...options, coerceTypes: true, keywords: ['example'] })
  const forJson = new Ajv({ ...options, keywords: ['example'] })

  app.removeContentTypeParser('text/plain')
  app.setValidatorCompiler<object>(({ schema, httpPart }) => (httpPart === 'body' ? forJson : forText).compile(schema))
  app.setSchemaErrorFormatter((errors, part) => {
    const error = errors.find(({ keyword }) => keyword === 'anyOf') ?? errors.at(0)
    return new GatewayError(part === 'body' ? 'InvalidBody' : 'InvalidParameter', describe(error as ErrorObject, part))
  })
}, { name: 'validation' })

function describe ({ keyword, instancePath, params, parentSchema = {} }: ErrorObject, part: string): string {
  const place = part === 'body' ? `body${instancePath}` : instancePath.slice(1)
  const within = (key: string): string => place === '' ? key : `${place}/${key}`
  if (keyword === 'required') {
    const { missingProperty } = params as { missingProperty: string }
    return `${within(missingProperty)}: is missing; expected ${expectation(resolve(parentSchema, `#/properties/${missingProperty}`))}`
  }
  if (keyword === 'additionalProperties') return `${within((params as { additionalProperty: string }).additionalProperty)}: is not a known key here`
  return `${place}: expected ${expectation(parentSchema)}`
}
