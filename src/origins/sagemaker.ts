import type { InvokeEndpointCommandOutput } from '@aws-sdk/client-sagemaker-runtime'
import Type from 'typebox'
import { strict } from '../base/schema.ts'
import { awsReader } from '../connections/aws.ts'
import { awsFailure } from './aws-failure.ts'
import { requestMappingWarnings } from './mapping-warnings.ts'
import { originType } from './origin.ts'
import { failureOfStatus, OriginError } from './origin-error.ts'
import { checkMappings, compileMappings, mapAnswer, mappingKeys } from './payload.ts'
import { mapRequest } from './request-mapping.ts'
import { samplePayload } from './sample-payload.ts'

const mediaType = Type.Optional(Type.String({ pattern: '^[\\x20-\\x7e]{1,1024}$' }))
const variantName = Type.Optional(Type.String({ pattern: '^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$' }))

/** The provider type for a model behind a SageMaker endpoint. The model gets the payload of the AWS sample, or its own by mappings. */
export const sagemaker = originType({
  type: 'sagemaker',
  needsRegion: () => true,
  schema: strict({
    type: Type.Literal('sagemaker'),
    endpointName: Type.String({ pattern: '^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$' }),
    ...mappingKeys,
    contentType: mediaType,
    accept: mediaType,
    targetVariant: variantName,
    inferenceComponent: variantName
  }),
  actions: ['recommend-items', 'related-items', 'rerank-items', 'predicted-ratings'],
  provider: 'SageMaker',
  anyContext: true,
  check: checkMappings,
  warn: requestMappingWarnings,
  async open (config, scope) {
    const { InvokeEndpointCommand, SageMakerRuntimeClient } = await import('@aws-sdk/client-sagemaker-runtime')
    const client = await awsReader(scope, SageMakerRuntimeClient)
    const mappings = compileMappings(config)
    const { endpointName, contentType = 'application/json', accept = 'application/json', targetVariant, inferenceComponent } = config
    const endpoint = { EndpointName: endpointName, ContentType: contentType, Accept: accept, TargetVariant: targetVariant, InferenceComponentName: inferenceComponent }
    return {
      async recommend (request, signal) {
        const body = mappings.request === undefined ? JSON.stringify(samplePayload(scope, request)) : await mapRequest('SageMaker', mappings.request, request)
        let output: InvokeEndpointCommandOutput
        try {
          output = await client.send(new InvokeEndpointCommand({ ...endpoint, Body: body }), { abortSignal: signal })
        } catch (cause) {
          throw classify(cause, signal)
        }
        return mapAnswer('SageMaker', mappings.response, request, output.Body?.transformToString() ?? '', output.ContentType)
      }
    }
  }
})

/** Classifies an error. SageMaker reports a model's error as 424 with the status of the model, and a missing endpoint as 400. */
function classify (cause: unknown, signal: AbortSignal): OriginError {
  const { name, OriginalStatusCode: status } = cause as { name?: string, OriginalStatusCode?: number }
  const failure = name === 'ModelError' && !signal.aborted ? failureOfStatus(status ?? 500) : awsFailure(cause, signal)
  // The configuration decides what the gateway sends, and where, so that a refusal is not the caller's mistake.
  return new OriginError('SageMaker', failure === 'bad-request' ? 'refused' : failure, { cause })
}
