import Type from 'typebox'
import { parseExactly } from '../base/exact-json.ts'
import { strict } from '../base/schema.ts'
import type { Scope } from '../connections/scope.ts'
import { readAnswer } from './answer.ts'
import { awsReader, parseArn } from '../connections/aws.ts'
import { callAws } from './aws-failure.ts'
import { originType } from './origin.ts'
import { OriginError } from './origin-error.ts'
import { samplePayload } from './sample-payload.ts'

/** A function as Lambda's Invoke takes it: its ARN, a part of it (`123456789012:function:name`) or its name, with a version or alias or without. */
export const functionArn = Type.String({ pattern: '^((arn:[\\w-]+:lambda:[a-z0-9-]+:)?\\d{12}:function:|function:)?[a-zA-Z0-9_-]{1,140}(:[a-zA-Z0-9$_-]{1,128})?$' })

/** The provider type for an AWS Lambda function, which gets the payload of the AWS sample. */
export const lambda = originType({
  type: 'lambda',
  aliases: ['function'],
  needsRegion: config => lacksRegion(config as { arn: string }),
  schema: strict({ type: Type.Literal('lambda'), arn: functionArn }),
  actions: ['recommend-items', 'related-items', 'rerank-items', 'predicted-ratings'],
  provider: 'Function',
  arns: /^arn:[\w-]+:lambda:/,
  anyContext: true,
  async open ({ arn }, scope) {
    const invoke = await openFunction(arn, scope)
    return {
      recommend: async (request, signal) =>
        readAnswer('Function', request.action, await invoke(JSON.stringify(samplePayload(scope, request)), signal), request.itemIds?.length)
    }
  }
})

/** Returns whether the name of a function leaves its region open. */
export function lacksRegion ({ arn }: { arn: string }): boolean {
  return regionOf(arn) === undefined
}

/** Returns the region that the name of a function says; undefined if the function is in the gateway's own region. */
function regionOf (arn: string): string | undefined {
  return arn.startsWith('arn:') ? parseArn(arn).region : undefined
}

/**
 * Opens an AWS Lambda function.
 * @returns a function that invokes it with a payload of JSON, waits, and returns the answer of `parseExactly`; it throws OriginError
 */
export async function openFunction (arn: string, scope: Scope): Promise<(payload: string, signal: AbortSignal) => Promise<unknown>> {
  const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda')
  const client = await awsReader(scope, LambdaClient, regionOf(arn))
  return async (payload, signal) => {
    const { FunctionError, Payload } = await callAws('Function', signal, async () =>
      client.send(new InvokeCommand({ FunctionName: arn, Payload: payload }), { abortSignal: signal }))
    const text = Payload?.transformToString() ?? ''
    // For an error inside the function, Lambda answers 200 and sets `FunctionError`.
    if (FunctionError !== undefined) throw new OriginError('Function', 'invalid-answer', { cause: new Error(`${FunctionError}: ${text.slice(0, 1000)}`) })
    try {
      return parseExactly(text)
    } catch (cause) {
      throw new OriginError('Function', 'invalid-answer', { cause })
    }
  }
}
